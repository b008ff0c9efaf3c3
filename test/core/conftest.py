"""Small networks and vocabularies that whole-chain tests share."""

import numpy as np
import pytest

from actseg_core.config import DecoderConfig, ModelConfig, TextConfig, VideoConfig
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import NetworkPredictor, Predictor
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors

WORDS = ("person", "dog", "red", "running", "left")
WORD_DIM = 8


@pytest.fixture(scope="session")
def vectors() -> WordVectors:
    """Five words with fixed random vectors."""
    rows = np.random.default_rng(0).normal(size=(len(WORDS), WORD_DIM)).astype(np.float32)
    return WordVectors(WORDS, rows)


@pytest.fixture(scope="session")
def small_config() -> ModelConfig:
    """The paper's network, thin: 8 frames at 64 px, of which it labels the newest."""
    return ModelConfig(
        name="small",
        frames=8,
        label_frame="newest",
        size=64,
        text=TextConfig(word_dim=WORD_DIM, sentence_dim=16),
        video=VideoConfig(width=0.125),
        decoder=DecoderConfig(channels=(16, 8)),
    )


@pytest.fixture(scope="session")
def small_predictor(small_config: ModelConfig, vectors: WordVectors) -> Predictor:
    """Random weights, but the same ones every time."""
    import torch

    torch.manual_seed(0)
    return NetworkPredictor(build_model(small_config), SentenceReader(small_config.text, vectors))


@pytest.fixture
def moving_square() -> np.ndarray:
    """(12, 48, 80, 3) uint8: a bright textured square that moves right 2 px per frame."""
    rng = np.random.default_rng(1)
    background = rng.integers(0, 60, (48, 80, 3), np.uint8)
    patch = rng.integers(120, 255, (16, 16, 3), np.uint8)
    frames = np.stack([background] * 12)
    for index, frame in enumerate(frames):
        frame[16:32, 8 + 2 * index : 24 + 2 * index] = patch
    return frames
