"""What shows over time: a new sentence's delay, and memory over many frames."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actseg_core.bench.camera import PERIOD_NS, play
from actseg_core.bench.hardware import resident_mb
from actseg_core.bench.setup import SENTENCES
from actseg_core.bench.streams import questions
from actseg_core.bench.timing import Spread, measure
from actseg_core.config import Config
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.overlap import answers
from actseg_core.types import Frame

SETTLED_FRAME = 500
SAMPLE_EVERY = 100
CHANGE_EVERY = 250  # frames between two changes of sentences
PAUSE_EVERY = 2_000  # frames between two pauses of the camera


class NewSentence(Config):
    """From a text to its masks, without waiting for another frame."""

    size: int
    """Side of the network's input [px]."""
    time: Spread
    """Reading the text, filters, response, mask."""


class Soak(Config):
    """Memory over a long run with changing sentences and pauses of the camera."""

    frames: int
    """Frames pushed and answered."""
    size: int
    """Side of the network's input [px]."""
    resets: int
    """Windows emptied by pauses."""
    settled_mb: float
    """Resident memory after the first 500 frames [MB]."""
    growth_mb: float
    """What it grew by from there to the end [MB]."""
    highest_growth_mb: float
    """The highest sample in between, over the same [MB]."""
    samples_mb: tuple[float, ...]
    """Resident memory every 100 frames [MB]."""


def new_sentence(
    predictor: Predictor, images: Sequence[NDArray[np.uint8]], calls: int
) -> NewSentence:
    """Change the sentence again and again between two frames."""
    engine = StreamingEngine(predictor)
    for frame in play(images, predictor.config.frames):
        engine.push(frame)
    engine.set_queries(questions(predictor, 1))
    engine.answer()
    turn = 0

    def change() -> None:
        nonlocal turn
        turn += 1
        engine.set_queries([("new", predictor.read(SENTENCES[turn % len(SENTENCES)]))])
        assert engine.answer()

    return NewSentence(size=predictor.config.size, time=measure(change, calls))


def soak(predictor: Predictor, images: Sequence[NDArray[np.uint8]], frames: int) -> Soak:
    """Run overlapped for so many frames and watch the memory."""
    engine = StreamingEngine(predictor)
    samples = []
    for frame, _ in answers(engine, (_with_pauses(item) for item in play(images, frames))):
        if frame.sequence % CHANGE_EVERY == 0:
            engine.set_queries(questions(predictor, 1 + frame.sequence // CHANGE_EVERY % 4))
        if frame.sequence % SAMPLE_EVERY == 0:
            samples.append(resident_mb())
    samples.append(resident_mb())
    settled = samples[min(SETTLED_FRAME // SAMPLE_EVERY, len(samples) - 1)]
    after = samples[SETTLED_FRAME // SAMPLE_EVERY :] or samples[-1:]
    return Soak(
        frames=frames,
        size=predictor.config.size,
        resets=engine.resets,
        settled_mb=settled,
        growth_mb=samples[-1] - settled,
        highest_growth_mb=max(after) - settled,
        samples_mb=tuple(samples),
    )


def _with_pauses(frame: Frame) -> Frame:
    pauses = frame.sequence // PAUSE_EVERY
    return replace(frame, stamp_ns=frame.stamp_ns + pauses * 60 * PERIOD_NS)
