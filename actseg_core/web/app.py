"""What there is at which address: four files of the package and one websocket, nothing else."""

import asyncio
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Executor
from importlib import resources
from typing import TypeVar
from weakref import WeakSet

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.typedefs import Handler

from actseg_core.errors import WebError
from actseg_core.web.client import Client
from actseg_core.web.commands import Commands
from actseg_core.web.config import WebConfig
from actseg_core.web.pictures import Shown, facts, jpeg, message
from actseg_core.web.protocol import MAX_MESSAGE_BYTES, Command, Token, read_message
from actseg_core.web.quality import Quality
from actseg_core.web.security import HEADERS, RateLimit, is_token, refused_host, refused_origin
from actseg_core.web.view import View

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
MAX_BODY_BYTES = 1024
PING_S = 10.0
TOKEN_TIMEOUT_S = 10.0
WRONG_TOKENS_AT_ONCE, WRONG_TOKENS_PER_S = 10, 0.5
FULL = WSCloseCode.TRY_AGAIN_LATER
Result = TypeVar("Result")
WANTS_TOKEN = 4001  # of the range that is ours; page.js knows it


class App:
    """Requests of all browsers; on the server's loop.

    Args:
        config: Limits.
        view: What there is to see.
        commands: Changes the sentences.
        token: The secret that browsers must know; empty: none.
        pool: One thread that encodes and obeys.

    Attributes:
        has_request: Called with the connection of each request.
    """

    def __init__(
        self, config: WebConfig, view: View, commands: Commands, token: str, pool: Executor
    ) -> None:
        self._config, self._view, self._commands = config, view, commands
        self._token, self._pool = token, pool
        self._run_id = secrets.token_hex(8)
        folder = resources.files("actseg_core") / "web" / "page"
        self._files = {
            path: (folder.joinpath(name).read_bytes(), kind)
            for path, (name, kind) in FILES.items()
        }
        self._clients: set[Client] = set()
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._encoded: dict[Quality, tuple[int, asyncio.Task[bytes]]] = {}
        self._facts: tuple[int, bytes] = (0, b"")
        self._wrong_tokens = RateLimit(WRONG_TOKENS_AT_ONCE, WRONG_TOKENS_PER_S)
        self.has_request: Callable[[asyncio.BaseProtocol], None] = lambda handler: None

    def application(self) -> web.Application:
        """For aiohttp."""
        application = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY_BYTES)
        for path in FILES:
            application.router.add_get(path, self._on_file)
        application.router.add_get("/live", self._on_live)
        return application

    def wake(self) -> None:
        """Tell all browsers that there is something new."""
        for client in self._clients:
            client.wake()

    async def close(self) -> None:
        """Say goodbye."""
        goodbyes = [
            one.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends", drain=False)
            for one in list(self._sockets)
        ]
        await asyncio.gather(*goodbyes, return_exceptions=True)

    # ------------------------------------------------------------------------------ requests
    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.protocol is not None:
            self.has_request(request.protocol)
        why = refused_host(request.headers.get("Host", ""), self._config.is_local)
        if why:
            return _with_headers(web.Response(status=403, text=f"{why}\n"))
        try:
            return _with_headers(await handler(request))
        except web.HTTPException as error:
            return _with_headers(web.Response(status=error.status, text=f"{error.reason}\n"))

    async def _on_file(self, request: web.Request) -> web.Response:
        content, kind = self._files[request.path]
        return web.Response(body=content, content_type=kind, charset="utf-8")

    async def _on_live(self, request: web.Request) -> web.StreamResponse:
        why = refused_origin(request.headers.get("Origin"), request.host)
        if why:
            return web.Response(status=403, text=f"{why}\n")
        live = web.WebSocketResponse(
            max_msg_size=MAX_MESSAGE_BYTES, heartbeat=PING_S, compress=False, timeout=2.0
        )
        await live.prepare(request)
        self._sockets.add(live)
        if self._token and not await self._knows_token(live):
            await live.close(code=WANTS_TOKEN, message=b"the page wants its token")
        elif len(self._clients) >= self._config.max_clients:
            text = f"{len(self._clients)} browsers look already, as many as may"
            await live.close(code=FULL, message=text.encode())
        else:
            await self._serve(live)
        return live

    async def _serve(self, live: web.WebSocketResponse) -> None:
        client = Client(live, self._view, self._encode, self._obey, self._config.rate_hz)
        self._clients.add(client)
        try:
            await client.serve({"kind": "hello", "name": self._view.name, "run": self._run_id})
        finally:
            self._clients.discard(client)

    async def _knows_token(self, live: web.WebSocketResponse) -> bool:
        try:
            item = await live.receive(TOKEN_TIMEOUT_S)
            said = read_message(item.data) if item.type is WSMsgType.TEXT else None
        except (TimeoutError, WebError):
            return False
        if isinstance(said, Token) and is_token(said.token, self._token):
            return True
        is_guess = not isinstance(said, Token) or bool(said.token)  # a page asks with an empty one
        if is_guess and not self._wrong_tokens.allows(time.monotonic()):
            await asyncio.sleep(TOKEN_TIMEOUT_S)  # somebody is guessing
        return False

    # ------------------------------------------------------------------- in the pool's thread
    async def _encode(self, shown: Shown, quality: Quality) -> bytes:
        """A frame's bytes, made once for all browsers that want them alike."""
        number, task = self._encoded.get(quality, (0, None))
        if task is None or number != shown.number:
            loop = asyncio.get_running_loop()
            task = loop.create_task(self._in_pool(lambda: self._make(shown, quality)))
            self._encoded[quality] = shown.number, task
        return await asyncio.shield(task)

    def _make(self, shown: Shown, quality: Quality) -> bytes:
        if self._facts[0] != shown.number:
            self._facts = shown.number, facts(shown)
        return message(self._facts[1], jpeg(shown.image, quality, self._config.max_side_px))

    async def _obey(self, command: Command) -> str:
        return await self._in_pool(lambda: self._commands.obey(command))

    async def _in_pool(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)


def _with_headers(response: web.StreamResponse) -> web.StreamResponse:
    if not response.prepared:
        response.headers.update(HEADERS)
    return response
