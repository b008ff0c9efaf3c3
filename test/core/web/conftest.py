"""A whole page without a model: real worker, real server, a camera thread, and its own client."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeVar

import aiohttp
import numpy as np
import pytest
from fake_engine import FakeEngine, engine, eventually, read, read_words

from actseg_core.config import StreamConfig
from actseg_core.live.frame_checks import NANOSECONDS, StampGate
from actseg_core.live.queries import QuerySet
from actseg_core.live.worker import Worker
from actseg_core.web.commands import Commands
from actseg_core.web.config import WebConfig
from actseg_core.web.server import WebServer
from actseg_core.web.view import View

__all__ = ["engine", "eventually", "read"]  # fixtures of test/support
PATIENCE_S = 60.0
Result = TypeVar("Result")


class Page:
    """Worker, server and a camera of 12x16 pixels at 50 Hz."""

    def __init__(self, fake: FakeEngine, **settings: Any) -> None:
        config = WebConfig.from_mapping({"port": 0, "rate_hz": 100.0, **settings})
        stream = StreamConfig(max_age_s=60.0, stale_after_s=0.5, max_gap_s=60.0)
        self.queries = QuerySet(stream.max_queries, stream.max_sentence_chars)
        self.queries.attach(read_words)
        self.view = View(self.queries, "test camera")
        self.worker = Worker(
            fake,
            self.queries,
            self.view,
            lambda message: message.image,
            stream,
            StampGate(60.0, 60.0),
            time.time_ns,
        )
        self.log: list[str] = []
        commands = Commands(
            self.queries, time.time_ns, self.worker.queries_changed, self.log.append
        )
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
    def origin(self) -> str:
        return self.address.rstrip("/")

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
                self.worker.offer(SimpleNamespace(header=header, image=image))


class Browser:
    """One websocket as the page uses it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.pictures: list[dict[str, Any]] = []
        self.jpegs: list[bytes] = []
        self.statuses: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []
        self.draws = True
        self._calls = 0

    async def step(self) -> bool:
        """Take one message; False if the server has hung up."""
        item = await self.socket.receive(PATIENCE_S)
        if item.type is aiohttp.WSMsgType.BINARY:
            length = int.from_bytes(item.data[:4], "big")
            self.pictures.append(json.loads(item.data[4 : 4 + length]))
            self.jpegs.append(item.data[4 + length :])
            if self.draws:
                await self.socket.send_json({"do": "got", "number": self.pictures[-1]["number"]})
        elif item.type is aiohttp.WSMsgType.TEXT:
            content = json.loads(item.data)
            (self.statuses if content["kind"] == "status" else self.others).append(content)
        else:
            return False
        return True

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, f"not within {PATIENCE_S:g} s: {what}"
            assert await self.step(), f"hung up: {self.socket.close_code}"

    async def call(self, **message: Any) -> dict[str, Any]:
        self._calls += 1
        number = self._calls
        await self.socket.send_json({**message, "call": number})
        await self.until(lambda: self.reply(number), f"a reply to {message}")
        return self.reply(number)

    def reply(self, number: int) -> Any:
        return next((one for one in self.others if one.get("call") == number), None)

    async def closed(self) -> int | None:
        while await self.step():
            pass
        return self.socket.close_code


class Visit:
    """`async with Visit(page) as browser`; `origin` and other headers as wanted."""

    def __init__(self, page: Page, origin: str | None = "", **headers: str) -> None:
        self._page, self._headers = page, headers
        self._origin = page.origin if origin == "" else origin

    async def __aenter__(self) -> Browser:
        self._session = aiohttp.ClientSession()
        try:
            socket = await self._session.ws_connect(
                f"{self._page.address}live", origin=self._origin, headers=self._headers
            )
        except BaseException:
            await self._session.close()
            raise
        return Browser(socket)

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    async def whole() -> Result:
        async with asyncio.timeout(4 * PATIENCE_S):
            return await work()

    return asyncio.run(whole())


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
def visit() -> type[Visit]:
    return Visit


@pytest.fixture
def go() -> Callable[..., Any]:
    return run
