"""Images of all cameras: QoS, type, compression, damage."""

from array import array
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.parameter import Parameter
from rclpy.qos import (
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from sensor_msgs.msg import CompressedImage, Image

from actseg_core.live.states import State

PICTURE = np.zeros((12, 16, 3), np.uint8)


def test_compressed_images_are_understood(make: Any) -> None:
    import cv2

    bench = make(sentence="the dog", compressed=True)
    camera = bench.client.create_publisher(
        CompressedImage, "/actseg/image/compressed", qos_profile_sensor_data
    )
    assert bench.node.start() == ""
    content = cv2.imencode(".jpg", PICTURE)[1].tobytes()

    def send() -> bool:
        message = CompressedImage(format="jpeg", data=array("B", content))
        message.header.stamp = bench.client.get_clock().now().to_msg()
        camera.publish(message)
        return bench.state is State.FOUND

    bench.spin_until(send, feed=False)
    bench.spin_until(bench.has_answered)
    assert bench.results[-1].masks[0].mask.width == 16


def test_a_bad_image_is_skipped_and_the_next_good_one_answered(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    wrong = bench.picture()
    wrong.data = wrong.data[:-1]

    def send() -> bool:
        wrong.header.stamp = bench.client.get_clock().now().to_msg()
        bench.camera.publish(wrong)
        return bench.state is State.BAD_INPUT

    bench.spin_until(send, feed=False)
    assert "data holds 575 bytes, but 12 rows of 48 bytes are 576" in bench.statuses[-1].detail
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.statuses[-1].frames_rejected >= 1


def test_a_camera_with_another_qos_is_named_in_the_diagnostics(make: Any) -> None:
    bench = make(image_reliability="reliable")
    assert bench.node.start() == ""
    bench.spin_until(
        lambda: (
            bench.diagnostics
            and "set image_reliability: auto" in bench.diagnostics[-1].status[0].message
        )
    )


def test_images_that_the_middleware_lost_are_told_until_they_come_again(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make()
    bench.start()
    bench.spin_until(lambda: bench.state is State.IDLE and bench.diagnostics)
    images = bench.node.cameras[""].images
    images._on_lost(SimpleNamespace(total_count_change=1000))
    told = "images of the last seconds were lost on their way here"
    bench.spin_until(lambda: told in bench.diagnostics[-1].status[0].message)
    assert bench.diagnostics[-1].status[0].level == DiagnosticStatus.WARN
    monkeypatch.setattr("actseg_ros.images.LOSS_WINDOW_S", 0.0)
    bench.spin_until(lambda: told not in bench.diagnostics[-1].status[0].message)


@pytest.mark.parametrize("first", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_the_subscription_is_as_reliable_as_all_its_cameras(make: Any, first: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.camera)
    other = {ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT} - {first}

    def subscribed() -> Any:
        infos = bench.client.get_subscriptions_info_by_topic("/actseg/image")
        return [info.qos_profile.reliability for info in infos]

    bench.camera = bench.client.create_publisher(
        Image, "/actseg/image", QoSProfile(depth=1, reliability=first)
    )
    assert bench.node.start() == ""
    bench.spin_until(bench.is_in(State.IDLE))
    bench.spin_until(lambda: subscribed() == [first])
    bench.client.create_publisher(
        Image, "/actseg/image", QoSProfile(depth=1, reliability=other.pop())
    )
    bench.spin_until(lambda: subscribed() == [ReliabilityPolicy.BEST_EFFORT])
    bench.spin_until(bench.is_in(State.IDLE))


def test_a_matched_camera_without_images_points_at_the_transport(make: Any) -> None:
    bench = make()
    assert bench.node.start() == ""
    bench.spin_until(
        lambda: (
            bench.diagnostics
            and "FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA" in bench.diagnostics[-1].status[0].message
        ),
        feed=False,
    )


def test_a_12_bit_camera_in_16_bits_is_named_until_the_parameter_fits(make: Any) -> None:
    bench = make()
    bench.start()
    samples = np.linspace(0, 4095, 12 * 16).astype(np.uint16)

    def infrared() -> Image:
        message = Image(height=12, width=16, encoding="mono16", step=32)
        message.data = array("B", samples.tobytes())
        message.header.stamp = bench.client.get_clock().now().to_msg()
        return message

    bench.picture = infrared
    told = "if the camera has 12 bits set bit_depth: 12"
    bench.spin_until(
        lambda: bench.diagnostics and told in bench.diagnostics[-1].status[0].message, what=told
    )
    assert bench.diagnostics[-1].status[0].level == DiagnosticStatus.WARN
    assert bench.node.set_parameters([Parameter("bit_depth", value=12)])[0].successful
    bench.spin_until(lambda: "bit_depth" not in bench.diagnostics[-1].status[0].message)


def test_a_camera_on_another_topic_is_named_while_none_is_on_this_one(make: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.camera)
    bench.client.create_publisher(Image, "/cam/image_raw", 1)
    bench.client.create_publisher(CompressedImage, "/cam/image_raw/compressed", 1)
    assert bench.node.start() == ""
    told = (
        "no image since activation; nobody publishes /actseg/image; published are /cam/image_raw "
        "(Image), /cam/image_raw/compressed (CompressedImage): remap ~/image to the right one"
    )
    bench.spin_until(lambda: bench.statuses and bench.statuses[-1].detail == told, feed=False)
    bench.spin_until(
        lambda: bench.diagnostics and told in bench.diagnostics[-1].status[0].message, feed=False
    )


def test_a_silent_camera_on_the_right_topic_is_named_with_its_type_and_qos(make: Any) -> None:
    bench = make()
    assert bench.node.start() == ""
    told = "/actseg/image has 1 publisher (sensor_msgs/msg/Image, best effort, by /client)"
    bench.spin_until(lambda: bench.statuses and told in bench.statuses[-1].detail, feed=False)


def test_a_node_that_waits_for_a_sentence_names_the_topic(make: Any) -> None:
    bench = make()
    bench.start()
    bench.spin_until(bench.is_in(State.IDLE))
    assert bench.statuses[-1].detail == "no sentence; publish one on /actseg/command"


def test_a_node_that_waits_for_its_lifecycle_manager_says_so(make: Any) -> None:
    bench = make(autostart=False)
    assert bench.node.start() == ""
    bench.spin_until(
        lambda: bench.statuses and "transition configure" in bench.statuses[-1].detail
    )
    bench.node.trigger_configure()
    bench.spin_until(lambda: "transition activate" in bench.statuses[-1].detail)
