"""I3D trained on action classification of generated clips, in place of Kinetics. [ours]

The weights are files as `load_i3d` reads them, so that the paper's recipe (pretrain, freeze all
but the last block, train) can be walked through where no public weights fit: at a reduced width.
"""

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam
from torch.optim.lr_scheduler import OneCycleLR

from actseg_core.checkpoints.public_weights import read_weights, save_weights, trained_weights
from actseg_core.config import ModelConfig, Stream, VideoConfig, load_yaml
from actseg_core.datasets.a2d_layout import Split
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.action_clips import ActionClips
from actseg_core.datasets.kept_clips import KeptClips
from actseg_core.datasets.loading import Batch
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import PretrainConfig
from actseg_core.labels import ACTIONS, PAIRS, pair_from_label
from actseg_core.networks.i3d import I3d
from actseg_core.training.batches import SentenceData
from actseg_core.training.states import claim, forget_states
from actseg_core.training.trainer import Hardware, fit

CHANNELS: dict[Stream, int] = {"rgb": 3, "flow": 2}
WARM_UP = 0.1
"""Share of the steps in which the rate rises."""
KEPT_CLIPS = "clips"
"""Folder of prepared clips in a run folder."""


class ActionPretraining(lightning.LightningModule):
    """Cross-entropy of one class per clip; all layers and all batch statistics train.

    Args:
        config: Network, length and rate.
        stream: rgb or flow.

    Attributes:
        losses: Of the last training batch.
        scores: Of the last validation: shares [0, 1] of clips whose `pair` and whose `action` was
            right, `pair_chance` and `action_chance` of always naming the most frequent one, and
            `clips`.
    """

    def __init__(self, config: PretrainConfig, stream: Stream) -> None:
        super().__init__()
        self.config = config
        self.stream: Stream = stream
        self.model_config = model_config(config, stream)
        classes = len(PAIRS) if config.classes == "pairs" else len(ACTIONS)
        self.network = I3d(CHANNELS[stream], config.width, classes=classes, dropout=config.dropout)
        self.losses: dict[str, Tensor] = {}
        self.scores: dict[str, float] = {}
        self._answers: list[tuple[Tensor, Tensor]] = []

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, 43) or (B, 9)."""
        logits: Tensor = self.network(batch.inputs(self.model_config)[self.stream])
        return logits

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        loss = functional.cross_entropy(
            self(batch).float(), classes_of(batch, self.config).to(self.device)
        )
        self.losses = {"loss": loss.detach()}
        self.log("loss", loss, prog_bar=True, logger=False, batch_size=len(batch))
        return loss

    def on_validation_epoch_start(self) -> None:
        self._answers = []

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        self._answers.append((self(batch).argmax(dim=1).cpu(), pairs_of(batch)))

    def on_validation_epoch_end(self) -> None:
        guesses, pairs = (torch.cat(parts) for parts in zip(*self._answers, strict=True))
        self.scores = accuracy(guesses, pairs, self.config)

    def configure_optimizers(self) -> Any:
        """Adam, one cycle with cosine decay."""
        return one_cycle(self.parameters(), self.config)


def one_cycle(parameters: Iterable[nn.Parameter], config: PretrainConfig) -> dict[str, Any]:
    """Adam and its rates over the whole run, as lightning takes them."""
    optimiser = Adam(parameters, lr=config.learning_rate)
    schedule = OneCycleLR(
        optimiser,
        max_lr=config.learning_rate,
        total_steps=config.iterations,
        pct_start=WARM_UP,
    )
    return {
        "optimizer": optimiser,
        "lr_scheduler": {"scheduler": schedule, "interval": "step"},
    }


def model_config(config: PretrainConfig, stream: Stream) -> ModelConfig:
    """How clips are prepared for one stream."""
    return ModelConfig(
        name=config.name,
        streams=(stream,),
        frames=config.frames,
        size=config.size,
        flow=config.flow,
        video=VideoConfig(width=config.width, trainable="all"),
    )


def pairs_of(batch: Batch) -> Tensor:
    """Places in PAIRS (B,) of what the clips show."""
    return torch.tensor([PAIRS.index(pair_from_label(item.instance)) for item in batch.samples])


def classes_of(batch: Batch, config: PretrainConfig) -> Tensor:
    """Classes (B,) that are learnt."""
    pairs = pairs_of(batch)
    return pairs if config.classes == "pairs" else _actions()[pairs]


def accuracy(guesses: Tensor, pairs: Tensor, config: PretrainConfig) -> dict[str, float]:
    """How many clips are classified rightly; see `ActionPretraining.scores`.

    Args:
        guesses: (N,) classes.
        pairs: (N,) true places in PAIRS.
        config: What was learnt; pairs are left out where only actions were.
    """
    is_pairs = config.classes == "pairs"
    named, actions = _actions()[guesses] if is_pairs else guesses, _actions()[pairs]
    scores = {
        "action": _share(named == actions),
        "action_chance": float(torch.bincount(actions).max() / len(actions)),
        "clips": float(len(pairs)),
    }
    if is_pairs:
        scores["pair"] = _share(guesses == pairs)
        scores["pair_chance"] = float(torch.bincount(pairs).max() / len(pairs))
    return scores


def load_pretrain_config(name: str) -> PretrainConfig:
    """Settings by the name of a preset or by the path of a YAML file.

    Raises:
        ConfigError: If there is no such preset or file, or its content is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return PretrainConfig.from_mapping(load_yaml(Path(name)))
    folder = Path(str(resources.files("actseg_core") / "configs" / "pretrain"))
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        raise ConfigError(
            f"there is no pretraining {name!r}; give one of {', '.join(names)} or the path of a "
            ".yaml file"
        )
    return PretrainConfig.from_mapping(load_yaml(folder / f"{name}.yaml"))


def pretrain(
    config: PretrainConfig,
    stream: Stream,
    data: Path,
    run: Path,
    *,
    workers: int = 0,
    save_every: int = 100,
    progress: bool = True,
) -> tuple[Path, dict[str, float]]:
    """Train the I3D of one stream, going on where `run` was left, and test it.

    Args:
        config: What to train.
        stream: rgb or flow.
        data: Folder in A2D's layout; its test split is held out.
        run: Folder; the stream's logs and states lie in RUN/STREAM.
        workers: Processes that read clips.
        save_every: Steps between two saved states.
        progress: Show a bar with the time left.

    Returns:
        The weights, RUN/NAME_STREAM.safetensors, and the scores on held-out clips; both empty
        scores and nothing trained if the weights are there already.

    Raises:
        ConfigError: If `run` holds a run with other settings.
        DatasetError: If data is missing or damaged.
        CheckpointError: If weights cannot be written, or those there are damaged.
        TrainingError: If the training cannot go on.
    """
    folder, destination = run / stream, run / f"{config.name}_{stream}.safetensors"
    claim(folder, {"pretrain": config.deciding(), "data": str(data.resolve())})
    if destination.is_file():
        read_weights(destination)
        return destination, {}
    lightning.seed_everything(config.seed, verbose=False)
    module = ActionPretraining(config, stream)
    fit(
        folder,
        module,
        SentenceData(
            _clips(module, data, "train", run / KEPT_CLIPS),
            _clips(module, data, "test", run / KEPT_CLIPS),
            config.batch_size,
            config.iterations,
            config.seed,
            workers,
        ),
        config.iterations,
        val_every=config.val_every or config.iterations,
        save_every=save_every,
        hardware=Hardware(precision=config.precision),
        progress=progress,
    )
    save_weights(trained_weights(module.network, config.width), destination)
    forget_states(folder)
    return destination, module.scores


def _clips(module: ActionPretraining, data: Path, split: Split, kept: Path) -> ActionClips:
    config = module.config
    return ActionClips(
        A2DPairs(data, split),
        module.model_config,
        config.crop_px,
        random=split == "train",
        seed=config.seed,
        kept=KeptClips(kept, module.model_config) if config.keep_clips else None,
    )


def _share(right: Tensor) -> float:
    return float(right.float().mean())


def _actions() -> Tensor:
    """Class of the action of every pair."""
    return torch.tensor([pair.action - 1 for pair in PAIRS])
