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
from fake_engine import engine, eventually, read
from numpy.typing import NDArray
from patience import PATIENCE_S

from actseg_core.config import StreamConfig
from actseg_core.errors import ShapeError
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
        self.worker = Worker(
            engine, self.queries, self.published, decode, self.config, self.gate, time.time_ns
        )

        self.message = message
        self.eventually = eventually
        self.done = 0
        self._count_frames_done()

    def _count_frames_done(self) -> None:
        """The worker asks for the next frame when it is through with the one before."""
        get, in_hand = self.worker.frames.get, [False]

        def counting(timeout_s: float, skip: bool = False) -> Any:
            self.done += in_hand[0]
            in_hand[0] = False
            arrival = get(timeout_s, skip)
            in_hand[0] = arrival is not None
            return arrival

        self.worker.frames.get = counting  # type: ignore[method-assign]

    def command(self, text: str) -> int:
        self.queries.command(text, 0)
        self.worker.queries_changed()
        return self.queries.snapshot()[0]

    def feed(self, count: int = 1, picture: NDArray[np.uint8] = PICTURE) -> list[int]:
        """Offer frames one by one, each taken before the next; their stamps."""
        items = [message(picture=picture) for _ in range(count)]
        for item in items:
            self.offer(item)
        return [item.stamp_ns for item in items]

    def offer(self, item: Any) -> None:
        """One frame, and wait until it is taken."""
        frames = self.worker.frames
        self.worker.offer(item)
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
