"""Cameras and networks for tests of the engine."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from actseg_core.config import ModelConfig, StreamConfig, TextConfig, VideoConfig
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import NetworkPredictor, Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors
from actseg_core.types import Frame

PERIOD_NS = 33_000_000
Camera = Callable[[int], Frame]


@pytest.fixture(scope="session")
def camera() -> Camera:
    """Frame `index` of an endless camera before which a textured square goes to and fro."""
    rng = np.random.default_rng(1)
    background = cv2.blur(rng.integers(0, 80, (96, 160, 3), np.uint8), (3, 3))
    patch = cv2.blur(rng.integers(120, 255, (40, 40, 3), np.uint8), (3, 3))

    def shoot(index: int) -> Frame:
        image = background.copy()
        left = 8 + 4 * abs(index % 40 - 20)
        image[28:68, left : left + 40] = patch
        return Frame(image, stamp_ns=(index + 1) * PERIOD_NS, frame_id="cam", sequence=index)

    return shoot


@pytest.fixture(scope="session")
def paper_predictor(vectors: WordVectors) -> Predictor:
    """The paper's network, thin: 8 frames at 64 px, labels frame 4, answers something anywhere."""
    config = ModelConfig(
        frames=8,
        size=64,
        text=TextConfig(word_dim=8, sentence_dim=16),
        video=VideoConfig(width=0.125),
    )
    torch.manual_seed(0)
    return NetworkPredictor(build_model(config), SentenceReader(config.text, vectors))


@pytest.fixture
def make_engine() -> Callable[..., StreamingEngine]:
    """An engine with stream settings and one sentence."""

    def make(predictor: Predictor, **settings: object) -> StreamingEngine:
        engine = StreamingEngine(predictor, StreamConfig.from_mapping(settings))
        engine.set_queries([("q", predictor.read("red dog running"))])
        return engine

    return make
