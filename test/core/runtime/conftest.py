"""A small network, and a folder for graphs."""

from pathlib import Path

import pytest
import torch

from actseg_core.config import DecoderConfig, ModelConfig, TextConfig, VideoConfig
from actseg_core.networks.two_stream import Network, build_model


@pytest.fixture(scope="session")
def paper_config() -> ModelConfig:
    """The paper's network, thin, on 8 frames of 32 px."""
    return ModelConfig(
        frames=8,
        size=32,
        text=TextConfig(word_dim=8, sentence_dim=16),
        video=VideoConfig(width=0.125),
        decoder=DecoderConfig(channels=(16, 8)),
    )


@pytest.fixture(scope="session")
def paper(paper_config: ModelConfig) -> Network:
    torch.manual_seed(0)
    return build_model(paper_config)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that each network is converted once."""
    return tmp_path_factory.mktemp("graphs")
