"""A whole page without a model: real worker, real server, a camera thread, and its own client."""

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_engine import FakeEngine, engine, eventually, read, read_words
from page_visitor import Visit, run

from actseg_core.config import StreamConfig
from actseg_core.live.camera_task import CameraTask
from actseg_core.live.frame_checks import NANOSECONDS, StampGate
from actseg_core.live.queries import QuerySet
from actseg_core.live.worker import Worker
from actseg_core.web.commands import Commands
from actseg_core.web.config import WebConfig
from actseg_core.web.server import WebServer
from actseg_core.web.view import View

__all__ = ["engine", "eventually", "read"]  # fixtures of test/support


class Page:
    """Worker, server and a camera of 12x16 pixels at 50 Hz."""

    def __init__(self, fake: FakeEngine, **settings: Any) -> None:
        config = WebConfig.from_mapping({"port": 0, "rate_hz": 100.0, **settings})
        stream = StreamConfig(max_age_s=60.0, stale_after_s=0.5, max_gap_s=60.0)
        self.queries = QuerySet(stream.max_queries, stream.max_sentence_chars)
        self.queries.attach(read_words)
        self.view = View(self.queries, "test camera")
        self.task = CameraTask(
            fake,
            self.queries,
            self.view,
            lambda message: message.image,
            stream,
            StampGate(60.0, 60.0),
            time.time_ns,
        )
        self.worker = Worker([self.task])
        self.log: list[str] = []
        commands = Commands(self.queries, time.time_ns, self.task.queries_changed, self.log.append)
        self.server = WebServer(config, self.view, commands, self.log.append)
        self.is_sending = True
        self._ended = threading.Event()
        self._camera = threading.Thread(target=self._send, daemon=True)

    def start(self) -> None:
        self.server.start()
        self.worker.start()
        self._camera.start()

    def stop(self) -> None:
        self._ended.set()
        self._camera.join()
        self.worker.stop(10.0)
        self.server.stop()

    @property
    def address(self) -> str:
        return self.server.url.partition("#")[0]

    @property
    def processed(self) -> int:
        return self.view._health.processed

    def _send(self) -> None:
        while not self._ended.wait(0.02):
            if self.is_sending:
                seconds, nanoseconds = divmod(time.time_ns(), NANOSECONDS)
                stamp = SimpleNamespace(sec=seconds, nanosec=nanoseconds)
                header = SimpleNamespace(stamp=stamp, frame_id="cam")
                image = np.full((12, 16, 3), 90, np.uint8)
                self.task.offer(SimpleNamespace(header=header, image=image))


@pytest.fixture
def make_page(engine: FakeEngine) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def build(**settings: Any) -> Page:
        pages.append(Page(engine, **settings))
        pages[-1].start()
        return pages[-1]

    yield build
    for page in pages:
        page.stop()


@pytest.fixture
def page(make_page: Callable[..., Page]) -> Page:
    return make_page()


@pytest.fixture
def visit() -> Callable[..., Visit]:
    def begin(page: Page, origin: str | None = "", **headers: str) -> Visit:
        return Visit(page.address, origin, **headers)

    return begin


@pytest.fixture
def go() -> Callable[..., Any]:
    return run
