"""VGG16 trained to name what is in pictures, in place of ImageNet. [ours]

The weights are a file as `load_vgg16` reads them, so that the baselines can be trained as their
authors did (pretrain, freeze conv1 to conv5) where no public weights fit: at a reduced width.
"""

from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional

from actseg_core.checkpoints.public_weights import (
    read_weights,
    save_weights,
    trained_vgg_weights,
)
from actseg_core.config import BaselineConfig, ModelConfig
from actseg_core.datasets.a2d_layout import Split
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.action_clips import ActionClips
from actseg_core.datasets.kept_clips import KeptClips
from actseg_core.datasets.loading import Batch
from actseg_core.experiment_config import PretrainConfig
from actseg_core.generator.photographs import PhotographedThings, image_classes
from actseg_core.networks.vgg import FullyConvolutionalVgg16, single_frame
from actseg_core.training.batches import SentenceData
from actseg_core.training.image_crops import ImageCrops
from actseg_core.training.pretrain import KEPT_CLIPS, one_cycle
from actseg_core.training.states import claim, forget_states
from actseg_core.training.trainer import Hardware, fit

PICTURES = (".jpg", ".jpeg", ".png")


class ImagePretraining(lightning.LightningModule):
    """Cross-entropy of one class per picture, over the mean of all positions of fc8.

    Args:
        config: Network, length and rate.
        classes: What the first channels of fc8 stand for; the others stay without meaning.

    Attributes:
        losses: Of the last training batch.
        scores: Of the last validation: shares [0, 1] of the pictures that were named rightly:
            `class`, `actor` (generated ones alone), `class_chance` of always naming the most
            frequent class, and the number of `pictures`.
    """

    def __init__(self, config: PretrainConfig, classes: tuple[str, ...]) -> None:
        super().__init__()
        self.config = config
        self.classes = classes
        baseline = BaselineConfig(
            width=config.width, visual_dim=config.image_classes, trainable="all"
        )
        self.model_config = ModelConfig(
            name=config.name, streams=("rgb",), frames=1, size=config.size
        )
        self.network = FullyConvolutionalVgg16(baseline)
        self.losses: dict[str, Tensor] = {}
        self.scores: dict[str, float] = {}
        self._answers: list[tuple[Tensor, Tensor, Tensor]] = []

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, fc8)."""
        clip = batch.inputs(self.model_config)["rgb"]
        scores: Tensor = self.network(single_frame(clip)).mean(dim=(2, 3))
        return scores

    def targets(self, batch: Batch) -> Tensor:
        """Classes (B,)."""
        return torch.tensor([self.classes.index(item.sentence) for item in batch.samples])

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        loss = functional.cross_entropy(self(batch).float(), self.targets(batch).to(self.device))
        self.losses = {"loss": loss.detach()}
        self.log("loss", loss, prog_bar=True, logger=False, batch_size=len(batch))
        return loss

    def on_validation_epoch_start(self) -> None:
        self._answers = []

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        generated = torch.tensor([not item.video.endswith(PICTURES) for item in batch.samples])
        self._answers.append((self(batch).argmax(dim=1).cpu(), self.targets(batch), generated))

    def on_validation_epoch_end(self) -> None:
        guesses, true, generated = (torch.cat(parts) for parts in zip(*self._answers, strict=True))
        right = (guesses == true).float()
        self.scores = {
            "class": float(right.mean()),
            "actor": float(right[generated].mean()),
            "class_chance": float(torch.bincount(true).max() / len(true)),
            "pictures": float(len(true)),
        }

    def configure_optimizers(self) -> Any:
        """Adam, one cycle with cosine decay."""
        return one_cycle(self.parameters(), self.config)


def pretrain_images(
    config: PretrainConfig,
    data: Path,
    photographs: Path,
    run: Path,
    *,
    workers: int = 0,
    save_every: int = 100,
    progress: bool = True,
) -> tuple[Path, dict[str, float]]:
    """Train VGG16, going on where `run` was left, and test it.

    Args:
        config: What to train.
        data: Folder in A2D's layout; its test split is held out.
        photographs: Folder with instances.json and images/; those of the parts `validation` and
            `test` are held out.
        run: Folder; logs and states lie in RUN/vgg.
        workers: Processes that read pictures.
        save_every: Steps between two saved states.
        progress: Show a bar with the time left.

    Returns:
        The weights, RUN/NAME_vgg.safetensors, and the scores on held-out pictures; empty scores
        and nothing trained if the weights are there already.

    Raises:
        ConfigError: If `run` holds a run with other settings.
        DatasetError: If data is missing or damaged.
        CheckpointError: If weights cannot be written, or those there are damaged.
        TrainingError: If the training cannot go on.
    """
    folder, destination = run / "vgg", run / f"{config.name}_vgg.safetensors"
    things = {
        "train": PhotographedThings(photographs, "train"),
        "test": PhotographedThings(photographs, "validation"),
    }
    classes = image_classes(things["train"], config.image_classes)
    facts = config.deciding() | {"network": "vgg16"}
    claim(folder, {"pretrain": facts, "data": str(data.resolve()), "classes": list(classes)})
    if destination.is_file():
        read_weights(destination)
        return destination, {}
    lightning.seed_everything(config.seed, verbose=False)
    module = ImagePretraining(config, classes)

    def crops(split: Split) -> ImageCrops:
        is_random = split == "train"
        kept = KeptClips(run / KEPT_CLIPS, module.model_config)
        actors = ActionClips(
            A2DPairs(data, split),
            module.model_config,
            config.crop_px,
            random=is_random,
            seed=config.seed,
            kept=kept if config.keep_clips else None,
        )
        return ImageCrops(
            actors, things[split], classes, config.crop_px, random=is_random, seed=config.seed
        )

    batches = SentenceData(
        crops("train"),
        crops("test"),
        config.batch_size,
        config.iterations,
        config.seed,
        workers,
    )
    fit(
        folder,
        module,
        batches,
        config.iterations,
        val_every=config.val_every or config.iterations,
        save_every=save_every,
        hardware=Hardware(precision=config.precision),
        progress=progress,
    )
    save_weights(trained_vgg_weights(module.network, config.width), destination)
    forget_states(folder)
    return destination, module.scores
