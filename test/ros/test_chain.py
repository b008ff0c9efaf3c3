"""The whole chain on real processes: camera, node and a client that sees what a planner sees."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENT_NODE

from actseg_core.live.states import State

Start = Callable[..., Any]
Eventually = Callable[..., None]
CLIENT = Path(__file__).with_name("chain_client.py")
SECOND_NS = 10**9
MOST_MOVED_S = 30.0


@dataclass
class Chain:
    camera: Any
    node: Any
    client: Any
    eventually: Eventually

    def command(self, text: str) -> None:
        self.client.send(json.dumps(text))

    def results(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.events("result")
        return found

    def answers(self, revision: int) -> list[dict[str, Any]]:
        return [
            event
            for event in self.results()
            if event["stamp_ns"] and event["revision"] == revision
        ]

    def status(self) -> dict[str, Any]:
        statuses = self.client.events("status")
        return statuses[-1] if statuses else {"state": -1, "revision": -1, "detail": ""}

    def until(self, state: State, revision: int | None = None) -> None:
        def reached() -> bool:
            status = self.status()
            return status["state"] == state and revision in (None, status["revision"])

        def instead() -> str:
            return f"{state.name}, not {self.status()}\n{self.node.text}"

        self.eventually(reached, instead)


@pytest.fixture
def chain(start: Start, video: Path, checkpoint: Path, eventually: Eventually) -> Chain:
    client = start(str(CLIENT))
    node = start(*node_of(checkpoint=str(checkpoint), **{"stream.stale_after_s": "5.0"}))
    camera = start(*camera_of(video))
    made = Chain(camera, node, client, eventually)
    eventually(lambda: client.events("matched"), client.text)
    eventually(lambda: client.events("image"), client.text)
    made.until(State.IDLE)
    return made


def node_of(**values: str) -> list[str]:
    """Command line of the node; its image is remapped to the camera's."""
    pairs = [item for name, value in values.items() for item in ("-p", f"{name}:={value}")]
    return [*PATIENT_NODE, *pairs, "-r", "~/image:=/camera/image_raw"]


def camera_of(video: Path) -> list[str]:
    """A history that spares a slow client from losing images that it compares stamps with."""
    return [
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}"),
        *("-p", "rate_hz:=15.0", "-p", "depth:=100"),
    ]


def test_sentences_are_answered_switched_cleared_and_a_dead_camera_is_told(chain: Chain) -> None:
    chain.command("the red square")
    chain.until(State.FOUND, revision=1)
    chain.eventually(lambda: len(chain.answers(revision=1)) > 5)
    chain.command("blorptwizzle")  # no word of it is known: looked at, and not there
    chain.until(State.NOT_FOUND, revision=2)
    chain.eventually(lambda: len(chain.answers(revision=2)) > 5)
    chain.command("")
    # The result topic keeps one message: the next sentence's would take its place.
    chain.eventually(lambda: 3 in {event["revision"] for event in chain.results()})
    chain.until(State.IDLE, revision=3)
    chain.command("the second square")
    chain.until(State.FOUND, revision=4)
    chain.eventually(lambda: len(chain.answers(revision=4)) > 5)
    chain.camera.kill()
    chain.until(State.STALE_INPUT)
    chain.eventually(lambda: chain.results()[-1]["state"] == State.STALE_INPUT)

    assert_masks_belong_to_published_frames(chain)
    assert_nothing_old_after_an_acknowledgement(chain)
    assert_empty_text_gives_no_masks(chain)
    assert_staleness_is_told_and_ends_the_answers(chain)
    assert chain.node.stop() == 0
    chain.eventually(lambda: chain.status()["state"] == State.SHUTDOWN)


def test_the_model_that_ships_finds_the_cat_and_says_that_no_person_is_there(
    start: Start, cat: Path, eventually: Eventually
) -> None:
    """In a Python without torch, too: tools/build_check.sh."""
    client = start(str(CLIENT))
    node = start(*node_of())
    camera = start(*camera_of(cat))
    chain = Chain(camera, node, client, eventually)
    eventually(lambda: client.events("matched"), client.text)
    chain.until(State.IDLE)
    chain.command("the cat")
    chain.until(State.FOUND, revision=1)
    eventually(lambda: len(chain.answers(revision=1)) > 3)
    chain.command("a person")
    chain.until(State.NOT_FOUND, revision=2)
    eventually(lambda: len(chain.answers(revision=2)) > 3)
    assert node.stop() == 0
    masks = [mask for event in chain.answers(revision=1) for mask in event["masks"]]
    assert [0, 255] in [mask["values"] for mask in masks if mask["state"] == State.FOUND]
    for mask in [mask for event in chain.answers(revision=2) for mask in event["masks"]]:
        assert mask["values"] == ([0] if mask["state"] == State.NOT_FOUND else [0, 255])
        assert mask["size"] == [400, 300]


def assert_masks_belong_to_published_frames(chain: Chain) -> None:
    published = {event["stamp_ns"] for event in chain.client.events("image")}
    answered = [event for event in chain.results() if event["stamp_ns"]]
    # The client may have heard the camera a moment later than the node, and may not have heard the
    # last that it sent when it was killed.
    known = {event["stamp_ns"] for event in answered}
    known = {stamp for stamp in known if min(published) <= stamp <= max(published)}
    assert len(known) > 10
    assert known <= published
    for event in answered:
        assert event["frame_id"] == "camera"
        for mask in event["masks"]:
            assert mask["size"] == [64, 48]
            assert mask["stamp_ns"] == event["stamp_ns"]
            assert mask["values"] == ([255] if mask["state"] == State.FOUND else [0])
    stamps = [event["stamp_ns"] for event in answered]
    assert stamps == sorted(set(stamps))


def assert_nothing_old_after_an_acknowledgement(chain: Chain) -> None:
    revisions = [event["revision"] for event in chain.results()]
    assert revisions == sorted(revisions)
    assert set(revisions) >= {1, 2, 3, 4}
    sentence = {1: "the red square", 2: "blorptwizzle", 4: "the second square"}
    for event in chain.results():
        for mask in event["masks"]:
            assert mask["sentence"] == sentence[event["revision"]]


def assert_empty_text_gives_no_masks(chain: Chain) -> None:
    cleared = [event for event in chain.results() if event["revision"] == 3]
    assert [event["state"] for event in cleared] == [State.IDLE]
    assert cleared[0]["masks"] == []


def assert_staleness_is_told_and_ends_the_answers(chain: Chain) -> None:
    """How soon is measured by tools/measure_faults.py."""
    after = [event for event in chain.results() if event["state"] == State.STALE_INPUT]
    assert all(not event["stamp_ns"] for event in after)


def test_the_camera_may_die_and_come_back(chain: Chain, start: Start, video: Path) -> None:
    chain.command("the red square")
    chain.until(State.FOUND)
    assert chain.camera.stop(signal.SIGINT) == 0
    chain.until(State.STALE_INPUT)
    resumed_ns = chain.status()["stamp_ns"]
    start(*camera_of(video))
    chain.until(State.FOUND)

    def after() -> list[dict[str, Any]]:
        return [event for event in chain.results() if event["stamp_ns"] > resumed_ns]

    chain.eventually(after)
    assert all(m["sentence"] == "the red square" for event in after() for m in event["masks"])
    assert chain.node.popen.poll() is None


def test_every_frame_gets_a_mask_between_two_windows_and_says_how_far_it_was_moved(
    start: Start, video: Path, checkpoint: Path, eventually: Eventually
) -> None:
    client = start(str(CLIENT))
    settings = {
        "checkpoint": str(checkpoint),
        "sentence": "the red square",
        "stream.mask_frame": "newest",
        "stream.background": "true",
        "stream.stride_frames": "4",
        "stream.max_moved_s": str(MOST_MOVED_S),
    }
    node = start(*node_of(**settings))
    camera = start(*camera_of(video))
    chain = Chain(camera, node, client, eventually)

    def masks() -> list[dict[str, Any]]:
        return [mask for event in chain.answers(revision=1) for mask in event["masks"]]

    chain.eventually(lambda: sum(mask["warped"] for mask in masks()) > 10, "moved masks")
    for mask in masks():
        assert (mask["moved_ns"] > 0) == mask["warped"]
        assert mask["moved_ns"] <= MOST_MOVED_S * SECOND_NS
    stamps = [mask["stamp_ns"] for mask in masks()]
    assert stamps == sorted(set(stamps))
    assert node.stop() == 0
