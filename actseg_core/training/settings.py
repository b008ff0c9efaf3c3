"""How a training is run: folders, hardware, intervals. The preset says what is trained."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from actseg_core.config import EXPERIMENT_KEY, Config, ModelConfig
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import merged

Layout = Literal["", "a2d-sentences", "a2d-pairs", "custom"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


class TrainRunConfig(Config):
    """Settings of one run of `actseg train`."""

    data: str = ""
    """Folder of the training data."""
    layout: Layout = ""
    """Layout of the folder; empty: what the preset trains on (ReferIt is read as custom)."""
    val_data: str = ""
    """Folder whose test split is watched while training; empty: that of `data`."""
    run: str = ""
    """Folder of logs, states and results; empty: runs/NAME."""
    rgb_weights: str = ""
    """Pretrained I3D weights of the RGB stream."""
    flow_weights: str = ""
    """Pretrained I3D weights of the flow stream."""
    vgg_weights: str = ""
    """Pretrained VGG16 weights of a baseline."""
    start: str = ""
    """Checkpoint to start from; empty: that of the preset's start_from beside the run folder."""
    random_encoder: bool = False
    """Allow frozen layers without pretrained weights."""
    change: dict[str, Any] = {}
    """What differs from the preset, nested as in its YAML: model settings and `experiment`."""
    iterations: int = Field(0, ge=0, le=10_000_000)
    """Optimiser steps of every stage, its decay_every in proportion; 0: the preset's."""
    batch_size: int = Field(0, ge=0, le=1024)
    """Samples per optimiser step, over all processes and parts; 0: the preset's."""
    accumulate: int = Field(1, ge=1, le=1024)
    """Parts in which each process runs its share of a batch, one after the other."""
    precision: Precision = "32-true"
    """32-true, or mixed: bf16-mixed, 16-mixed (GPU only)."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """What to train on."""
    devices: int = Field(1, ge=1, le=1024)
    """Processes per machine (DDP), each with a GPU of its own where there are GPUs."""
    nodes: int = Field(1, ge=1, le=1024)
    """Machines."""
    workers: int = Field(0, ge=0, le=64)
    """Processes that read clips, for each process that trains."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Of initial weights and of the order of samples."""
    save_every: int = Field(500, ge=1, le=10_000_000)
    """Optimiser steps between two saved states."""
    val_every: int = Field(0, ge=0, le=10_000_000)
    """Optimiser steps between two validations; 0: after each pass over the data."""
    val_samples: int = Field(64, ge=0, le=1_000_000)
    """Samples of a validation, evenly spread over the split; 0: no validation."""
    pictures: int = Field(8, ge=0, le=64)
    """Overlays in the picture of each validation."""
    log_every: int = Field(10, ge=1, le=10_000)
    """Optimiser steps per row of the logs."""
    skip_bad: bool = False
    """Leave damaged samples out instead of stopping at them."""
    cache_features: bool = False
    """Keep what the frozen layers give, once per clip, and train from it."""
    cache: str = ""
    """Folder of the kept features; empty: `features` beside the run folder."""
    progress: bool = True
    """Show a progress bar."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.precision == "16-mixed" and self.accelerator == "cpu":
            raise ValueError("16-mixed needs a GPU; set precision: bf16-mixed or 32-true")
        return self

    @property
    def processes(self) -> int:
        """Processes that train together."""
        return self.devices * self.nodes

    def run_folder(self, name: str) -> Path:
        """Where the run of a network of this name lies."""
        return Path(self.run or f"runs/{name}")

    def cache_folder(self, name: str) -> Path:
        """Where kept features lie."""
        return Path(self.cache) if self.cache else self.run_folder(name).parent / "features"


def split_settings(mapping: Mapping[str, Any]) -> TrainRunConfig:
    """Settings of the run, and of the preset under `change`, from one mapping of both.

    Args:
        mapping: Keys of `TrainRunConfig`, of `ModelConfig`, or `experiment`.

    Raises:
        ConfigError: If a key is of neither (the nearest right one is named), or a value is wrong.
    """
    own, preset = list(TrainRunConfig.model_fields), [*ModelConfig.model_fields, EXPERIMENT_KEY]
    for key in mapping:
        if key not in own and key not in preset:
            near = difflib.get_close_matches(key, [*own, *preset], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join([*own, *preset])}"
            raise ConfigError(f"unknown setting {key!r}; {hint}")
    run = {key: value for key, value in mapping.items() if key in own}
    change = {key: value for key, value in mapping.items() if key not in own}
    return TrainRunConfig.from_mapping(run | {"change": merged(run.get("change", {}), change)})
