"""One training of the set, handed to `actseg train`."""

import sys
from pathlib import Path

from actseg_core.experiments.plan import BASELINES, Training
from actseg_core.experiments.run import Train
from actseg_core.experiments.scale import AblationScale
from actseg_core.training.run import train
from actseg_core.training.settings import TrainRunConfig


def make_train(scale: AblationScale, data: Path, run: Path) -> Train:
    """What trains a network of the set; an interrupted training goes on where it was saved.

    Features of frozen layers are kept in the run folder, where all trainings share them.
    """

    def train_one(training: Training, config: Path, folder: Path) -> Path:
        return train(str(config), training_settings(training, scale, data, run, folder))

    return train_one


def training_settings(
    training: Training, scale: AblationScale, data: Path, run: Path, folder: Path
) -> TrainRunConfig:
    """Settings of the run of one training.

    Raises:
        ConfigError: If the scale's `train` has an unknown setting.
    """
    model = training.model
    is_baseline = model.kind in BASELINES
    trained = model.baseline.trainable if is_baseline else model.video.trainable
    settings = {
        "data": str(data / "a2d"),
        "run": str(folder),
        "seed": training.seed,
        "cache_features": trained != "all",
        "cache": str(run / "features"),
        "progress": sys.stdout.isatty(),
    }
    if not is_baseline:
        streams = [stream for stream in model.streams if stream in scale.weights]
        settings |= {f"{stream}_weights": scale.weights[stream] for stream in streams}
    return TrainRunConfig.from_mapping(settings | scale.train)
