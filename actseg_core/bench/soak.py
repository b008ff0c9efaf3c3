"""The time of each stage of a frame; and what shows over many: memory, a new sentence's delay."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from actseg_core.bench.hardware import Spread, cores, measure, resident_mb
from actseg_core.bench.setup import PERIOD_NS, SENTENCES, play
from actseg_core.bench.streams import questions, turn
from actseg_core.config import Config
from actseg_core.image import resize_and_pad
from actseg_core.objects.motion import MotionEstimator
from actseg_core.objects.perception import on_grid
from actseg_core.predictor import ObjectPredictor, Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.types import Frame

SETTLED_FRAME = 500
SAMPLE_EVERY = 100
CHANGE_EVERY = 250  # frames between two changes of sentences
STAGE_BOXES = 8
PAUSE_EVERY = 2_000  # frames between two pauses of the camera


RESIZE = "resize"
SEE = "see: boxes and features"
LOOK = f"look: masks and names of {STAGE_BOXES} boxes"
OBJECTS = "objects of a frame: both of these, choice of boxes, colours"
MOTION = "flow and the camera's motion"
WHOLE_FRAME = "all of a frame: these, tracks"
PARTS = {OBJECTS: (SEE, LOOK), WHOLE_FRAME: (OBJECTS, MOTION)}
"""Stages that hold others."""
BOUND_BY = {
    RESIZE: "pixels of the camera's image",
    SEE: "multiplications of 181 convolutions",
    LOOK: "number of boxes",
    OBJECTS: "see",
    MOTION: "pixels of the network's input",
    WHOLE_FRAME: "see",
}
"""What a stage's time grows with; of the others: sentences times objects."""


class Stage(Config):
    """One part of the work."""

    name: str
    """What is done."""
    threads: int
    """That it may use."""
    time: Spread
    """How long it takes."""


def measure_stages(
    predictor: Predictor,
    images: Sequence[NDArray[np.uint8]],
    sentences: Sequence[int],
    calls: int,
    threads: int,
) -> list[Stage]:
    """Time resizing, both graphs, motion and tracks, answers and masks of the default model.

    Args:
        predictor: Its runtime on so many threads.
        images: At least two, of the camera.
        sentences: Numbers of sentences for answers and masks.
        calls: Measured calls per stage.
        threads: For the record.
    """
    assert isinstance(predictor, ObjectPredictor)
    found: list[Stage] = []

    def add(name: str, work: Callable[[], object]) -> None:
        time = measure(work, calls)
        found.append(Stage(name=name, threads=threads, time=time))

    first, placement = resize_and_pad(images[0], predictor.config.size)
    second, _ = resize_and_pad(images[1], predictor.config.size)
    content = placement.window
    rows, columns = (on_grid(part, predictor.config.size) for part in content)
    picture = np.ascontiguousarray(first[rows, columns])
    seen = predictor.runner.see(picture)
    boxes = seen.boxes[np.argsort(-seen.objectness)[:STAGE_BOXES]]
    add(RESIZE, lambda: resize_and_pad(images[1], predictor.config.size))
    add(SEE, lambda: predictor.runner.see(picture))
    add(LOOK, lambda: predictor.runner.look(seen, boxes))
    add(OBJECTS, lambda: predictor.perception.objects(first, content))
    motion, tracker = MotionEstimator(), predictor.tracker()
    pair = itertools.cycle((first, second))
    add(MOTION, lambda: motion.estimate(next(pair), content, 1 / 30))
    add(WHOLE_FRAME, lambda: tracker.push(next(pair), content, 1 / 30))
    scene = tracker.seen()
    for count in sentences:
        asked = [sentence for _, sentence in questions(predictor, count)]
        responses = predictor.respond(scene, asked)
        add(f"respond to {count}", _bound(predictor.respond, scene, asked))
        add(f"masks of {count}", _bound(predictor.decide, responses, asked, placement))
    return found


def one_thread() -> None:
    """OpenCV and PyTorch on one thread each."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def all_threads() -> None:
    """OpenCV and PyTorch on all cores."""
    cv2.setNumThreads(cores())
    torch.set_num_threads(cores())


def _bound(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: function(*arguments)


class NewSentence(Config):
    """From a text to its masks, without waiting for another frame."""

    time: Spread
    """Reading the text, filters, response, mask."""


class Soak(Config):
    """Memory over a long run with changing sentences and pauses of the camera."""

    frames: int
    """Frames pushed and answered."""
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

    return NewSentence(time=measure(change, calls))


def soak(predictor: Predictor, images: Sequence[NDArray[np.uint8]], frames: int) -> Soak:
    """Run in turn, as the node does, for so many frames and watch the memory."""
    engine = StreamingEngine(predictor)
    samples = []
    for frame, _ in turn(engine, (_with_pauses(item) for item in play(images, frames))):
        if frame.sequence % CHANGE_EVERY == 0:
            engine.set_queries(questions(predictor, 1 + frame.sequence // CHANGE_EVERY % 4))
        if frame.sequence % SAMPLE_EVERY == 0:
            samples.append(resident_mb())
    samples.append(resident_mb())
    settled = samples[min(SETTLED_FRAME // SAMPLE_EVERY, len(samples) - 1)]
    after = samples[SETTLED_FRAME // SAMPLE_EVERY :] or samples[-1:]
    return Soak(
        frames=frames,
        resets=engine.resets,
        settled_mb=settled,
        growth_mb=samples[-1] - settled,
        highest_growth_mb=max(after) - settled,
        samples_mb=tuple(samples),
    )


def _with_pauses(frame: Frame) -> Frame:
    pauses = frame.sequence // PAUSE_EVERY
    return replace(frame, stamp_ns=frame.stamp_ns + pauses * 60 * PERIOD_NS)
