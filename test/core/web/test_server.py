"""The page's server as its own client sees it: pictures, sentences, limits, refusals."""

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

from actseg_core.errors import WebError
from actseg_core.web import connections
from actseg_core.web.client import ON_THE_WAY
from actseg_core.web.config import WebConfig
from actseg_core.web.server import WebServer

RECTANGLE = {(3, 2), (8, 2), (8, 4), (3, 4)}  # rows 2 to 4, columns 3 to 8 of the fake engine


def corners(answer: dict[str, Any]) -> set[tuple[int, int]]:
    (rim,) = answer["contours"]
    return set(zip(rim[::2], rim[1::2], strict=True))


async def get(page: Any, path: str, method: str = "GET", **options: Any) -> tuple[int, Any, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, page.address.rstrip("/") + path, **options) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


def test_a_sentence_that_is_typed_marks_the_actor_in_the_picture(page, visit, go) -> None:
    async def work() -> None:
        async with visit(page) as browser:
            await browser.until(lambda: browser.pictures, "the plain picture")
            assert browser.pictures[0]["answers"] == []
            assert (await browser.call(do="ask", text="a dog"))["error"] == ""
            await browser.until(lambda: browser.pictures[-1]["answers"], "an answer")
            (answer,) = browser.pictures[-1]["answers"]
            assert answer["id"] == "q1" and answer["found"] and answer["confidence"] == 0.75
            assert corners(answer) == RECTANGLE
            assert (browser.pictures[-1]["width"], browser.pictures[-1]["height"]) == (16, 12)
            assert browser.jpegs[-1][:3] == b"\xff\xd8\xff"
            await browser.until(lambda: browser.statuses[-1]["state"] == "FOUND", "the state")
            (told,) = browser.statuses[-1]["sentences"]
            assert (told["text"], told["state"], told["colour"]) == ("a dog", "FOUND", "#e69f00")

    go(work)


def test_a_sentence_about_nobody_says_what_to_do(page, visit, go) -> None:
    async def work() -> None:
        async with visit(page) as browser:
            await browser.call(do="ask", text="absent cat")
            await browser.until(lambda: browser.pictures and browser.pictures[-1]["answers"])
            (answer,) = browser.pictures[-1]["answers"]
            assert not answer["found"] and answer["contours"] == []
            assert answer["advice"].startswith("Nothing in the picture fits.")

    go(work)


def test_two_browsers_see_each_others_sentences(page, visit, go) -> None:
    async def work() -> None:
        async with visit(page) as one, visit(page) as other:
            await one.call(do="ask", text="a dog")
            await other.call(do="add", text="a cat")
            for browser in (one, other):
                await browser.until(
                    lambda b=browser: b.pictures and len(b.pictures[-1]["answers"]) == 2
                )
                texts = [item["text"] for item in browser.statuses[-1]["sentences"]]
                assert texts == ["a dog", "a cat"]
            await other.call(do="remove", id="q1")
            await one.until(lambda: len(one.statuses[-1]["sentences"]) == 1)
            await one.call(do="ask", text="")
            await other.until(lambda: other.statuses[-1]["state"] == "IDLE")

    go(work)


def test_a_browser_that_draws_nothing_gets_two_pictures_and_holds_nobody_up(
    page, visit, go
) -> None:
    async def work() -> None:
        async with visit(page) as slow, visit(page) as quick:
            slow.draws = False
            await quick.until(lambda: len(quick.pictures) >= 30, "thirty pictures")
            before = page.processed
            while len(slow.statuses) < 3:
                await slow.step()
            assert len(slow.pictures) == ON_THE_WAY
            await quick.until(lambda: page.processed >= before + 30, "thirty more frames")
            await slow.socket.send_json({"do": "got", "number": slow.pictures[0]["number"]})
            await slow.until(lambda: len(slow.pictures) == ON_THE_WAY + 1)
            newest, before_it = slow.pictures[-1]["number"], slow.pictures[-2]["number"]
            assert newest > before_it + 10  # those in between were never sent

    go(work)


def test_a_browser_that_reads_nothing_stops_neither_worker_nor_others(page, visit, go) -> None:
    async def work() -> None:
        async with visit(page), visit(page) as other:  # the first never takes a message
            await other.until(lambda: page.processed >= 100 and len(other.pictures) >= 50)

    go(work)


def test_without_a_browser_no_picture_is_kept(page, visit, go, eventually) -> None:
    eventually(lambda: page.processed >= 10)
    assert not page.view.wants_image() and page.view.newest is None

    async def work() -> None:
        async with visit(page) as browser:
            await browser.until(lambda: browser.pictures)
            await browser.socket.send_json({"do": "watch", "on": False})
            await asyncio.get_running_loop().run_in_executor(
                None, eventually, lambda: not page.view.wants_image()
            )
            await browser.socket.send_json({"do": "watch", "on": True})
            seen = len(browser.pictures)
            await browser.until(lambda: len(browser.pictures) > seen + 5)

    go(work)
    eventually(lambda: not page.view.wants_image())


def test_a_silent_camera_is_told_and_its_return_too(page, visit, go) -> None:
    async def work() -> None:
        async with visit(page) as browser:
            await browser.call(do="ask", text="a dog")
            await browser.until(lambda: browser.statuses[-1]["state"] == "FOUND")
            page.is_sending = False
            await browser.until(lambda: browser.statuses[-1]["state"] == "STALE_INPUT")
            told = browser.statuses[-1]
            assert told["title"] == "The camera is silent" and told["is_fault"]
            assert "no image for" in told["detail"] and "cable" in told["advice"]
            assert told["sentences"][0]["state"] == "STALE_INPUT"
            page.is_sending = True
            await browser.until(lambda: browser.statuses[-1]["state"] == "FOUND")

    go(work)


def test_a_sentence_passes_the_same_checks_as_on_the_topic(page, visit, go) -> None:
    async def work() -> None:
        async with visit(page) as browser:
            await browser.call(do="ask", text="a dog")
            long = await browser.call(do="ask", text="a" * 600)
            assert "a sentence may have 512 characters, got 600" in long["error"]
            damaged = await browser.call(do="add", text="a \ufffd")
            assert "undecodable characters" in damaged["error"]
            missing = await browser.call(do="remove", id="q9")
            assert "no sentence has the id 'q9'" in missing["error"]
            many = await browser.call(do="add", text=" ".join(["dog"] * 21))
            assert "only the first 20 words are read" in many["remark"]
            await browser.until(lambda: len(browser.statuses[-1]["sentences"]) == 2)
            assert browser.statuses[-1]["sentences"][0]["text"] == "a dog"

    go(work)


def test_a_flood_of_commands_is_refused_and_the_connection_stays(
    page, visit, go, monkeypatch
) -> None:
    monkeypatch.setattr("actseg_core.web.client.COMMANDS_PER_S", 0.001)  # however slow this is

    async def work() -> None:
        async with visit(page) as browser:
            for number in range(100, 160):
                message = {"do": "ask", "text": f"dog {number}", "call": number}
                await browser.socket.send_json(message)
            await browser.until(lambda: browser.reply(159))
            errors = [browser.reply(number)["error"] for number in range(100, 160)]
            assert errors[0] == ""
            assert any("changes per second" in error for error in errors)
            await browser.until(lambda: browser.pictures[-1]["answers"])

    go(work)


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
            texts = [item["text"] for item in browser.statuses[-1]["sentences"]]
            assert texts == ["a dog", "a cat"]

    go(work)
    assert page.server.is_running
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= files + 2, what="files are closed")


def test_a_connection_that_says_nothing_is_ended(make_page, monkeypatch) -> None:
    monkeypatch.setattr(connections, "WITHOUT_REQUEST_S", 0.2)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)
    page = make_page()
    with socket.create_connection(("127.0.0.1", urlsplit(page.address).port), 60.0) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: ")
        with pytest.raises(ConnectionResetError):
            while silent.recv(1000):
                pass
            raise ConnectionResetError  # an orderly end is as good


def test_a_flood_of_connections_leaves_the_files_to_the_node(page, visit, go) -> None:
    port = urlsplit(page.address).port
    held = [socket.create_connection(("127.0.0.1", port), 60.0) for _ in range(200)]
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


def test_a_taken_port_is_told_with_what_to_do(page) -> None:
    port = urlsplit(page.address).port
    config = WebConfig(port=port)
    second = WebServer(config, page.view, page.server._commands)
    with pytest.raises(WebError, match=rf"127.0.0.1:{port}: .*choose another port"):
        second.start()


def test_an_end_hangs_up_and_leaves_no_thread(make_page, visit, go) -> None:
    page = make_page()

    async def work() -> None:
        async with visit(page) as browser:
            await browser.until(lambda: browser.pictures)
            stop = asyncio.get_running_loop().run_in_executor(None, page.server.stop)
            assert await browser.closed() in (1001, 1006)
            await stop

    go(work)
    assert not page.server.is_running
    assert page.view.watchers == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", urlsplit(page.address).port), 5.0)


def raw(page: Any, content: bytes, is_all: bool = False) -> bytes:
    """What comes back for some bytes."""
    told = b""
    try:
        port = urlsplit(page.address).port
        with socket.create_connection(("127.0.0.1", port), 60.0) as link:
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
