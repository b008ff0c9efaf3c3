"""The image models that the paper compares with, Hu et al. [6] and Li et al. [15]."""

from actseg_core.config import ModelConfig
from actseg_core.errors import ConfigError
from actseg_core.networks.baseline_li import LiSegmenter
from actseg_core.networks.baselines import HuSegmenter
from actseg_core.networks.segmenter import Segmenter

__all__ = ["HuSegmenter", "LiSegmenter", "build_baseline"]


def build_baseline(config: ModelConfig) -> Segmenter:
    """The baseline of a configuration, randomly initialised.

    Raises:
        ConfigError: If the configuration describes no baseline.
    """
    if config.kind == "hu":
        return HuSegmenter(config)
    if config.kind == "li":
        return LiSegmenter(config)
    raise ConfigError(f"a baseline has kind hu or li, {config.name} has {config.kind}")
