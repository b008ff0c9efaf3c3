"""The engine at full speed: in turn, overlapped, and against the naive version."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from actseg_core.bench.hardware import Spread, measure, spread
from actseg_core.bench.setup import SENTENCES, play
from actseg_core.config import Config
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.overlap import answers
from actseg_core.types import Clip, Frame, MaskResult, Sentence

Way = Literal["in turn", "overlapped"]
Image = NDArray[np.uint8]
PARTS = 5  # of a run, each with a rate of its own
# Frames after a full window that are not counted: runtimes allocate at their first calls.
SETTLING = 10


class StreamCase(Config):
    """The engine on an endless camera that always has the next frame."""

    sentences: int
    """Active sentences."""
    way: Way
    """in turn: push, then answer, the network on all cores; overlapped: the next frame is pushed
    while the last is answered, one core each."""
    runtime: str
    """What ran the network."""
    threads: int
    """Threads of the network per call."""
    rate_hz: float
    """Frames answered per second."""
    low_hz: float
    """The slowest fifth of the run."""
    high_hz: float
    """The fastest fifth."""
    latency: Spread
    """From the frame's arrival at the engine to its masks."""
    cpu_ms: float
    """CPU time per frame of the whole process [ms]."""


class NaiveCase(Config):
    """`Predictor.predict` on the whole window anew for every frame and sentence, in PyTorch, layer
    by layer; so many sentences take so many times as long."""

    frame: Spread
    """One frame with one sentence, from 16 camera images to the mask."""


def questions(predictor: Predictor, count: int) -> list[tuple[str, Sentence]]:
    """So many sentences with ids; beyond the list's end they are asked again."""
    return [
        (str(index), predictor.read(SENTENCES[index % len(SENTENCES)])) for index in range(count)
    ]


def stream(
    predictor: Predictor,
    images: Sequence[Image],
    frames: int,
    sentences: int,
    way: Way,
    threads: int,
) -> StreamCase:
    """Time the engine over so many frames after its window is full.

    Args:
        predictor: With its runtime.
        images: Of the camera.
        frames: Measured frames.
        sentences: Active ones.
        way: See `StreamCase.way`.
        threads: That the predictor's runtime was given, for the record.
    """
    engine = StreamingEngine(predictor)
    engine.set_queries(questions(predictor, sentences))
    lead = predictor.config.frames + SETTLING
    arrived: deque[float] = deque()
    source = _noting(play(images, lead + frames), arrived)
    done_s, latency_s = [], []
    cpu_s = 0.0
    results = answers(engine, source, ahead=1) if way == "overlapped" else turn(engine, source)
    for frame, _ in results:
        now_s, came_s = time.perf_counter(), arrived.popleft()
        if frame.sequence == lead - 1:
            cpu_s = time.process_time()
        if frame.sequence >= lead - 1:
            done_s.append(now_s)
            latency_s.append(now_s - came_s)
    rates = [(len(part) - 1) / (part[-1] - part[0]) for part in _parts(done_s)]
    return StreamCase(
        sentences=sentences,
        way=way,
        runtime=predictor.runtime,
        threads=threads,
        rate_hz=frames / (done_s[-1] - done_s[0]),
        low_hz=min(rates),
        high_hz=max(rates),
        latency=spread(latency_s[1:], 0.0),
        cpu_ms=1e3 * (time.process_time() - cpu_s) / frames,
    )


def turn(
    engine: StreamingEngine, frames: Iterator[Frame]
) -> Iterator[tuple[Frame, dict[str, MaskResult]]]:
    """Push and answer one after the other, in one thread."""
    for frame in frames:
        engine.push(frame)
        yield frame, engine.answer()


def naive(predictor: Predictor, images: Sequence[Image], frames: int) -> NaiveCase:
    """Time the whole window anew for every frame."""
    length = predictor.config.frames
    shown = [item.image for item in play(images, length)]
    clip = Clip(np.stack(shown))
    sentence = [predictor.read(SENTENCES[0])]
    return NaiveCase(frame=measure(lambda: predictor.predict(clip, sentence), frames, warm_up=1))


def _noting(frames: Iterator[Frame], arrived: deque[float]) -> Iterator[Frame]:
    for frame in frames:
        arrived.append(time.perf_counter())
        yield frame


def _parts(done_s: list[float]) -> list[list[float]]:
    """Stretches of the run, each of as many intervals; neighbours share a time."""
    count = max(1, (len(done_s) - 1) // PARTS)
    starts = range(0, count * min(PARTS, len(done_s) - 1), count)
    return [done_s[start : start + count + 1] for start in starts]
