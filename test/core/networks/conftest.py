"""Small baselines, every part of the published networks with few channels; a slow I3D."""

from collections.abc import Callable

import pytest
import torch
from i3d_reference import as_own, make_weights, slow, slow_i3d

from actseg_core.config import BaselineConfig, ModelConfig, TextConfig
from actseg_core.networks.baselines import build_baseline
from actseg_core.networks.segmenter import Segmenter

__all__ = ["as_own", "make_weights", "slow", "slow_i3d"]  # fixtures of test/support
WORD_DIM = 6


def small_config(kind: str, trainable: str = "fc") -> ModelConfig:
    return ModelConfig(
        kind=kind,
        streams=("rgb",),
        frames=1,
        size=64,
        text=TextConfig(encoder="lstm", word_dim=WORD_DIM, sentence_dim=8),
        baseline=BaselineConfig(
            width=1 / 32, visual_dim=10, embed_dim=7, hidden_dim=5, trainable=trainable
        ),
    )


@pytest.fixture
def make_config() -> Callable[[str], ModelConfig]:
    """The configuration of a small baseline of a kind."""
    return small_config


@pytest.fixture
def make() -> Callable[..., Segmenter]:
    """Build a small baseline of a kind with fixed random weights."""

    def build(kind: str, trainable: str = "fc") -> Segmenter:
        torch.manual_seed(7)
        return build_baseline(small_config(kind, trainable)).eval()

    return build


@pytest.fixture
def clip() -> torch.Tensor:
    """Three images of 64x64 in [-1, 1]."""
    return torch.rand((3, 3, 1, 64, 64), generator=torch.manual_seed(1)) * 2 - 1


@pytest.fixture
def words() -> torch.Tensor:
    """Three sentences of two, four and five words, padded to five with zero rows."""
    vectors = torch.randn((3, 5, WORD_DIM), generator=torch.manual_seed(2))
    vectors[0, 2:] = 0
    vectors[1, 4:] = 0
    return vectors
