"""Mask and overlay, raw and compressed: at the frame's stamp, and only when wanted."""

import itertools
from typing import Any

import numpy as np
import pytest
from actseg.srv import AddQuery, RemoveQuery
from rclpy.clock_type import ClockType
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from actseg_core.live.states import State
from actseg_core.visualize import PALETTE
from actseg_ros import answer_text, publishers
from actseg_ros.convert import decode
from actseg_ros.messages import time_message


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


def test_after_the_last_sentence_one_empty_mask_comes(make: Any) -> None:
    bench = make(sentence="the dog")
    masks: list[Image] = []
    bench.client.create_subscription(Image, "/actseg/mask", masks.append, 10)
    bench.start()
    bench.spin_until(lambda: masks)
    assert all(any(mask.data) for mask in masks)
    bench.command.publish(String(data=""))
    bench.spin_until(lambda: not any(masks[-1].data))
    assert (masks[-1].encoding, masks[-1].width, masks[-1].height) == ("mono8", 16, 12)
    assert stamp(masks[-1]) > stamp(masks[-2])
    count, processed = len(masks), bench.statuses[-1].frames_processed
    bench.spin_until(lambda: bench.statuses[-1].frames_processed > processed + 10)
    assert len(masks) == count


def test_where_a_recording_starts_over_masks_and_overlays_go_on(make: Any) -> None:
    bench = make(sentence="the dog", check_clock=False)
    came: dict[str, list[int]] = {"mask": [], "overlay": []}
    for topic, seconds in came.items():
        bench.client.create_subscription(
            Image, f"/actseg/{topic}", lambda m, kept=seconds: kept.append(m.header.stamp.sec), 10
        )
    picture, count = bench.picture, itertools.count(1)
    clock = bench.node.get_clock()

    def play(second: int) -> None:
        """As /clock and a camera of that time."""
        clock.set_ros_time_override(Time(seconds=second, clock_type=ClockType.ROS_TIME))
        clock._set_ros_time_is_active(True)

        def then() -> Image:
            message = picture()
            message.header.stamp = time_message(second * 10**9 + next(count))
            return message

        bench.picture = then

    play(500)
    bench.start()
    bench.spin_until(lambda: 500 in came["mask"] and 500 in came["overlay"])
    for second in (100, 50):
        play(second)
        bench.spin_until(
            lambda s=second: s in came["mask"] and s in came["overlay"], what=f"at {second}"
        )


def test_the_answer_comes_in_words(make: Any) -> None:
    bench = make()
    words: list[str] = []
    bench.client.create_subscription(String, "/actseg/answer", lambda m: words.append(m.data), 10)
    bench.start()
    bench.spin_until(lambda: any(line.startswith("IDLE: no sentence") for line in words))
    for text in ("the dog", "the absent cat"):
        bench.call(AddQuery, "add_query", AddQuery.Request(sentence=text))
    bench.spin_until(lambda: "FOUND 0.75 'the dog'; NOT_FOUND 0.25 'the absent cat'" in words)


def test_without_a_change_the_answer_in_words_comes_once_a_second(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_text, "REPEATED_AFTER_S", 1e9)
    bench = make(sentence="the dog")
    words: list[str] = []
    bench.client.create_subscription(String, "/actseg/answer", lambda m: words.append(m.data), 10)
    bench.start()
    bench.spin_until(lambda: "FOUND 0.75 'the dog'" in words)
    count, processed = len(words), bench.statuses[-1].frames_processed
    bench.spin_until(lambda: bench.statuses[-1].frames_processed > processed + 10)
    assert len(words) == count
    monkeypatch.setattr(answer_text, "REPEATED_AFTER_S", 0.0)
    bench.spin_until(lambda: len(words) > count + 5)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[State]:
    """What the node logs as a fault."""
    logged: list[State] = []
    monkeypatch.setattr(
        publishers.TopicPublishers, "fault", lambda _self, state, _text: logged.append(state)
    )
    return logged


def test_a_camera_that_is_there_is_not_missed_at_the_activation(
    make: Any, faults: list[State], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishers, "FIRST_IMAGE_S", 1e9)  # two seconds otherwise
    bench = make()
    bench.start()
    bench.spin_until(bench.is_in(State.STALE_INPUT), feed=False)
    bench.spin_until(bench.is_in(State.IDLE))
    assert faults == []


def test_a_camera_that_does_not_come_is_missed(
    make: Any, faults: list[State], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishers, "FIRST_IMAGE_S", 0.1)
    bench = make()
    bench.start()
    bench.spin_until(lambda: faults, feed=False)
    assert set(faults) == {State.STALE_INPUT}


def test_a_camera_that_falls_silent_is_missed_at_once(
    make: Any, faults: list[State], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishers, "FIRST_IMAGE_S", 1e9)
    bench = make(stream__stale_after_s=0.2)
    bench.start()
    bench.spin_until(bench.is_in(State.IDLE))
    bench.spin_until(lambda: faults, feed=False)
    assert set(faults) == {State.STALE_INPUT}


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
