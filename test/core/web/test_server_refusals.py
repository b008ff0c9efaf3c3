"""What the page's server refuses: foreign pages, wrong requests, and more than it can serve."""

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from patience import PATIENCE_S

from actseg_core.web import connections


async def get(page: Any, path: str, method: str = "GET", **options: Any) -> tuple[int, Any, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, page.address.rstrip("/") + path, **options) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://[", "file://"])
def test_a_foreign_page_gets_no_websocket(page, visit, go, origin) -> None:
    async def work() -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with visit(page, origin):
                pass
        assert refused.value.status == 403

    go(work)


def test_a_foreign_name_for_this_machine_is_refused(page, visit, go) -> None:
    """As in DNS rebinding, where origin and host agree."""
    port = urlsplit(page.address).port

    async def work() -> None:
        host = f"evil.example:{port}"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with visit(page, f"http://{host}", Host=host):
                pass
        assert refused.value.status == 403
        status, _, body = await get(page, "/", headers={"Host": host})
        assert status == 403 and b"for this machine only" in body
        status, _, _ = await get(page, "/", headers={"Host": f"localhost:{port}"})
        assert status == 200

    go(work)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
def test_the_page_asks_nobody_else_for_anything(page, go, path, kind) -> None:
    async def work() -> None:
        status, headers, body = await get(page, path)
        assert status == 200 and headers["Content-Type"].startswith(kind)
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        text = body.decode().replace("http://www.w3.org/2000/svg", "")  # a name, no address
        assert "http://" not in text and "https://" not in text
        assert "innerHTML" not in text and "eval(" not in text

    go(work)


@pytest.mark.parametrize(
    "path",
    [
        *("/../../pyproject.toml", "/page/../../config.py", "/%2e%2e/%2e%2e/etc/passwd"),
        *("/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/page.js/", "/config.py", "/index.html"),
    ],
)
def test_nothing_of_the_file_system_is_served(page, path) -> None:
    told = raw(
        page, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert told.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), told[:80]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_the_page_can_only_be_read(page, go, method) -> None:
    async def work() -> None:
        status, _, _ = await get(page, "/", method, data=b"x" * 100)
        assert status == 405

    go(work)


def test_on_the_network_a_token_is_wanted(make_page, visit, go) -> None:
    page = make_page(host="0.0.0.0")
    token = page.server.token
    assert len(token) >= 20 and page.server.url.endswith(f"/#{token}")
    port = urlsplit(page.server.url).port
    page.server._config = page.server._config.model_copy(update={"host": "127.0.0.1"})
    assert urlsplit(page.address).port == port

    async def work() -> None:
        for first in ({"do": "watch", "on": True}, {"do": "token", "token": "wrong" * 5}):
            async with visit(page) as browser:
                await browser.socket.send_json(first)
                assert await browser.closed() == 4001
                assert browser.statuses == browser.pictures == browser.others == []
        async with visit(page) as browser:
            await browser.socket.send_json({"do": "token", "token": token})
            await browser.until(lambda: browser.pictures and browser.statuses)

    go(work)


def test_two_servers_make_two_tokens(make_page) -> None:
    tokens = {make_page(host="0.0.0.0").server.token for _ in range(2)}
    assert len(tokens) == 2


def test_one_browser_more_than_allowed_is_turned_away_until_one_goes(
    make_page, visit, go, eventually
) -> None:
    page = make_page(max_clients=2)

    async def work() -> None:
        async with visit(page) as one:
            async with visit(page) as other:
                await one.until(lambda: one.pictures)
                await other.until(lambda: other.pictures)
                async with visit(page) as third:
                    assert await third.closed() == 1013
            await asyncio.get_running_loop().run_in_executor(
                None, eventually, lambda: page.view.watchers == 1
            )
            async with visit(page) as third:
                await third.until(lambda: third.pictures)

    go(work)


async def first_picture(visit: Any, page: Any) -> Any:
    async with visit(page) as browser:
        await browser.until(lambda: browser.pictures, "a picture")
        return browser.pictures[0]


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_malformed_requests_are_refused_and_nothing_is_lost(
    page, visit, go, eventually, count
) -> None:
    chance = random.Random(18)
    assert go(lambda: first_picture(visit, page))  # the server has opened all that it needs
    files = len(os.listdir("/proc/self/fd"))

    async def flood(browser: Any) -> None:
        for number in range(count // 2):
            await asyncio.get_running_loop().run_in_executor(
                None, raw, page, rubbish(chance), True
            )
            if number % 50 == 0:
                seen = len(browser.pictures)
                await browser.until(lambda n=seen: len(browser.pictures) > n, "pictures go on")

    async def nonsense() -> int:
        """Messages on a websocket; the server hangs up now and then."""
        sent = 0
        while sent < count // 2:
            async with visit(page) as other:
                while sent < count // 2 and not other.socket.closed:
                    try:
                        await other.socket.send_str(bad_message(chance))
                        sent += 1
                        await other.step()
                    except (ConnectionError, aiohttp.ClientError):
                        break
        return sent

    async def work() -> None:
        async with visit(page) as browser:
            assert (await browser.call(do="ask", text="a dog"))["error"] == ""
            before = page.processed
            await flood(browser)
            assert await nonsense() == count // 2
            assert (await browser.call(do="add", text="a cat"))["error"] == ""
            await browser.until(lambda: len(browser.pictures[-1]["answers"]) == 2)
            await browser.until(lambda: page.processed > before + 50)
            await browser.until(lambda: browser.texts == ["a dog", "a cat"])

    go(work)
    assert page.server.is_running
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= files + 2, what="files are closed")


def test_a_connection_that_says_nothing_is_ended(make_page, monkeypatch) -> None:
    monkeypatch.setattr(connections, "WITHOUT_REQUEST_S", 0.2)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)
    page = make_page()
    place = ("127.0.0.1", urlsplit(page.address).port)
    with socket.create_connection(place, PATIENCE_S) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: ")
        with pytest.raises(ConnectionResetError):
            while silent.recv(1000):
                pass
            raise ConnectionResetError  # an orderly end is as good


def test_a_flood_of_connections_leaves_the_files_to_the_node(page, visit, go) -> None:
    port = urlsplit(page.address).port
    held = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(200)]
    try:
        time.sleep(0.5)
        ours = 200 + len(os.listdir("/proc/self/task")) + 100
        assert len(os.listdir("/proc/self/fd")) < ours + connections.MOST
    finally:
        for one in held:
            one.close()

    async def work() -> None:
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:  # those that hung up are let go of in a moment
            try:
                await first_picture(visit, page)
                return
            except (aiohttp.ClientError, AssertionError):
                await asyncio.sleep(0.1)
        raise AssertionError("nobody gets in any more")

    go(work)


def raw(page: Any, content: bytes, is_all: bool = False) -> bytes:
    """What comes back for some bytes."""
    told = b""
    try:
        port = urlsplit(page.address).port
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as link:
            link.sendall(content)
            if is_all:
                link.shutdown(socket.SHUT_WR)
            while piece := link.recv(65536):
                told += piece
    except ConnectionError:
        pass
    return told


def rubbish(chance: random.Random) -> bytes:
    """Bytes that are no good request."""
    line = chance.choice([b"GET /", b"POST /live", b"GET /live", b"\x16\x03\x01", b"", b"PRI * "])
    makers: list[Callable[[], bytes]] = [
        lambda: chance.randbytes(chance.randrange(1, 400)),
        lambda: line + chance.randbytes(50) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        lambda: b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        lambda: b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nx",
        lambda: b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        lambda: b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n",
        lambda: (
            b"GET /live HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + chance.randbytes(60)
        ),
        lambda: b"GET / HTTP/1.1\r\n\r\n",
    ]
    return chance.choice(makers)()


def bad_message(chance: random.Random) -> str:
    return chance.choice(
        [
            *("", "{", "null", "[]", "1e999", '"ask"', "{}", '{"do": "shutdown"}'),
            *('{"do": "ask"}', '{"do": "ask", "text": 5, "call": 1}', '{"do": []}'),
            *('{"do": "ask", "text": "x", "call": -1}', '{"do": "got", "number": "1"}'),
            *('{"do": "remove", "id": "q1", "call": 1, "more": 1}', "[" * 5000),
            '{"do": "ask", "text": "' + "x" * 20_000 + '", "call": 1}',
        ]
    )
