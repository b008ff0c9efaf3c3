"""One browser: what it is sent, at the pace at which it draws, and what it says."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from actseg_core.errors import ActSegError, WebError
from actseg_core.web.pictures import Shown
from actseg_core.web.protocol import WRONG_ALLOWED, Command, Got, Message, Watch, read_message
from actseg_core.web.quality import Quality, QualityControl
from actseg_core.web.security import RateLimit
from actseg_core.web.view import View

STATUS_S = 0.5
ON_THE_WAY = 2  # pictures sent and not yet drawn
LOST_S = 10.0  # a picture that is not drawn within this long is taken for lost
COMMANDS_AT_ONCE, COMMANDS_PER_S = 10, 5.0
MESSAGES_AT_ONCE, MESSAGES_PER_S = 300, 150.0
Encode = Callable[[Shown, Quality], Awaitable[bytes]]
Obey = Callable[[Command], Awaitable[str]]


class Client:
    """Sends the newest frame whenever the one before it has been drawn, and never waits in line.

    Args:
        socket: Open, and allowed to be here.
        view: What there is to see.
        encode: Makes a frame's bytes.
        obey: Does what was said; returns a remark.
        rate_hz: Pictures per second [Hz] at most.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        view: View,
        encode: Encode,
        obey: Obey,
        rate_hz: float,
    ) -> None:
        self._socket, self._view = socket, view
        self._encode, self._obey = encode, obey
        self._interval_s = 1.0 / rate_hz
        self._news = asyncio.Event()
        self._quality = QualityControl()
        self._sent: dict[int, tuple[float, Quality]] = {}
        self._newest = 0
        self._next_s = self._status_s = 0.0
        self._is_watching = False
        self._commands = RateLimit(COMMANDS_AT_ONCE, COMMANDS_PER_S)
        self._messages = RateLimit(MESSAGES_AT_ONCE, MESSAGES_PER_S)
        self._wrong = 0

    def wake(self) -> None:
        """There is something new; on the server's loop."""
        self._news.set()

    async def serve(self, hello: dict[str, Any]) -> None:
        """Talk until the browser goes."""
        self._watch(True)
        sender = asyncio.create_task(self._send_all(hello))
        try:
            async for item in self._socket:
                if item.type is not WSMsgType.TEXT:
                    await self._refuse("only text is taken here")
                elif not self._messages.allows(time.monotonic()):
                    await self._close("too many messages")
                else:
                    await self._hear(item.data)
        finally:
            self._watch(False)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    # ------------------------------------------------------------------------ to the browser
    async def _send_all(self, hello: dict[str, Any]) -> None:
        try:
            await self._socket.send_json(hello)
            while not self._socket.closed:
                self._news.clear()
                await self._send_status()
                await self._send_picture()
                await self._wait()
        except ConnectionError:
            pass  # the browser has gone; `serve` hears of it, too

    async def _wait(self) -> None:
        now_s = time.monotonic()
        until_s = self._status_s + STATUS_S
        if self._is_due() and self._next_s > now_s:
            until_s = min(until_s, self._next_s)
        try:
            async with asyncio.timeout(max(0.0, until_s - now_s)):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _send_status(self) -> None:
        """Every half second, and at once when state or sentences have changed."""
        now_s, status = time.monotonic(), self._view.status()
        key = (status["state"], status["revision"], [one["state"] for one in status["sentences"]])
        if now_s < self._status_s + STATUS_S and key == self._told:
            return
        self._told, self._status_s = key, now_s
        await self._socket.send_json(status)

    _told: tuple[Any, ...] = ()

    def _is_due(self) -> bool:
        """Whether a newer frame is there and the browser is ready for it."""
        now_s = time.monotonic()
        for number in [n for n, (at_s, _) in self._sent.items() if now_s - at_s > LOST_S]:
            del self._sent[number]
        shown = self._view.newest
        return (
            self._is_watching
            and shown is not None
            and shown.number > self._newest
            and len(self._sent) < ON_THE_WAY
        )

    async def _send_picture(self) -> None:
        shown, now_s = self._view.newest, time.monotonic()
        if shown is None or not self._is_due() or now_s < self._next_s:
            return
        quality = self._quality.quality
        self._newest = shown.number
        content = await self._encode(shown, quality)
        self._next_s = max(self._next_s + self._interval_s, now_s)
        self._sent[shown.number] = (time.monotonic(), quality)
        await self._socket.send_bytes(content)

    # ---------------------------------------------------------------------- from the browser
    async def _hear(self, text: str) -> None:
        try:
            message = read_message(text)
        except WebError as error:
            await self._refuse(str(error))
            return
        await self._take(message)

    async def _take(self, message: Message) -> None:
        if isinstance(message, Got):
            sent = self._sent.pop(message.number, None)
            if sent is not None:
                self._quality.drawn_after(time.monotonic() - sent[0], sent[1])
                self._news.set()
        elif isinstance(message, Watch):
            self._watch(message.on)
        elif isinstance(message, Command):
            await self._reply(message)

    async def _reply(self, command: Command) -> None:
        told, error = "", ""
        if not self._commands.allows(time.monotonic()):
            error = f"more than {COMMANDS_PER_S:g} changes per second; say it again a bit later"
        else:
            try:
                told = await self._obey(command)
            except ActSegError as refusal:
                error = str(refusal)
        await self._socket.send_json(
            {"kind": "reply", "call": command.call, "error": error, "remark": told}
        )
        self._news.set()

    def _watch(self, is_watching: bool) -> None:
        if is_watching != self._is_watching:
            self._is_watching = is_watching
            self._view.watchers += 1 if is_watching else -1
            self._sent.clear()
            self._news.set()

    async def _refuse(self, why: str) -> None:
        self._wrong += 1
        if self._wrong > WRONG_ALLOWED:
            await self._close("too many messages that make no sense")
        else:
            await self._socket.send_json({"kind": "refused", "why": why})

    async def _close(self, why: str) -> None:
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=why.encode())
