"""At which scale the set is run: what replaces the paper's sizes on a smaller machine."""

from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, model_validator
from typing_extensions import Self

from actseg_core.config import Config, Stream, load_yaml
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import StageConfig
from actseg_core.generator.settings import DatasetConfig

FOLDER = "ablate"


class AblationScale(Config):
    """What is changed of the presets, the same in all of them, and the generated data."""

    name: str = "paper"
    """What the scale is called on the page."""
    model: dict[str, Any] = {}
    """Settings of ModelConfig that replace those of every preset, nested."""
    baseline_model: dict[str, Any] = {}
    """The same, for Hu et al. and Li et al. alone, after `model`."""
    stage: dict[str, Any] = {}
    """Settings of StageConfig that replace those of every stage of the paper's model."""
    baseline_stages: tuple[StageConfig, ...] = ()
    """Training of Hu et al. and Li et al. on the sentences from random weights; empty: the
    stages that their presets finetune with, started from their ReferIt checkpoints."""
    weights: dict[Stream, str] = {}
    """Pretrained I3D file by stream; a missing one starts from random weights."""
    vgg_weights: str = ""
    """Pretrained VGG16 file of Hu et al. and Li et al.; empty: random weights, which needs
    baseline.trainable: all."""
    classifier: str = ""
    """Checkpoint of the pair classifier; without it the picks of Table 3 are not measured."""
    train: dict[str, Any] = {}
    """Settings of the training run (`actseg train`), such as precision, workers, cache."""
    a2d: DatasetConfig = DatasetConfig()
    """What is generated where the data folder has no `a2d`."""
    jhmdb: DatasetConfig = DatasetConfig(layout="jhmdb", videos=50, seed=1)
    """What is generated where the data folder has no `jhmdb`."""
    limit: int = Field(0, ge=0, le=1_000_000)
    """Ask about so many samples of a test set, evenly spread; 0: all."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.a2d.layout != "a2d" or self.jhmdb.layout != "jhmdb":
            raise ValueError("a2d must have the layout a2d, and jhmdb the layout jhmdb")
        return self


def scale_markdown(scale: AblationScale) -> str:
    """What was changed of the presets, as YAML, for a page; weight files without their folders."""
    content = scale.model_dump(mode="json", exclude_defaults=True)
    content["weights"] = {key: Path(value).name for key, value in scale.weights.items()}
    for name in ("classifier", "vgg_weights"):
        content[name] = Path(str(getattr(scale, name))).name
    for name in ("a2d", "jhmdb"):
        scene = content.get(name, {}).get("scene", {})
        if "cutouts" in scene:
            scene["cutouts"] = Path(scene["cutouts"]).name
    given = {key: value for key, value in content.items() if value}
    text = yaml.safe_dump(given, sort_keys=False, default_flow_style=None, width=96)
    return f"### The scale\n\n```yaml\n{text}```"


def load_scale(name: str) -> AblationScale:
    """A scale that ships with the package, or the path of a YAML file.

    Raises:
        ConfigError: If there is no such scale or file, or its content is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return AblationScale.from_mapping(load_yaml(Path(name)))
    folder = resources.files("actseg_core") / "configs" / FOLDER
    known = sorted(item.name.removesuffix(".yaml") for item in folder.iterdir())
    if name not in known:
        raise ConfigError(
            f"there is no scale {name!r}; give one of {', '.join(known)} or the path of a .yaml "
            "file"
        )
    return AblationScale.from_mapping(load_yaml(Path(str(folder / f"{name}.yaml"))))
