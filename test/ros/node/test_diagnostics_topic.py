"""/diagnostics of a running node: what a supervisor sees."""

from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from actseg_core.live.states import State


def newest(bench: Any) -> tuple[bytes, str, dict[str, str]]:
    """Level, message and values."""
    if not bench.diagnostics:
        return b"", "", {}
    (status,) = bench.diagnostics[-1].status
    return status.level, status.message, {item.key: item.value for item in status.values}


def says(bench: Any, text: str) -> Callable[[], bool]:
    return lambda: text in newest(bench)[1]


def test_all_is_well_with_every_value(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    bench.spin_until(says(bench, "FOUND"))
    bench.spin_until(lambda: newest(bench)[0] == DiagnosticStatus.OK)
    _, _, values = newest(bench)
    assert values["model"] == "small"
    assert values["runtime"] == "torch"
    assert values["window"].startswith("full")
    assert values["sentence q1"] == "FOUND 0.75 'the dog'"
    assert float(values["input rate [Hz]"]) > 0
    for stage in ("waiting", "decoding", "window", "network", "publishing"):
        middle, high = values[f"{stage} p50 / p95 [ms]"].split(" / ")
        assert 0.0 <= float(middle) <= float(high)


def test_a_bad_frame_between_good_ones_is_a_warning_once(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    wrong = bench.picture()
    wrong.step = 1
    bench.camera.publish(wrong)
    bench.spin_until(says(bench, "the newest: BAD_INPUT: step is 1 bytes"))
    assert newest(bench)[0] == DiagnosticStatus.WARN
    bench.spin_until(lambda: newest(bench)[0] == DiagnosticStatus.OK)
    assert "BAD_INPUT: step is 1 bytes" in newest(bench)[2]["last problem"]


def test_a_command_publisher_that_is_not_reliable_is_told_until_it_goes(make: Any) -> None:
    bench = make()
    bench.start()
    bench.spin_until(bench.is_in(State.IDLE))  # before, no camera at all is the worse news
    careless = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = bench.client.create_publisher(String, "/actseg/command", careless)
    bench.spin_until(says(bench, "/actseg/command: a publisher has another RELIABILITY"))
    assert newest(bench)[0] == DiagnosticStatus.WARN
    bench.client.destroy_publisher(publisher)
    bench.spin_until(lambda: newest(bench)[0] == DiagnosticStatus.OK)


def test_a_latched_and_a_plain_command_publisher_are_both_heard_and_no_mismatch(
    make: Any,
) -> None:
    bench = make()
    bench.start()
    latched = bench.client.create_publisher(
        String, "/actseg/command", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    )
    # The plain one does not fit the subscription for latched ones, and that is an event.
    bench.spin_until(lambda: latched.get_subscription_count() == 2)
    seen = len(bench.diagnostics)
    bench.spin_until(lambda: len(bench.diagnostics) >= seen + 3)
    for message in bench.diagnostics[seen:]:
        assert "another DURABILITY" not in message.status[0].message
    for publisher, text in ((latched, "the dog"), (bench.command, "the cat")):
        publisher.publish(String(data=text))
        bench.spin_until(
            lambda wanted=text: (
                bench.has_answered() and bench.results[-1].masks[0].sentence == wanted
            )
        )


def test_a_subscriber_that_wants_the_past_of_the_mask_is_told(make: Any) -> None:
    bench = make()
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    bench.client.create_subscription(Image, "/actseg/mask", lambda _: None, latched)
    bench.start()
    bench.spin_until(says(bench, "/actseg/mask: a subscriber has another DURABILITY"))


def test_an_image_topic_of_another_type_is_told(make: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.camera)
    # One DDS participant cannot have two types on a topic: this camera is in another one.
    elsewhere = Context()
    rclpy.init(context=elsewhere, domain_id=bench.client.context.get_domain_id())
    camera = Node("camera", context=elsewhere)
    camera.create_publisher(CompressedImage, "/actseg/image", 1)
    assert bench.node.start() == ""
    bench.spin_until(
        says(
            bench,
            "/actseg/image is published as sensor_msgs/msg/CompressedImage, this node takes "
            "sensor_msgs/msg/Image; set compressed: true and remap",
        ),
        feed=False,
    )
    camera.destroy_node()
    elsewhere.shutdown()


def test_two_nodes_of_one_name_are_told(make: Any) -> None:
    bench = make()
    bench.start()
    twin = Node("actseg", context=bench.client.context)
    bench.spin_until(says(bench, "another node has the same name"))
    twin.destroy_node()
    bench.spin_until(lambda: newest(bench)[0] == DiagnosticStatus.OK)


def test_a_refused_command_is_in_status_and_diagnostics_until_one_is_accepted(make: Any) -> None:
    bench = make()
    bench.start()
    bench.command.publish(String(data="d" * 600))
    bench.spin_until(lambda: bench.statuses and bench.statuses[-1].refused_command)
    assert "may have 512 characters, got 600" in bench.statuses[-1].refused_command
    bench.spin_until(lambda: "got 600" in newest(bench)[2].get("last refused command", ""))
    bench.command.publish(String(data="the dog"))
    bench.spin_until(lambda: not bench.statuses[-1].refused_command)
