"""The page's HTTP and websocket server, in threads of low priority that end nothing else."""

import asyncio
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from aiohttp import web

from actseg_core.errors import WebError
from actseg_core.web.app import App
from actseg_core.web.commands import Commands
from actseg_core.web.config import WebConfig
from actseg_core.web.connections import Connections
from actseg_core.web.pictures import start_threads
from actseg_core.web.view import View

NICENESS = 10
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
WAITING_CONNECTIONS = 16


class WebServer:
    """Serves one view.

    Args:
        config: Where to listen, and limits.
        view: What there is to see.
        commands: Changes the sentences.
        log: Told in one line what goes wrong.

    Attributes:
        token: The secret that browsers must know; empty: none is wanted.
    """

    def __init__(
        self,
        config: WebConfig,
        view: View,
        commands: Commands,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._config, self._view, self._commands, self._log = config, view, commands, log
        self.token = config.token or ("" if config.is_local else secrets.token_urlsafe(18))
        self._socket: socket.socket | None = None
        self._port = config.port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="actseg_web", daemon=True)

    @property
    def url(self) -> str:
        """What to type into a browser, with the secret behind # where it is never sent."""
        host = self._config.host
        if host in ("0.0.0.0", "::", ""):
            host = socket.gethostname()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self._port}/" + (f"#{self.token}" if self.token else "")

    @property
    def is_running(self) -> bool:
        """Whether the page can be opened."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Listen; once only, and returns at once.

        Raises:
            WebError: If the address cannot be had.
        """
        self._socket = self._listen()
        start_threads()
        self._port = self._socket.getsockname()[1]
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and end the thread."""
        if self._thread.is_alive():
            self._ready.wait(START_TIMEOUT_S)
        loop, ended = self._loop, self._ended
        self._view.changed = lambda: None
        if loop is not None and ended is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(ended.set)
            self._thread.join(STOP_TIMEOUT_S)

    def _listen(self) -> socket.socket:
        host, port = self._config.host, self._config.port
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, port), family=family, backlog=WAITING_CONNECTIONS)
        except (OSError, UnicodeError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise WebError(
                f"the page cannot be served at {host}:{port}: {reason}; choose another port or "
                "address, or end what listens there"
            ) from error

    # -------------------------------------------------------------------- the server's thread
    def _run(self) -> None:
        be_nice()
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._log(f"the page is gone, {type(error).__name__}: {error}")
        finally:
            self._view.changed = lambda: None
            self._view.watchers = 0
            self._ready.set()

    async def _serve(self) -> None:
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_error)
        self._loop, self._ended = loop, asyncio.Event()
        with ThreadPoolExecutor(1, "actseg_web_jpeg", initializer=be_nice) as pool:
            app = App(self._config, self._view, self._commands, self.token, pool)
            self._view.changed = lambda: _call(loop, app.wake)
            runner = web.AppRunner(
                app.application(),
                access_log=None,
                logger=self._quiet_logger(),
                keepalive_timeout=15.0,
                shutdown_timeout=CLOSE_TIMEOUT_S,
            )
            await runner.setup()
            assert runner.server is not None
            connections = Connections(runner.server)
            app.has_request = connections.has_request
            server = await loop.create_server(connections.accept, sock=self._socket)
            self._ready.set()
            try:
                await connections.watch_until(self._ended)
            finally:
                server.close()
                await app.close()
                connections.close()
                await runner.cleanup()

    def _on_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, (ConnectionError, TimeoutError)):
            self._log(f"page: {context.get('message')}: {error!r}")

    def _quiet_logger(self) -> logging.Logger:
        """Requests that make no sense are no news; what is raised in here is, now and then."""
        logger = logging.Logger("actseg_web", logging.ERROR)
        logger.addHandler(_OneLine(self._log))
        return logger


class _OneLine(logging.Handler):
    """Hands on the last line of an error, once in a few seconds."""

    EVERY_S = 5.0

    def __init__(self, log: Callable[[str], None]) -> None:
        super().__init__()
        self._log, self._next_s = log, 0.0

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, web.HTTPException) or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + self.EVERY_S
        self._log(f"page: {record.getMessage()}" + (f": {error!r}" if error else ""))


def be_nice() -> None:
    """Let this thread wait for all others, where the system can tell threads apart (Linux)."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has just been closed
        loop.call_soon_threadsafe(function)
