"""How many connections there may be, and for how long without a request."""

import asyncio
import time

from aiohttp import web

MOST = 64
WITHOUT_REQUEST_S = 10.0
LOOK_S = 1.0
GONE_S = 2.0


class Connections:
    """Accepts connections for aiohttp's server, up to MOST, and ends those that say nothing.

    A flood of connections would else take the file descriptors of the whole process, and with
    them the node's.

    Args:
        server: Makes the handler of a connection.
    """

    def __init__(self, server: web.Server) -> None:
        self._server = server
        self._silent_since_s: dict[asyncio.BaseProtocol, float] = {}

    def accept(self) -> asyncio.BaseProtocol:
        """The protocol of a new connection."""
        if len(self._server.connections) >= MOST:
            return _Refusal()
        handler = self._server()
        self._silent_since_s[handler] = time.monotonic()
        return handler

    def has_request(self, handler: asyncio.BaseProtocol) -> None:
        """A whole request has come; from here on aiohttp's own time-outs hold."""
        self._silent_since_s.pop(handler, None)

    async def watch_until(self, ended: asyncio.Event) -> None:
        """Look after the connections until there are to be none."""
        while not ended.is_set():
            self._end_silent(time.monotonic())
            try:
                async with asyncio.timeout(LOOK_S):
                    await ended.wait()
            except TimeoutError:
                continue

    def close(self) -> None:
        """End all of them."""
        for handler in list(self._server.connections):
            _abort(handler)

    def _end_silent(self, now_s: float) -> None:
        here = set(self._server.connections)
        for handler, since_s in list(self._silent_since_s.items()):
            age_s = now_s - since_s
            is_gone = handler not in here and age_s > GONE_S  # a new one is not there at once
            if is_gone or age_s > WITHOUT_REQUEST_S:
                del self._silent_since_s[handler]
                _abort(handler)


class _Refusal(asyncio.Protocol):
    """Hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


def _abort(handler: object) -> None:
    transport: asyncio.Transport | None = getattr(handler, "transport", None)
    if transport is not None:
        transport.abort()
