"""Mask and overlay, raw and compressed: at the frame's stamp, and only when wanted."""

from typing import Any

import numpy as np
import pytest
from actseg.srv import AddQuery, RemoveQuery
from sensor_msgs.msg import CompressedImage, Image

from actseg_core.live.states import State
from actseg_core.visualize import PALETTE
from actseg_ros import publishers
from actseg_ros.convert import decode


def stamp(item: Any) -> tuple[int, int]:
    return item.header.stamp.sec, item.header.stamp.nanosec


def test_mask_and_overlay_come_with_the_frames_stamp(make: Any) -> None:
    bench = make(sentence="the dog")
    pictures: dict[str, list[Image]] = {"mask": [], "overlay": []}
    for topic, kept in pictures.items():
        bench.client.create_subscription(Image, f"/actseg/{topic}", kept.append, 10)
    bench.start()
    bench.spin_until(lambda: pictures["mask"] and len(pictures["overlay"]) > 3)
    mask, overlay = pictures["mask"][-1], pictures["overlay"][-1]
    assert (mask.encoding, sum(mask.data)) == ("mono8", 18 * 255)
    assert (overlay.encoding, overlay.width, overlay.height) == ("bgr8", 16, 12)
    assert decode(overlay, 1000).any()
    bench.spin_until(lambda: stamp(mask) in map(stamp, bench.results))


def test_the_compressed_ones_hold_the_same(make: Any) -> None:
    bench = make(sentence="the dog", overlay__captions=False, overlay__opacity=1.0)
    kept: dict[str, list[CompressedImage]] = {"mask": [], "overlay": []}
    for topic, pictures in kept.items():
        bench.client.create_subscription(
            CompressedImage, f"/actseg/{topic}/compressed", pictures.append, 10
        )
    bench.start()
    bench.spin_until(lambda: kept["mask"] and len(kept["overlay"]) > 3)
    mask, overlay = kept["mask"][-1], kept["overlay"][-1]
    assert mask.format == "mono8; png compressed mono8"
    assert overlay.format == "bgr8; jpeg compressed bgr8"
    wanted = np.zeros((12, 16, 3), np.uint8)
    wanted[2:5, 3:9] = 255
    np.testing.assert_array_equal(decode(mask, 1000), wanted)
    assert decode(overlay, 1000).shape == (12, 16, 3)
    bench.spin_until(lambda: stamp(mask) in map(stamp, bench.results))


def test_what_nobody_subscribes_to_is_not_made(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in ("encode", "compress", "overlay", "array_message"):
        original = getattr(publishers, name)

        def spy(*args: Any, _name: str = name, _original: Any = original, **named: Any) -> Any:
            made.append(_name)
            return _original(*args, **named)

        monkeypatch.setattr(publishers, name, spy)
    bench = make(sentence="the dog")
    bench.client.destroy_subscription(bench.subscriptions["/actseg/result"])
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    bench.spin_until(lambda: bench.statuses[-1].frames_processed > 10)
    # Until the node has seen the subscription go, it may have made a few.
    assert [name for name in made if name != "array_message"] == []
    made.clear()
    bench.client.create_subscription(Image, "/actseg/mask", lambda _: None, 10)
    bench.spin_until(lambda: "encode" in made)
    assert "overlay" not in made and "compress" not in made


def test_a_sentence_keeps_its_id_and_its_colour(make: Any) -> None:
    bench = make(overlay__captions=False, overlay__opacity=1.0)
    overlays: list[Image] = []
    bench.client.create_subscription(Image, "/actseg/overlay", overlays.append, 10)
    bench.start()
    for text in ("the absent cat", "the dog"):
        bench.call(AddQuery, "add_query", AddQuery.Request(sentence=text))

    def colour() -> Any:
        return tuple(decode(overlays[-1], 1000)[3, 5]) if overlays else None

    bench.spin_until(lambda: colour() == PALETTE[1])
    bench.call(RemoveQuery, "remove_query", RemoveQuery.Request(id="q1"))
    bench.spin_until(lambda: bench.results[-1].query_revision == 3 and bench.has_answered())
    overlays.clear()
    bench.spin_until(lambda: colour() is not None)
    assert colour() == PALETTE[1]
    assert bench.results[-1].masks[0].query_id == "q2"
