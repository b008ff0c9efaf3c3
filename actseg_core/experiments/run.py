"""The whole set, one cell after the other: resumable, and one failure does not stop the others.

A network is trained by `actseg train`'s own code.
"""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

from actseg_core.errors import ActSegError
from actseg_core.experiments.measure import measure_cell
from actseg_core.experiments.plan import Cell, Plan, Training
from actseg_core.experiments.scale import AblationScale
from actseg_core.experiments.store import Store
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.training.run import train
from actseg_core.training.settings import TrainRunConfig

logger = logging.getLogger(__name__)
Train = Callable[[Training, Path, Path], Path]
"""Trains (training, its configuration file, its folder) and gives the file of its weights."""
Announce = Callable[[str], None]
After = Callable[[], None]


class TrainingFailed(ActSegError):
    """A training that several cells need failed before; it is not tried twice in one run."""


class Runner:
    """Does what a plan still lacks.

    Args:
        plan: What is wanted.
        scale: At which the networks are trained.
        data: Folder with `a2d` and `jhmdb`.
        run: Folder of the run.
        train: Trains one network; resumes where it was stopped.
        announce: Told what begins and what failed.
        after: Called after every cell.
    """

    def __init__(
        self,
        plan: Plan,
        scale: AblationScale,
        data: Path,
        run: Path,
        train: Train,
        *,
        announce: Announce = logger.info,
        after: After = lambda: None,
    ) -> None:
        self.plan, self.scale, self.data = plan, scale, data
        self.store = Store(run)
        self._train, self._announce, self._after = train, announce, after
        self._failed: dict[str, str] = {}

    def run(self) -> int:
        """Train and measure every cell that is not measured yet.

        Returns:
            How many cells failed; each is noted in the run folder and tried again next time.

        Raises:
            ConfigError: If the folder holds a run at another scale.
            DatasetError: If the folder cannot be written.
        """
        self.store.claim(self.scale)
        failed, total = 0, len(self.plan.cells)
        for number, cell in enumerate(self.plan.cells, 1):
            if self.store.is_measured(cell):
                continue
            self._announce(f"[{number}/{total}] {cell.row.label}: {cell.name}")
            try:
                self._measure(cell)
            except Exception as error:  # one bad cell must not take the night's other ones along
                failed += 1
                self._note(cell, error)
            self._after()
        return failed

    def _measure(self, cell: Cell) -> None:
        checkpoints = {item.name: self._trained(item) for item in cell.trainings}
        measure_cell(cell, checkpoints, self.data, self.scale, self.store.cell(cell))
        self.store.forget_failure(cell)

    def _trained(self, training: Training) -> Path:
        if training.name in self._failed:
            raise TrainingFailed(self._failed[training.name])
        if not self.store.is_trained(training):
            self._announce(f"  training {training.name}")
            start = time.monotonic()
            try:
                weights = self._train(
                    training, self.store.config(training), self.store.training(training)
                )
            except Exception as error:
                self._failed[training.name] = f"training {training.name} failed: {error}"
                raise TrainingFailed(self._failed[training.name]) from error
            self.store.keep_trained(training, weights, time.monotonic() - start)
        return self.store.weights(training)

    def _note(self, cell: Cell, error: Exception) -> None:
        message = str(error) or type(error).__name__
        if not isinstance(error, ActSegError):
            logger.exception("%s failed", cell.name)
            message = f"{type(error).__name__}: {message}"
        self.store.keep_failure(cell, message)
        self._announce(f"  failed: {message}")


def make_data(data: Path, scale: AblationScale, announce: Announce = logger.info) -> None:
    """Generate what the data folder lacks; published data in the same layout is left as it is.

    Raises:
        DatasetError: If a folder holds another generated data set, or cannot be written.
        ConfigError: If the scene settings leave no room for a scene.
    """
    for name, config in (("a2d", scale.a2d), ("jhmdb", scale.jhmdb)):
        folder = data / name
        if folder.is_dir() and not (folder / "generator.json").is_file() and any(folder.iterdir()):
            continue
        _generate(folder, config, announce)


def _generate(folder: Path, config: DatasetConfig, announce: Announce) -> None:
    """Write what is missing of a data set; says so only if something is."""
    said = False

    def progress(done: int, wanted: int) -> None:
        nonlocal said
        if not said and done < wanted:
            announce(f"generating {wanted - done} videos in {folder}")
        said = True

    generate_dataset(folder, config, progress=progress)


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
    settings = {
        "data": str(data / "a2d"),
        "run": str(folder),
        "seed": training.seed,
        "cache_features": model.trainable != "all",
        "cache": str(run / "features"),
        "progress": sys.stdout.isatty(),
    }
    if model.is_baseline:
        settings |= {"vgg_weights": scale.vgg_weights} if scale.vgg_weights else {}
    else:
        streams = [stream for stream in model.streams if stream in scale.weights]
        settings |= {f"{stream}_weights": scale.weights[stream] for stream in streams}
    return TrainRunConfig.from_mapping(settings | scale.train)
