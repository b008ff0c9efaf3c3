"""Loads the model for the node and tries it out."""

import math
import time

import numpy as np

from actseg_core.config import StreamConfig
from actseg_core.errors import ActSegError
from actseg_core.live.queries import Reader
from actseg_core.live.reports import Engine, LoadedModel
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.types import Frame
from actseg_ros.settings import SegmentationConfig

BLANK_SIDE_PX = 64
BLANK_INTERVAL_NS = 1_000_000
WARM_UP_SENTENCE = "person walking"
BACKGROUND_TIMEOUT_S = 120.0
LOOK_AGAIN_S = 0.01


def load_model(config: SegmentationConfig, stream: StreamConfig) -> LoadedModel:
    """Load the configured preset or checkpoint and, if wanted, answer one blank clip.

    The cameras share the weights; each has an engine of its own.

    Raises:
        ActSegError: If the preset, checkpoint, vocabulary or device is missing or does not fit.
    """
    name = config.checkpoint or config.preset
    try:
        predictor = Predictor.load(name, config.device, config)
    except (RuntimeError, AssertionError) as error:
        # torch's own errors: an unknown device, a CUDA that is not there
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ActSegError(
            f"cannot load {name} on device {config.device!r}: {reason}; try device: cpu"
        ) from error
    engines = tuple(StreamingEngine(predictor, stream) for _ in config.cameras)
    if config.warm_up:
        warm_up(engines[0], predictor.read, predictor.config.frames)
    config_of = predictor.config
    threshold = config_of.presence.threshold
    return LoadedModel(engines, predictor.read, config_of.name, predictor.runtime, threshold)


def warm_up(engine: Engine, read: Reader, frames: int) -> None:
    """Answer one blank clip, then forget it.

    Args:
        engine: Fresh.
        read: Text to Sentence.
        frames: Length of the engine's window.

    Raises:
        ActSegError: If no answer comes, or one that is not a number.
    """
    blank = np.zeros((BLANK_SIDE_PX, BLANK_SIDE_PX, 3), np.uint8)
    engine.set_queries([("warm-up", read(WARM_UP_SENTENCE))])
    for index in range(frames):
        engine.push(Frame(blank, (index + 1) * BLANK_INTERVAL_NS, "", index))
    answers = engine.answer()
    end_s = time.monotonic() + BACKGROUND_TIMEOUT_S
    while not answers and engine.answers_every_frame and time.monotonic() < end_s:
        time.sleep(LOOK_AGAIN_S)  # the window is encoded in a thread of its own
        answers = engine.answer()
    engine.set_queries([])
    engine.reset("")
    if not answers or not all(math.isfinite(item.confidence) for item in answers.values()):
        raise ActSegError(
            f"the model does not answer a blank clip of {frames} frames with a number; its "
            "checkpoint is damaged, take another one"
        )
