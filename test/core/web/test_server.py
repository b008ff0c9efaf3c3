"""The page's server as its own client sees it: pictures, sentences, limits, refusals."""

import asyncio
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from actseg_core.errors import WebError
from actseg_core.web.client import ON_THE_WAY
from actseg_core.web.config import WebConfig
from actseg_core.web.server import WebServer

RECTANGLE = {(3, 2), (8, 2), (8, 4), (3, 4)}  # rows 2 to 4, columns 3 to 8 of the fake engine


def corners(answer: dict[str, Any]) -> set[tuple[int, int]]:
    (rim,) = answer["contours"]
    return set(zip(rim[::2], rim[1::2], strict=True))


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
                await browser.until(lambda b=browser: b.texts == ["a dog", "a cat"])
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
            await slow.until(lambda: len(slow.pictures) == ON_THE_WAY, "all that it may have")
            seen = len(slow.statuses)
            await slow.until(lambda: len(slow.statuses) >= seen + 3, "statuses go on")
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


def test_a_taken_port_is_told_with_what_to_do(page) -> None:
    port = urlsplit(page.address).port
    config = WebConfig(port=port)
    second = WebServer(config, page.view, page.server._commands)
    with pytest.raises(WebError, match=rf"127.0.0.1:{port}: .*choose another port"):
        second.start()


def test_an_end_hangs_up_and_leaves_no_thread(make_page, visit, go, eventually) -> None:
    page = make_page()

    async def work() -> None:
        async with visit(page) as browser:
            await browser.until(lambda: browser.pictures)
            stop = asyncio.get_running_loop().run_in_executor(None, page.server.stop)
            assert await browser.closed() in (1001, 1006)
            await stop

    go(work)
    eventually(lambda: not page.server.is_running)
    assert page.view.watchers == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", urlsplit(page.address).port), 5.0)
