"""Counts the files that a frame and a sentence pass: python tools/trace_files.py [--list]

A frame's way begins with `CameraTask.offer` and ends with its result message; a sentence's begins
with `QuerySet.command` and ends when the engine holds it. A change is a call from a function of
one of our files to one of another, or the return from it; what other packages run between is not
counted.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import numpy as np
from sensor_msgs.msg import Image

from actseg_core.config import StreamConfig
from actseg_core.live import camera_task
from actseg_core.live.camera_task import CameraTask
from actseg_core.live.frame_checks import StampGate
from actseg_core.live.queries import QuerySet
from actseg_core.live.reports import Health, Report
from actseg_core.live.states import State
from actseg_core.live.worker import Worker
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.types import Frame
from actseg_ros.convert import decode
from actseg_ros.messages import array_message

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = tuple(f"{ROOT / name}/" for name in ("actseg_core", "actseg_ros"))
SENTENCE = "the person on the left"
MORE_FRAMES = 3
NO_HEARTBEAT_S = 3600.0  # it would be counted on the way of whatever comes then
SETTLED_S = 0.05
HEIGHT, WIDTH = 96, 128
PATIENCE_S = 600.0


class FileTrace:
    """Notes which of our files run, in order, in every thread; begin it before threads start.

    Attributes:
        visits: The files one after the other; two neighbours of one thread differ.
    """

    def __init__(self, packages: Sequence[str] = PACKAGES) -> None:
        self._packages = tuple(packages)
        self._stacks = threading.local()
        self._lock = threading.Lock()
        self._recording = False
        self.visits: list[str] = []

    def install(self) -> None:
        """Follow this thread and all that start from now on."""
        threading.setprofile(self._event)
        sys.setprofile(self._event)

    def remove(self) -> None:
        """Follow no further thread."""
        threading.setprofile(None)
        sys.setprofile(None)

    def record(self) -> None:
        """Forget what was noted and note from now on."""
        self.visits = []
        self._recording = True

    def end(self) -> list[str]:
        """Note no more; the visits."""
        self._recording = False
        return self.visits

    def _event(self, frame: FrameType, event: str, _argument: Any) -> None:
        name = frame.f_code.co_filename
        if event not in ("call", "return") or not name.startswith(self._packages):
            return
        stack: list[str] = self._stacks.__dict__.setdefault("files", [])
        before = stack[-1] if stack else ""
        if event == "call":
            stack.append(name)
        elif stack:
            stack.pop()
        now = stack[-1] if stack else ""
        if self._recording and now and now != before:
            with self._lock:
                self.visits.append(name if event == "call" else now)


def changes(visits: Sequence[str]) -> int:
    """How often the file changes along the visits; (a, b, a) changes twice."""
    return sum(one != other for one, other in pairwise(visits))


class _Publisher:
    """Makes the result message of every report, as the node does, and publishes nothing."""

    def __init__(self) -> None:
        self.made = threading.Event()
        self.trace: FileTrace | None = None
        self.visits: list[str] = []

    def wants_image(self) -> bool:
        return False

    def prepare(self, report: Report) -> Callable[[], None]:
        array_message(report, time.time_ns())
        if report.answers and self.trace is not None:
            self.visits = self.trace.end()
            self.made.set()
        return lambda: None

    def idle_image(self, frame: Frame) -> None:
        pass

    def forget_stamps(self) -> None:
        pass

    def health(self, health: Health) -> None:
        pass

    def fault(self, state: State, text: str) -> None:
        raise RuntimeError(f"{state.name}: {text}")


class _Engine(StreamingEngine):
    """Tells when sentences have come to it."""

    def __init__(self, predictor: Predictor, config: StreamConfig) -> None:
        super().__init__(predictor, config)
        self.asked = threading.Event()
        self.trace: FileTrace | None = None
        self.visits: list[str] = []

    def set_queries(self, queries: Sequence[Any]) -> None:
        super().set_queries(queries)
        if queries and self.trace is not None:
            self.visits = self.trace.end()
            self.asked.set()


def _image(index: int) -> Image:
    pixels = np.random.default_rng(index // 100).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    message = Image(height=HEIGHT, width=WIDTH, encoding="rgb8", step=3 * WIDTH)
    message.data = pixels.tobytes()
    stamp_ns = 10**18 + index * 33_000_000
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    return message


def traced_ways(predictor: Predictor) -> tuple[list[str], list[str]]:
    """The files on the way of one frame of a running stream, and of one sentence.

    Raises:
        TimeoutError: If no answer comes.
    """
    with mock.patch.object(camera_task, "HEARTBEAT_S", NO_HEARTBEAT_S):
        return _traced_ways(predictor)


def _traced_ways(predictor: Predictor) -> tuple[list[str], list[str]]:
    trace = FileTrace()
    config = StreamConfig(max_age_s=600.0, stale_after_s=60.0)
    engine, publisher = _Engine(predictor, config), _Publisher()
    queries = QuerySet(config.max_queries, config.max_sentence_chars)
    queries.attach(predictor.read)
    gate = StampGate(config.max_age_s, 0.1, check_clock=False)
    task = CameraTask(
        engine,
        queries,
        publisher,
        lambda message: decode(message, config.max_pixels),
        config,
        gate,
        time.time_ns,
        check_clock=False,
    )
    worker = Worker([task])
    trace.install()
    try:
        worker.start()
        time.sleep(SETTLED_S)
        sentences, frames = [], []
        engine.trace = trace
        for text in (SENTENCE, SENTENCE + " again", SENTENCE):
            engine.asked.clear()
            trace.record()
            queries.command(text, time.time_ns())
            task.queries_changed()
            _wait(engine.asked)
            sentences.append(engine.visits)
            time.sleep(SETTLED_S)  # the worker goes on a little
        engine.trace, window = None, predictor.config.frames
        for index in range(window - 1):
            task.offer(_image(index))
            _until(partial(_has_taken, engine, index + 1))
        publisher.trace = trace
        for index in range(window - 1, window + MORE_FRAMES):
            publisher.made.clear()
            trace.record()
            task.offer(_image(index))
            _wait(publisher.made)
            frames.append(publisher.visits)
            time.sleep(SETTLED_S)
    finally:
        trace.remove()
        worker.stop(PATIENCE_S)
        engine.close()
    # The first frame and the first sentence are left out: they make what the others use again.
    return min(frames[1:], key=len), min(sentences[1:], key=len)


def _has_taken(engine: StreamingEngine, frames: int) -> bool:
    return engine.filled == frames


def _wait(event: threading.Event) -> None:
    if not event.wait(PATIENCE_S):
        raise TimeoutError(f"no answer within {PATIENCE_S:g} s")


def _until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end_s:
            raise TimeoutError(f"no frame was taken in within {PATIENCE_S:g} s")
        time.sleep(0.005)


def main() -> None:
    """Print both counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="lite", help="preset or checkpoint")
    parser.add_argument("--list", action="store_true", help="print the files in their order, too")
    given = parser.parse_args()
    for name, visits in zip(
        ("frame", "sentence"), traced_ways(Predictor.load(given.preset)), strict=True
    ):
        different = len({pair for pair in pairwise(visits) if pair[0] != pair[1]})
        print(
            f"{name}: {changes(visits)} changes of file ({different} different ones), "
            f"{len(set(visits))} files"
        )
        if given.list:
            print("\n".join(f"  {Path(visit).relative_to(ROOT)}" for visit in visits))


if __name__ == "__main__":
    main()
