"""Whatever a message's type allows, sent to a real node: skipped, counted, named, survived."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENT_NODE

from actseg_core.live.states import State

Start = Callable[..., Any]
Eventually = Callable[..., None]
HERE = Path(__file__).parent
# What must be refused, and how /diagnostics names it.
RAW = {
    "small step": "BAD_INPUT: step is 191 bytes, but 64 pixels of bgr8 need 192",
    "short data": "BAD_INPUT: data holds 100 bytes, but 48 rows of 192 bytes are 9216",
    "no data": "BAD_INPUT: data holds 0 bytes",
    "zero size": "BAD_INPUT: width and height must be 1 to 65535, got 0x0",
    "absurd size": "BAD_INPUT: width and height must be 1 to 65535, got 4294967295x4294967295",
    "unknown encoding": r"BAD_INPUT: encoding 'bgr8 \x1b[31m' is not known",
    "empty encoding": "BAD_INPUT: encoding '' is not known",
    "long encoding": f"BAD_INPUT: encoding '{'x' * 40}' is not known",
    "NaN depth": "BAD_INPUT: encoding 32FC1 is a depth image; connect the colour image instead",
    "other numbers": "BAD_INPUT: encoding 64FC1 is a matrix of numbers",
    "zero stamp": "BAD_TIME: header.stamp is zero",
    "negative stamp": "BAD_TIME: header.stamp must have 0 <= sec < 2^31",
    "old stamp": "behind the node's clock",
    "future stamp": "ahead of the node's clock",
    "stamp again": "BAD_TIME: header.stamp repeats",
}
COMPRESSED = {
    "cut JPEG": "the JPEG is cut off",
    "cut PNG": "the PNG is cut off",
    "wrong checksum": "the checksum of its PNG chunk 'IDAT' is wrong",
    "empty": "it has no bytes; send JPEG",
    "no picture": "its 106 bytes begin 47494638",
    "huge claim": "is wrong",
}


@dataclass
class Scene:
    """A node that answers the frames of a hostile camera, and what a client sees of it."""

    node: Any
    camera: Any
    client: Any
    eventually: Eventually

    def status(self) -> dict[str, Any]:
        statuses = self.client.events("status")
        return statuses[-1] if statuses else {"state": -1, "rejected": -1, "refused": ""}

    def answers(self) -> int:
        return sum(1 for event in self.client.events("result") if event["stamp_ns"])

    def last_problem(self) -> str:
        diagnostics = self.client.events("diagnostics")
        return str(diagnostics[-1]["values"]["last problem"]) if diagnostics else ""

    def command(self, text: str) -> None:
        self.client.send(json.dumps(text))

    def wait(self, condition: Callable[[], Any], what: str) -> None:
        try:
            self.eventually(condition, what)
        except AssertionError as error:
            pytest.fail(
                f"{error}\n{self.status()}\n{self.last_problem()}\n{self.node.text[-3000:]}"
            )

    def until_answered(self, what: str) -> None:
        before = self.answers()
        self.wait(
            lambda: self.status()["state"] == State.FOUND and self.answers() >= before + 2, what
        )


@pytest.fixture
def begin(start: Start, checkpoint: Path, eventually: Eventually) -> Callable[..., Scene]:
    def make(*camera: str, **values: str) -> Scene:
        # Nothing is dropped and nothing is too old, so that each fault is counted on any machine.
        values |= {
            "checkpoint": str(checkpoint),
            "sentence": "the red square",
            "image_reliability": "reliable",
            "image_depth": "50",
            "stream.queue_frames": "64",
        }
        pairs = [item for name, value in values.items() for item in ("-p", f"{name}:={value}")]
        topics = [
            item
            for name in ("image", "image/compressed")
            for item in ("-r", f"~/{name}:=/camera/{name.replace('image', 'image_raw')}")
        ]
        node = start(*PATIENT_NODE, *pairs, *topics)
        client = start(str(HERE / "chain_client.py"))
        source = start(str(HERE / "hostile_camera.py"), *camera)
        scene = Scene(node, source, client, eventually)
        scene.until_answered("the first answers")
        scene.wait(lambda: client.events("matched"), "the client's commands")
        return scene

    return make


def assert_each_is_skipped_counted_and_named(scene: Scene, faults: dict[str, str]) -> None:
    for kind, name in faults.items():
        rejected = scene.status()["rejected"]
        scene.camera.send(kind)
        scene.wait(lambda n=rejected: scene.status()["rejected"] == n + 1, f"{kind}: counted")
        scene.wait(lambda text=name: text in scene.last_problem(), f"{kind}: named as {name}")
        scene.until_answered(f"{kind}: the next good frames")
        assert scene.status()["rejected"] == rejected + 1, kind
        assert scene.node.popen.poll() is None


@pytest.mark.slow
def test_raw_images_that_make_no_sense(begin: Callable[..., Scene]) -> None:
    scene = begin()
    assert_each_is_skipped_counted_and_named(scene, RAW)
    scene.camera.send("raw bytes")  # dropped by the middleware, without a callback
    scene.until_answered("bytes that are no message: the next good frames")
    assert scene.node.stop() == 0


@pytest.mark.slow
def test_compressed_images_that_make_no_sense(begin: Callable[..., Scene]) -> None:
    scene = begin("compressed", compressed="true")
    assert_each_is_skipped_counted_and_named(scene, COMPRESSED)
    assert scene.node.stop() == 0


def test_commands_that_make_no_sense_and_a_flood(begin: Callable[..., Scene]) -> None:
    scene = begin()
    scene.command("d" * 1_000_000)
    scene.wait(lambda: "got 1000000; shorten it" in scene.status()["refused"], "1 MB refused")
    scene.until_answered("the old sentence")
    assert scene.status()["revision"] == 1
    scene.command("the \ufffd dog")
    scene.wait(lambda: "undecodable" in scene.status()["refused"], "U+FFFD refused")
    scene.command("\x07the\x1b[2J red\tsquare\x01\u202e")
    scene.wait(lambda: scene.status()["revision"] == 2, "control characters are no words")
    scene.until_answered("the sentence between control characters")
    scene.command("flood 2000")  # a thousand a second, see chain_client.py
    scene.wait(lambda: scene.client.events("flooded"), "the flood's end")
    scene.command("the last square")
    scene.wait(
        lambda: (
            (results := scene.client.events("result"))
            and [mask["sentence"] for mask in results[-1]["masks"]] == ["the last square"]
        ),
        "the last command in force",
    )
    scene.until_answered("the last command")
    assert scene.status()["rejected"] == 0
    assert scene.node.stop() == 0
