"""The node's page: the same sentences and answers as on the topics, and nothing that ends it."""

import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from page_visitor import Browser, Visit, run
from patience import PATIENCE_S
from std_msgs.msg import String

from actseg_core.live.states import State


class Visitor:
    """What a browser does, in a thread, while the bench spins."""

    def __init__(self, bench: Any, work: Callable[[Browser], Awaitable[None]]) -> None:
        address = bench.node.cameras[""].page._server.url
        self.error: BaseException | None = None
        self._work, self._address = work, address
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        async def whole() -> None:
            async with Visit(self._address) as browser:
                await self._work(browser)

        try:
            run(whole)
        except BaseException as error:
            self.error = error

    def join(self, bench: Any) -> None:
        bench.spin_until(lambda: not self.thread.is_alive())
        if self.error is not None:
            raise self.error


@pytest.fixture
def bench(make: Any) -> Any:
    bench = make(web__enabled=True, web__port=0)
    bench.start()
    return bench


def facts(bench: Any) -> dict[str, str]:
    if not bench.diagnostics:
        return {}
    return {item.key: item.value for item in bench.diagnostics[-1].status[0].values}


def test_without_the_parameter_there_is_no_page(make: Any) -> None:
    assert make().node.cameras[""].page is None


def test_a_sentence_typed_on_the_page_is_answered_there_and_on_the_topic(bench: Any) -> None:
    async def work(browser: Browser) -> None:
        assert (await browser.call(do="ask", text="the dog"))["error"] == ""
        await browser.until(lambda: browser.pictures and browser.pictures[-1]["answers"])
        (answer,) = browser.pictures[-1]["answers"]
        (rim,) = answer["contours"]
        assert set(zip(rim[::2], rim[1::2], strict=True)) == {(3, 2), (8, 2), (8, 4), (3, 4)}

    Visitor(bench, work).join(bench)
    bench.spin_until(bench.has_answered)
    (mask,) = bench.results[-1].masks
    assert mask.sentence == "the dog" and State(mask.state.value) is State.FOUND


def test_a_sentence_of_the_topic_is_on_the_page(bench: Any) -> None:
    bench.command.publish(String(data="the cat"))

    async def work(browser: Browser) -> None:
        await browser.until(lambda: browser.statuses and browser.statuses[-1]["state"] == "FOUND")
        (sentence,) = browser.statuses[-1]["sentences"]
        assert (sentence["text"], sentence["confidence"]) == ("the cat", 0.75)

    Visitor(bench, work).join(bench)


def test_the_lifecycle_is_told_on_the_page(bench: Any) -> None:
    async def work(browser: Browser) -> None:
        await browser.until(lambda: browser.statuses and browser.statuses[-1]["state"] == "IDLE")
        reached.set()
        await browser.until(lambda: browser.statuses[-1]["state"] == "INACTIVE")

    reached = threading.Event()
    visitor = Visitor(bench, work)
    bench.spin_until(reached.is_set)
    bench.node.trigger_deactivate()
    visitor.join(bench)


def test_the_page_is_in_the_diagnostics_without_its_token(make: Any) -> None:
    bench = make(web__enabled=True, web__port=0, web__token="secret-secret")
    bench.start()
    bench.spin_until(lambda: facts(bench).get("page", "").startswith("http://127.0.0.1:"))
    assert "secret" not in str(bench.diagnostics[-1])


def test_a_taken_port_is_told_and_the_page_comes_when_it_is_free(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actseg_ros.web_page.TRY_AGAIN_S", 0.2)
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    bench = make(web__enabled=True, web__port=port)
    bench.start()
    bench.command.publish(String(data="the dog"))
    bench.spin_until(bench.has_answered)
    bench.spin_until(lambda: "choose another port" in str(bench.diagnostics[-1:]))
    assert facts(bench)["page"] == "not served"
    other.close()
    bench.spin_until(lambda: facts(bench)["page"] == f"http://127.0.0.1:{port}/")


def test_the_end_of_the_node_is_told_on_the_page(make: Any) -> None:
    bench = make(web__enabled=True, web__port=0)
    bench.start()
    came = threading.Event()
    told: list[Any] = []

    async def work(browser: Browser) -> None:
        await browser.until(lambda: browser.statuses)
        came.set()
        await browser.closed()
        told.extend(browser.statuses)

    visitor = Visitor(bench, work)
    bench.spin_until(came.is_set)
    bench.node.close()
    visitor.thread.join(PATIENCE_S)
    assert not visitor.thread.is_alive() and visitor.error is None
    assert told
    bench.spin_until(lambda: not bench.node.cameras[""].page._server.is_running, feed=False)
