"""A browser's side of the page, spoken by aiohttp's client."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
from patience import PATIENCE_S

Result = TypeVar("Result")


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

    @property
    def texts(self) -> list[str]:
        """The sentences of the newest status, which comes sooner or later than a picture."""
        return [item["text"] for item in self.statuses[-1]["sentences"]]

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
        while not self._holds(condition):
            assert time.monotonic() < end_s, f"not within {PATIENCE_S:g} s: {what}"
            assert await self.step(), f"hung up: {self.socket.close_code}"

    @staticmethod
    def _holds(condition: Callable[[], Any]) -> bool:
        try:
            return bool(condition())
        except IndexError:  # the newest of what has not come yet
            return False

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
    """`async with Visit(address) as browser`; `origin` and other headers as wanted."""

    def __init__(self, address: str, origin: str | None = "", **headers: str) -> None:
        self._address, self._headers = address, headers
        self._origin = address.rstrip("/") if origin == "" else origin

    async def __aenter__(self) -> Browser:
        self._session = aiohttp.ClientSession()
        try:
            socket = await self._session.ws_connect(
                f"{self._address}live", origin=self._origin, headers=self._headers
            )
        except BaseException:
            await self._session.close()
            raise
        return Browser(socket)

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    async def whole() -> Result:
        async with asyncio.timeout(2 * PATIENCE_S):
            return await work()

    return asyncio.run(whole())
