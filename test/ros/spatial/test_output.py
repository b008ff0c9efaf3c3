"""3-D outputs of the real node with a small model, worked out by hand."""

import math
import struct
from array import array
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from visualization_msgs.msg import Marker

import actseg_ros.spatial.output as spatial
from actseg_ros.spatial.messages import POINT

K = [10.0, 0.0, 5.5, 0.0, 10.0, 2.0, 0.0, 0.0, 1.0]  # of the camera in conftest.py
TOPICS = ("centroid", "points", "markers")


def test_place_points_and_markers_of_the_actor_come_with_the_frames_stamp(make: Any) -> None:
    bench = make()
    bench.read(*TOPICS)
    bench.ask("the dog")
    bench.spin_until(lambda: all(bench.came.values()))
    centroid = bench.came["centroid"][-1]
    # Mean column 5.5 is the axis; mean row 3 is one row below it: 2 m * 1/10.
    assert [centroid.point.x, centroid.point.y, centroid.point.z] == pytest.approx([0, 0.2, 2])
    cloud = np.frombuffer(bench.came["points"][-1].data, POINT)
    assert len(cloud) == 18 and set(cloud["z"]) == {2.0} and set(cloud["sentence"]) == {0}
    assert cloud["x"].min() == pytest.approx(-0.5) and cloud["y"].max() == pytest.approx(0.4)
    clear, box, text = bench.came["markers"][-1].markers
    assert (clear.action, box.type, text.text) == (
        Marker.DELETEALL,
        Marker.CUBE,
        "the dog\n2.01 m",
    )
    assert [box.pose.position.x, box.pose.position.y] == pytest.approx([0, 0.2], abs=0.01)
    for message in (centroid, bench.came["points"][-1], box):
        assert message.header.frame_id == "optical"
        assert (message.header.stamp.sec, message.header.stamp.nanosec) in bench.sent


def test_an_actor_that_is_not_there_leaves_an_empty_cloud_and_no_marker(make: Any) -> None:
    bench = make()
    bench.read(*TOPICS)
    bench.ask("the dog")
    bench.spin_until(lambda: all(bench.came.values()))
    bench.ask("absent")
    bench.spin_until(lambda: bench.came["points"][-1].width == 0)
    bench.spin_until(lambda: len(bench.came["markers"][-1].markers) == 1)
    seen = len(bench.came["centroid"])
    clouds = len(bench.came["points"])
    bench.spin_until(lambda: len(bench.came["points"]) > clouds + 3)
    assert len(bench.came["centroid"]) == seen
    last = bench.came["points"][-1]
    assert (last.header.stamp.sec, last.header.stamp.nanosec) in bench.sent


def test_a_silent_camera_takes_points_and_markers_away(make: Any) -> None:
    bench = make()
    bench.read(*TOPICS)
    bench.ask("the dog")
    bench.spin_until(lambda: all(bench.came.values()))
    bench.node.set_parameters([Parameter("stream.stale_after_s", value=0.2)])
    bench.spin_until(lambda: bench.came["points"][-1].width == 0, feed=False)
    bench.spin_until(lambda: len(bench.came["markers"][-1].markers) == 1, feed=False)
    assert bench.came["points"][-1].header.frame_id == "optical"


def test_deactivation_takes_points_and_markers_away_and_activation_brings_them(make: Any) -> None:
    bench = make()
    bench.read(*TOPICS)
    bench.ask("the dog")
    bench.spin_until(lambda: all(bench.came.values()))
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    bench.spin_until(lambda: bench.came["points"][-1].width == 0)
    assert bench.depth_camera.get_subscription_count() == 0
    assert bench.node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    bench.spin_until(lambda: bench.came["points"][-1].width == 18)


def test_depth_is_subscribed_to_only_while_somebody_asks(make: Any) -> None:
    bench = make()
    bench.ask("the dog")
    bench.spin_until(lambda: bench.facts().get("state") == "FOUND")
    assert bench.depth_camera.get_subscription_count() == 0
    bench.read("points")
    bench.spin_until(lambda: bench.came["points"])
    assert bench.depth_camera.get_subscription_count() == 1
    bench.client.destroy_subscription(list(bench.client.subscriptions)[-1])
    bench.spin_until(lambda: bench.depth_camera.get_subscription_count() == 0)


def test_the_page_asks_for_depth_and_shows_the_distance_of_the_centroid(make: Any) -> None:
    bench = make(**{"web.enabled": True, "web.port": 0})
    view = bench.node.cameras[""].page.view
    bench.ask("the dog")
    bench.spin_until(lambda: bench.facts().get("state") == "FOUND")
    assert bench.depth_camera.get_subscription_count() == 0
    assert view.status()["sentences"][0]["distance_m"] is None
    view.watchers = 1  # as when a browser looks
    bench.read("centroid")
    bench.spin_until(
        lambda: view.status()["sentences"][0]["distance_m"] and bench.came["centroid"]
    )
    place = bench.came["centroid"][-1].point
    metres = math.hypot(place.x, place.y, place.z)
    assert view.status()["sentences"][0]["distance_m"] == pytest.approx(metres, abs=0.006)
    bench.ask("absent")
    bench.spin_until(lambda: bench.facts().get("state") == "NOT_FOUND")
    assert view.status()["sentences"][0]["distance_m"] is None


def test_without_the_parameter_there_are_no_such_topics(make: Any) -> None:
    bench = make(enabled=False)
    names = {name for name, _ in bench.node.get_topic_names_and_types()}
    assert not names & {"/actseg/points", "/actseg/centroid", "/actseg/markers"}


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda bench: setattr(bench, "info", None), "no camera_info has come"),
        (
            lambda bench: setattr(bench, "info", CameraInfo(width=640, height=480, k=K)),
            "camera_info is for 640x480 images, the masks are 16x12",
        ),
        (
            lambda bench: setattr(bench, "info", CameraInfo(width=16, height=12)),
            "calibrate it",
        ),
        (
            lambda bench: setattr(bench, "depth_mm", np.full((6, 8), 2000, np.uint16)),
            "aligned with the mask's 16x12 image, got 8x6",
        ),
        (lambda bench: setattr(bench, "encoding", "bgr8"), "'bgr8' is no depth"),
    ],
)
def test_what_does_not_go_together_is_named_and_then_recovered_from(
    make: Any, break_it: Callable[[Any], None], reason: str
) -> None:
    bench = make()
    bench.read("points")
    good = (bench.info, bench.depth_mm, bench.encoding)
    break_it(bench)
    bench.ask("the dog")
    bench.spin_until(lambda: reason in bench.facts().get("depth problem", ""))
    assert all(message.width == 0 for message in bench.came["points"])
    bench.info, bench.depth_mm, bench.encoding = good
    bench.spin_until(lambda: bench.came["points"] and bench.came["points"][-1].width == 18)
    bench.spin_until(lambda: bench.facts().get("depth problem") == "")


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -1.0])
def test_an_actor_without_depth_has_no_place(make: Any, value: float) -> None:
    bench = make()
    bench.read(*TOPICS)
    bench.depth_mm = np.full((12, 16), value, np.float32)
    bench.encoding = "32FC1"
    bench.ask("the dog")
    bench.spin_until(lambda: len(bench.came["points"]) > 2)
    assert all(message.width == 0 for message in bench.came["points"])
    assert not bench.came["centroid"]


def test_without_depth_images_masks_go_on_and_the_rest_is_counted(make: Any) -> None:
    bench = make()
    bench.read("points")
    bench.depth_mm = None
    bench.ask("the dog")
    bench.spin_until(lambda: int(bench.facts().get("masks without depth", "0")) > 3)
    assert bench.facts()["state"] == "FOUND"
    assert not bench.came["points"]


def test_its_limits_change_while_it_runs(make: Any) -> None:
    bench = make()
    bench.read("points")
    bench.ask("the dog")

    def widths_after(name: str, value: Any, width: int) -> None:
        (told,) = bench.node.set_parameters([Parameter(name, value=value)])
        assert told.successful, told.reason
        bench.spin_until(lambda: bench.came["points"] and bench.came["points"][-1].width == width)

    widths_after("spatial.min_points", 18, 18)
    widths_after("spatial.min_points", 19, 0)
    widths_after("spatial.min_points", 5, 18)
    widths_after("spatial.max_depth_m", 1.5, 0)  # all of it is 2 m away
    widths_after("spatial.max_depth_m", 20.0, 18)
    widths_after("stream.max_pixels", 192, 18)
    (told,) = bench.node.set_parameters([Parameter("spatial.depth_frames", value=2)])
    assert told.successful
    bench.spin_until(lambda: bench.facts().get("depth images kept") == "2")


def test_without_visualization_msgs_the_rest_works(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spatial, "MarkerArray", None)
    bench = make()
    bench.read("points")
    bench.ask("the dog")
    bench.spin_until(lambda: bench.came["points"] and bench.came["points"][-1].width == 18)


def test_camera_info_that_was_sent_once_and_latched_is_heard(make: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.info_camera)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    camera = bench.client.create_publisher(CameraInfo, "/actseg/camera_info", latched)
    camera.publish(bench.info)
    bench.info = None
    bench.ask("the dog")
    bench.spin_until(lambda: bench.facts().get("state") == "FOUND")
    bench.read("points")
    bench.spin_until(lambda: bench.came["points"] and bench.came["points"][-1].width == 18)


def test_camera_info_that_was_sent_once_before_anybody_wanted_points_is_kept(make: Any) -> None:
    bench = make()
    bench.spin_until(lambda: bench.info_camera.get_subscription_count() == 1, feed=False)
    bench.info_camera.publish(bench.info)
    bench.info = None
    bench.ask("the dog")
    bench.spin_until(lambda: bench.facts().get("state") == "FOUND")
    bench.read("points")
    bench.spin_until(lambda: bench.came["points"] and bench.came["points"][-1].width == 18)


def test_depth_that_never_comes_is_told_with_the_topic_and_what_else_there_is(make: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.depth_camera)
    bench.client.create_publisher(Image, "/cam/depth", 1)
    bench.depth_mm = None
    bench.read("points")
    bench.ask("the dog")
    told = (
        "wanted is sensor_msgs/msg/Image: nobody publishes /actseg/depth; published are "
        "/actseg/image (Image), /cam/depth (Image): remap ~/depth to the right one"
    )
    bench.spin_until(lambda: told in bench.message(), what=told)
    assert bench.message().startswith("1 FOUND; no 3-D output: no depth image for ")
    assert told in bench.facts()["depth problem"]


def test_camera_info_that_never_comes_is_told_with_its_topic(make: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.info_camera)
    bench.info = None
    bench.read("points")
    bench.ask("the dog")
    told = (
        "no camera_info has come, wanted is sensor_msgs/msg/CameraInfo: nobody publishes /actseg"
    )
    bench.spin_until(lambda: told in bench.message(), what=told)


def test_depth_of_another_type_is_told(make: Any) -> None:
    bench = make()
    bench.client.destroy_publisher(bench.depth_camera)
    bench.depth_mm = None
    # One DDS participant cannot have two types on a topic: this camera is in another one.
    elsewhere = Context()
    rclpy.init(context=elsewhere, domain_id=bench.client.context.get_domain_id())
    camera = Node("camera", context=elsewhere)
    camera.create_publisher(CompressedImage, "/actseg/depth", 1)
    bench.read("points")
    bench.ask("the dog")
    told = "/actseg/depth has 1 publisher (sensor_msgs/msg/CompressedImage, reliable, by /camera)"
    bench.spin_until(lambda: told in bench.message(), what=told)
    camera.destroy_node()
    elsewhere.shutdown()


@pytest.mark.parametrize(
    ("ahead_s", "told"),
    [
        (7200.0, "their stamps are of different clocks"),
        (-7200.0, "s before the images nearest to them, spatial.tolerance_s allows 0.001 s"),
        (0.2, "spatial.tolerance_s allows 0.001 s: synchronise the two, or raise it"),
    ],
)
def test_depth_that_never_fits_is_told_with_the_distance_and_the_limit(
    make: Any, ahead_s: float, told: str
) -> None:
    bench = make(tolerance_s=0.001)
    bench.depth_ahead_ns = round(ahead_s * 1e9)
    bench.read("points")
    bench.ask("the dog")
    bench.spin_until(lambda: told in bench.message(), what=told)
    assert "depth images of /actseg/depth lie" in bench.message()


def test_points_are_taken_away_when_depth_does_not_fit_any_more(make: Any) -> None:
    bench = make(tolerance_s=0.001)
    bench.read("points")
    bench.ask("the dog")
    bench.spin_until(lambda: bench.came["points"] and bench.came["points"][-1].width == 18)
    bench.depth_ahead_ns = 3600 * 10**9
    bench.spin_until(lambda: bench.came["points"][-1].width == 0)


def test_masks_that_come_after_their_depth_has_gone_name_the_parameter(make: Any) -> None:
    bench = make(depth_frames=1)
    bench.depth_ahead_ns = 60 * 10**9
    bench.read("points")
    bench.ask("the dog")
    bench.spin_until(lambda: "raise spatial.depth_frames, now 1" in bench.message())


def test_an_actor_with_too_little_depth_is_told_with_both_limits(make: Any) -> None:
    bench = make(max_depth_m=1.5)
    bench.read("points")
    bench.ask("the dog")
    told = (
        "q1 is found, but only 0 pixels of its mask have depth up to 1.5 m (spatial.max_depth_m), "
        "spatial.min_points wants 5"
    )
    bench.spin_until(lambda: told in bench.message(), what=told)


def test_nothing_is_missed_while_nobody_wants_3d(make: Any) -> None:
    bench = make()
    bench.depth_mm = bench.info = None
    bench.ask("the dog")
    bench.spin_until(lambda: bench.facts().get("state") == "FOUND")
    bench.spin_until(lambda: len(bench.diagnostics) > 4)
    assert "no 3-D output" not in bench.message()


def test_depth_that_image_transport_packed_gives_the_same_place(make: Any) -> None:
    bench = make(depth_compressed=True)
    bench.read("centroid")
    many = QoSProfile(depth=100)
    packed = bench.client.create_publisher(CompressedImage, "/actseg/depth/compressedDepth", many)
    done, png = cv2.imencode(".png", bench.depth_mm)
    assert done
    data = array("B", struct.pack("<iff", 0, 0.0, 0.0) + png.tobytes())
    bench.depth_mm = None
    feed = bench.feed

    def feed_packed() -> None:
        feed()
        message = CompressedImage(format="16UC1; compressedDepth png", data=data)
        message.header.stamp.sec, message.header.stamp.nanosec = bench.sent[-1]
        packed.publish(message)

    bench.feed = feed_packed
    bench.ask("the dog")
    bench.spin_until(lambda: bench.came["centroid"])
    place = bench.came["centroid"][-1].point
    assert [place.x, place.y, place.z] == pytest.approx([0.0, 0.2, 2.0])
