"""label_mask, confidence and instances as a subscriber with the costmap layer's QoS gets them."""

from typing import Any

import numpy as np
import pytest
from actseg.srv import AddQuery
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String

from actseg_core.live.states import State
from actseg_ros import label_output

# As semantic_segmentation_layer subscribes: rmw_qos_profile_sensor_data with a depth of 50.
LAYER = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
TYPES = {"label_mask": np.uint8, "confidence": np.uint8, "instances": np.uint16}


def subscribe(bench: Any, *topics: str) -> dict[str, list[Image]]:
    came: dict[str, list[Image]] = {topic: [] for topic in topics}
    for topic, kept in came.items():
        bench.client.create_subscription(Image, f"/actseg/{topic}", kept.append, LAYER)
    return came


def stamps(messages: list[Image]) -> set[tuple[int, int]]:
    return {(item.header.stamp.sec, item.header.stamp.nanosec) for item in messages}


def pixels(message: Image, kind: Any) -> np.ndarray:
    return np.frombuffer(message.data, kind).reshape(message.height, message.width)


def test_each_image_holds_the_mask_made_by_hand_with_its_number(make: Any) -> None:
    bench = make(sentence="the dog")
    came = subscribe(bench, *TYPES)
    bench.start()
    bench.spin_until(lambda: all(len(kept) > 3 for kept in came.values()))
    # The small model marks rows 2 to 4 and columns 3 to 8 with a confidence of 0.75.
    for topic, value in (("label_mask", 1), ("confidence", 191), ("instances", 1)):
        message = came[topic][-1]
        assert message.encoding == f"mono{8 * np.dtype(TYPES[topic]).itemsize}"
        wanted = np.zeros((12, 16), int)
        wanted[2:5, 3:9] = value
        np.testing.assert_array_equal(pixels(message, TYPES[topic]), wanted)
        assert message.header.frame_id == "cam"
        assert message.step == 16 * np.dtype(TYPES[topic]).itemsize


def test_mask_and_confidence_bear_the_same_stamps_as_the_result(make: Any) -> None:
    bench = make(sentence="the dog")
    came = subscribe(bench, "label_mask", "confidence")
    bench.start()
    bench.spin_until(
        lambda: (
            len(
                stamps(came["label_mask"])
                & stamps(came["confidence"])
                & {(item.header.stamp.sec, item.header.stamp.nanosec) for item in bench.results}
            )
            > 3
        )
    )


def test_a_sentence_that_is_not_found_leaves_the_other_its_number(make: Any) -> None:
    bench = make(sentence="absent")
    came = subscribe(bench, "label_mask")
    bench.start()
    bench.call(AddQuery, "add_query", AddQuery.Request(sentence="the dog"))
    bench.spin_until(lambda: came["label_mask"] and any(came["label_mask"][-1].data))
    assert set(came["label_mask"][-1].data) == {0, 2}


def test_after_the_last_sentence_one_image_without_anybody_comes(make: Any) -> None:
    bench = make(sentence="the dog")
    came = subscribe(bench, *TYPES)
    bench.start()
    bench.spin_until(lambda: all(came.values()))
    bench.command.publish(String(data=""))
    for topic in TYPES:
        bench.spin_until(lambda topic=topic: not any(came[topic][-1].data), what=topic)
    counts = {topic: len(kept) for topic, kept in came.items()}
    processed = bench.statuses[-1].frames_processed
    bench.spin_until(lambda: bench.statuses[-1].frames_processed > processed + 10)
    assert {topic: len(kept) for topic, kept in came.items()} == counts
    assert came["instances"][-1].encoding == "mono16"


def test_an_image_that_nobody_subscribes_to_is_not_made(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def spy(name: str) -> Any:
        original = getattr(label_output, name)
        return lambda *given: (made.append(name), original(*given))[1]

    for name in ("label_mask", "confidence_image", "instance_image"):
        monkeypatch.setattr(label_output, name, spy(name))
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    bench.spin_until(lambda: bench.statuses[-1].frames_processed > 10)
    assert made == []
    subscribe(bench, "confidence")
    bench.spin_until(lambda: len(made) > 3)
    assert set(made) == {"confidence_image"}


def test_at_a_fraction_of_the_cameras_size_all_three_are_so_large_and_bear_the_same_stamp(
    make: Any,
) -> None:
    bench = make(sentence="the dog", label_mask__scale=0.5)
    came = subscribe(bench, *TYPES)
    bench.start()
    bench.spin_until(lambda: all(len(kept) > 3 for kept in came.values()))
    # Rows 2 to 4 and columns 3 to 8 of 12x16: of the cells' middles rows 3, columns 3, 5, 7.
    for topic, value in (("label_mask", 1), ("confidence", 191), ("instances", 1)):
        wanted = np.zeros((6, 8), int)
        wanted[1, 1:4] = value
        np.testing.assert_array_equal(pixels(came[topic][-1], TYPES[topic]), wanted)
    bench.spin_until(
        lambda: (
            stamps(came["label_mask"])
            & stamps(came["confidence"])
            & {(item.header.stamp.sec, item.header.stamp.nanosec) for item in bench.results}
        )
    )

    change = Parameter("label_mask.scale", value=0.25)
    assert bench.node.set_parameters([change])[0].successful
    bench.spin_until(lambda: all(kept[-1].width == 4 for kept in came.values()))
    bench.command.publish(String(data=""))
    for topic in TYPES:
        bench.spin_until(lambda topic=topic: not any(came[topic][-1].data), what=topic)
        assert (came[topic][-1].height, came[topic][-1].width) == (3, 4)
