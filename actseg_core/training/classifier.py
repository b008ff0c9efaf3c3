"""Training the classifier that proposes actor-action pairs (paper section 5.3)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor

from actseg_core.checkpoints.classifier import load_classifier, save_classifier
from actseg_core.checkpoints.public_weights import load_i3d
from actseg_core.config import ModelConfig, Stream
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.loading import Batch
from actseg_core.datasets.pair_clips import PairClips
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.networks.pair_classifier import PairClassifier, pair_loss, pair_targets
from actseg_core.training.batches import SentenceData
from actseg_core.training.stages import make_optimiser, make_schedule
from actseg_core.training.states import claim, forget_states
from actseg_core.training.trainer import fit

WEIGHTS_FILE = "classifier.safetensors"


class ClassifierTraining(lightning.LightningModule):
    """Both streams in one step: they share no weight, so each trains as if alone.

    Args:
        classifier: With pretrained weights.
        labels: A2D ids by video.
        inputs: Streams and scale of the flow.

    Attributes:
        losses: Of the last batch.
    """

    def __init__(
        self, classifier: PairClassifier, labels: Mapping[str, list[int]], inputs: ModelConfig
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.stage = classifier.config.stage
        self.losses: dict[str, Tensor] = {}
        self._targets = {video: pair_targets(found) for video, found in labels.items()}
        self._inputs = inputs

    def forward(self, batch: Batch) -> dict[Stream, Tensor]:
        """Logits (B, 43) per stream."""
        logits: dict[Stream, Tensor] = self.classifier(batch.inputs(self._inputs))
        return logits

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        targets = torch.stack([self._targets[sample.video] for sample in batch.samples])
        logits = {name: item.float() for name, item in self(batch).items()}
        loss = pair_loss(logits, targets.to(self.device))
        self.losses = {"loss": loss.detach()}
        self.log("loss", loss, prog_bar=True, logger=False, batch_size=len(batch))
        return loss

    def configure_optimizers(self) -> Any:
        """Adam at a fixed rate in the paper, over all layers that are not frozen."""
        optimiser = make_optimiser(self.classifier, self.stage)
        schedule = make_schedule(optimiser, self.stage)
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def train_classifier(
    config: ClassifierConfig,
    model: ModelConfig,
    data: Path,
    run: Path,
    weights: Mapping[Stream, Path],
    *,
    random_encoder: bool = False,
    seed: int = 0,
    workers: int = 0,
    skip_bad: bool = False,
    save_every: int = 200,
    progress: bool = True,
) -> Path:
    """Train the classifier, going on where `run` was left.

    Args:
        config: Network, clips, optimiser.
        model: Of the segmentation network that it works for; its flow settings are taken.
        data: Folder in A2D's layout; its train split is read.
        run: Folder of logs, states and the result.
        weights: I3D files per stream; their classifiers are left out.
        random_encoder: Allow frozen layers without pretrained weights.
        seed: Of initial weights, order and clips.
        workers: Processes that read clips.
        skip_bad: Leave damaged items out.
        save_every: Steps between two saved states.
        progress: Show a bar with the time left.

    Returns:
        RUN/classifier.safetensors; a finished one is not trained again.

    Raises:
        ConfigError: If frozen layers would stay random, or `run` holds another run.
        DatasetError: If data is missing or damaged.
        CheckpointError: If weights are missing or do not fit.
        TrainingError: If the training cannot go on.
    """
    _check_weights(config, weights, random_encoder)
    destination = run / WEIGHTS_FILE
    facts = {
        "classifier": config.model_dump(mode="json"),
        "flow": model.flow.model_dump(mode="json"),
        "data": str(data.resolve()),
        "seed": seed,
        "weights": {stream: str(path.resolve()) for stream, path in weights.items()},
    }
    claim(run, facts)
    if destination.is_file():
        load_classifier(destination)
        return destination
    lightning.seed_everything(seed, verbose=False)
    classifier = PairClassifier(config)
    for stream, path in weights.items():
        load_i3d(path, classifier.stream(stream), head=False)
    dataset = A2DPairs(data, "train", skip_bad=skip_bad)
    inputs = model.model_copy(update={"streams": config.streams})
    module = ClassifierTraining(classifier, dataset.video_labels, inputs)
    clips = PairClips(dataset, config, inputs, seed=seed)
    stage = config.stage
    batches = SentenceData(clips, None, stage.batch_size, stage.iterations, seed, workers)
    fit(run, module, batches, stage.iterations, save_every=save_every, progress=progress)
    facts = {"iterations": stage.iterations, "seed": seed, "videos": len(clips)}
    save_classifier(destination, classifier, model.flow, facts)
    forget_states(run)
    return destination


def _check_weights(
    config: ClassifierConfig, weights: Mapping[Stream, Path], random_encoder: bool
) -> None:
    """Every stream has weights, or may do without, and no weights are left over.

    Raises:
        ConfigError: If that is not so.
    """
    if useless := [stream for stream in weights if stream not in config.streams]:
        raise ConfigError(
            f"the classifier reads {' and '.join(config.streams)}; {' and '.join(useless)} "
            "weights are of no use: leave them out, or set streams"
        )
    missing = [f"--{stream}-weights" for stream in config.streams if stream not in weights]
    if missing and not random_encoder:
        raise ConfigError(
            f"the frozen layers of the classifier would stay random: give {' and '.join(missing)} "
            "(public weights, or those of `actseg pretrain`), or allow it with --random-encoder"
        )
