"""A worker with a small engine, and a list in place of the topics."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_engine import FakeEngine, engine, eventually, read
from numpy.typing import NDArray
from patience import PATIENCE_S

from actseg_core.config import StreamConfig
from actseg_core.errors import ShapeError
from actseg_core.live.camera_task import CameraTask
from actseg_core.live.frame_checks import StampGate
from actseg_core.live.queries import QuerySet
from actseg_core.live.reports import Health, Report
from actseg_core.live.states import State
from actseg_core.live.worker import Worker
from actseg_core.types import Frame

__all__ = ["engine", "eventually", "read"]  # fixtures of test/support
PICTURE = np.zeros((8, 12, 3), np.uint8)


def message(stamp_ns: int | None = None, picture: NDArray[np.uint8] | None = PICTURE) -> Any:
    stamp_ns = time.time_ns() if stamp_ns is None else stamp_ns
    stamp = SimpleNamespace(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=stamp, frame_id="cam"), picture=picture, stamp_ns=stamp_ns
    )


def decode(item: Any) -> NDArray[np.uint8]:
    if item.picture is None:
        raise ShapeError("encoding 'what' is not known; accepted are rgb8")
    picture: NDArray[np.uint8] = item.picture
    return picture


@dataclass
class ListPublisher:
    """Keeps what would be published, with the thread that did it."""

    reports: list[Report] = field(default_factory=list)
    beats: list[tuple[float, Health]] = field(default_factory=list)
    faults: list[tuple[State, str]] = field(default_factory=list)
    pictures: list[Frame] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    forgotten: int = 0
    overlay: bool = False
    fail: bool = False

    def wants_image(self) -> bool:
        return self.overlay

    def prepare(self, report: Report) -> Callable[[], None]:
        self.threads.add(threading.get_ident())
        if self.fail:
            raise OSError("the middleware is out of memory")
        return lambda: self.reports.append(report)

    def idle_image(self, frame: Frame) -> None:
        self.pictures.append(frame)

    def forget_stamps(self) -> None:
        self.forgotten += 1

    def health(self, health: Health) -> None:
        self.threads.add(threading.get_ident())
        self.beats.append((time.monotonic(), health))

    def fault(self, state: State, text: str) -> None:
        self.faults.append((state, text))

    @property
    def state(self) -> State | None:
        return self.beats[-1][1].state if self.beats else None


class Bench:
    """A worker with its surroundings."""

    def __init__(self, engine: Any, read: Any, eventually: Any, **settings: Any) -> None:
        self.engine, self.published = engine, ListPublisher()
        self.config = StreamConfig(**{"stale_after_s": 60.0, "max_age_s": 60.0, **settings})
        self.queries = QuerySet(4, 100)
        self.queries.attach(read)
        self.gate = StampGate(self.config.max_age_s, 0.2)
        self.task = CameraTask(
            engine, self.queries, self.published, decode, self.config, self.gate, time.time_ns
        )
        self.worker = Worker([self.task])

        self.message = message
        self.eventually = eventually
        self.done = 0
        self._count_frames_done()

    def _count_frames_done(self) -> None:
        """A frame is done when the turn in which it was taken is over."""
        get, turn, taken = self.task.frames.get, self.task.turn, [0]

        def counting(timeout_s: float, skip: bool = False) -> Any:
            arrival = get(timeout_s, skip)
            taken[0] += arrival is not None
            return arrival

        def turning() -> None:
            turn()
            self.done = taken[0]

        self.task.frames.get = counting  # type: ignore[method-assign]
        self.task.turn = turning  # type: ignore[method-assign]

    def command(self, text: str) -> int:
        self.queries.command(text, 0)
        self.task.queries_changed()
        return self.queries.snapshot()[0]

    def feed(self, count: int = 1, picture: NDArray[np.uint8] = PICTURE) -> list[int]:
        """Offer frames one by one, each taken before the next; their stamps."""
        items = [message(picture=picture) for _ in range(count)]
        for item in items:
            self.offer(item)
        return [item.stamp_ns for item in items]

    def offer(self, item: Any) -> None:
        """One frame, and wait until it is taken."""
        frames = self.task.frames
        self.task.offer(item)
        self.eventually(lambda: self.done + frames.dropped == frames.received)

    @contextmanager
    def held(self) -> Iterator[threading.Event]:
        """Let the engine wait inside an answer; the event says when it does."""
        answer, at_work, go_on = self.engine.answer, threading.Event(), threading.Event()

        def wait() -> Any:
            at_work.set()
            go_on.wait(PATIENCE_S)
            return answer()

        self.engine.answer = wait
        try:
            yield at_work
        finally:
            self.engine.answer = answer
            go_on.set()

    def answers(self) -> list[Report]:
        return [report for report in self.published.reports if report.answers]


@pytest.fixture
def start(engine: Any, read: Any, eventually: Any) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**settings: Any) -> Bench:
        bench = Bench(engine, read, eventually, **settings)
        made.append(bench)
        bench.worker.start()
        return bench

    yield make
    for bench in made:
        assert bench.worker.stop(PATIENCE_S)


class OneCamera:
    """A camera's part of a worker with its own sentences, engine and list of what goes out."""

    def __init__(self, read: Any, order: list[str], name: str, **settings: Any) -> None:
        self.engine, self.published, self.name = FakeEngine(), ListPublisher(), name
        self.queries = QuerySet(4, 100)
        self.queries.attach(read)
        config = StreamConfig(
            **{"stale_after_s": 60.0, "max_age_s": 60.0, "queue_frames": 4, **settings}
        )
        gate = StampGate(60.0, 0.2)
        self.task = CameraTask(
            self.engine, self.queries, self.published, decode, config, gate, time.time_ns
        )
        push = self.engine.push

        def noting(frame: Any) -> None:
            order.append(name)
            push(frame)

        self.engine.push = noting  # type: ignore[method-assign]

    def command(self, text: str) -> None:
        self.queries.command(text, 0)
        self.task.queries_changed()

    def send(self, count: int) -> None:
        for _ in range(count):
            self.task.offer(message(picture=PICTURE))

    def answers(self) -> list[Any]:
        return [report for report in self.published.reports if report.answers]


@pytest.fixture
def order() -> list[str]:
    """Whose frames were taken in, one after the other."""
    return []


@pytest.fixture
def work(read: Any, order: list[str]) -> Iterator[Callable[..., tuple[OneCamera, ...]]]:
    """Makes cameras on one worker; `begin` starts it."""
    workers: list[Worker] = []

    def make(*names: str, begin: bool = True, **settings: Any) -> tuple[OneCamera, ...]:
        cameras = tuple(OneCamera(read, order, name, **settings) for name in names)
        workers.append(Worker([camera.task for camera in cameras]))
        for camera in cameras:
            camera.worker = workers[-1]  # type: ignore[attr-defined]
        if begin:
            workers[-1].start()
        return cameras

    yield make
    for worker in workers:
        assert worker.stop(PATIENCE_S)
