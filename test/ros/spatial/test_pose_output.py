"""Poses in the frame that is named, with tf as it comes: through the real tf2 where it is built.

tf2_ros is not on PyPI: test/ros/tf2_package.py says how these are run on the wheels.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, TransformStamped
from rclpy.duration import Duration
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import PointCloud2

import actseg_ros.spatial.frames as frames

LAYERS = QoSProfile(depth=1)  # rclcpp::QoS(KeepLast(1)): FollowObject's subscription
with_tf2 = pytest.mark.skipif(frames.tf2_ros is None, reason="Python's tf2_ros is not installed")


class Tree:
    """A robot that stands 10 m along x of the map; its camera looks ahead (x), 1 m up."""

    def __init__(self, bench: Any) -> None:
        from tf2_msgs.msg import TFMessage

        self.bench, self.kind = bench, TFMessage
        self.moving = bench.client.create_publisher(TFMessage, "/tf", 100)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.fixed = bench.client.create_publisher(TFMessage, "/tf_static", latched)
        mount = self.transform("base_link", "optical", (0.0, 0.0, 1.0))
        turn = mount.transform.rotation
        turn.x, turn.y, turn.z, turn.w = -0.5, 0.5, -0.5, 0.5
        self.fixed.publish(TFMessage(transforms=[mount]))
        self.lag_s, self.x = 0.0, 10.0

    def transform(self, parent: str, child: str, at: tuple[float, float, float]) -> Any:
        message = TransformStamped(child_frame_id=child)
        message.header.frame_id = parent
        place = message.transform.translation
        place.x, place.y, place.z = at
        message.transform.rotation.w = 1.0
        return message

    def tell(self) -> None:
        """Where the robot was `lag_s` ago."""
        now = self.bench.client.get_clock().now()
        message = self.transform("map", "base_link", (self.x, 0.0, 0.0))
        message.header.stamp = (now - Duration(seconds=self.lag_s)).to_msg()
        self.moving.publish(self.kind(transforms=[message]))


@pytest.fixture
def poses(make: Any) -> Callable[..., tuple[Any, list[PoseStamped]]]:
    def begin(**values: Any) -> tuple[Any, list[PoseStamped]]:
        bench, came = make(**values), []
        bench.client.create_subscription(PoseStamped, "/actseg/pose", came.append, LAYERS)
        bench.ask("the dog")
        return bench, came

    return begin


def spin(bench: Any, tree: Tree, condition: Callable[[], Any]) -> None:
    """With a tree that is told at 30 Hz."""
    due_s = 0.0

    def told() -> Any:
        nonlocal due_s
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + 0.03
            tree.tell()
        return condition()

    bench.spin_until(told)


def at(pose: PoseStamped) -> list[float]:
    place = pose.pose.position
    return [place.x, place.y, place.z]


def test_without_a_target_frame_poses_are_the_cameras_at_the_rate_of_its_answers(
    poses: Any,
) -> None:
    bench, came = poses()
    bench.spin_until(lambda: len(came) >= 10)
    assert at(came[-1]) == pytest.approx([0.0, 0.2, 2.0])
    turn = came[-1].pose.orientation
    assert [turn.x, turn.y, turn.z, turn.w] == pytest.approx([0.5, -0.5, 0.5, 0.5])
    stamps = [(pose.header.stamp.sec, pose.header.stamp.nanosec) for pose in came]
    assert all(pose.header.frame_id == "optical" for pose in came)
    assert stamps == sorted(set(stamps)) and set(stamps) <= set(bench.sent)
    # Every answered frame from the first pose on has one: none waits for another.
    answered = [stamp for stamp in bench.sent if stamps[0] <= stamp <= stamps[-1]]
    assert len(stamps) > len(answered) / 2


def test_no_pose_of_nobody(poses: Any) -> None:
    bench, came = poses()
    bench.spin_until(lambda: came)
    bench.ask("absent")
    bench.read("points")
    bench.spin_until(lambda: bench.came["points"] and bench.came["points"][-1].width == 0)
    seen = len(came)
    clouds = len(bench.came["points"])
    bench.spin_until(lambda: len(bench.came["points"]) > clouds + 3)
    assert len(came) == seen


def test_without_tf2_a_target_frame_is_told_and_no_pose_is_guessed(
    poses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "tf2_ros", None)
    bench, came = poses(target_frame="map")
    bench.spin_until(lambda: "ros-$ROS_DISTRO-tf2-ros-py" in bench.facts().get("tf problem", ""))
    bench.spin_until(lambda: "ros-$ROS_DISTRO-tf2-ros-py" in bench.message())
    assert not came
    bench.node.set_parameters([Parameter("spatial.target_frame", value="optical")])
    bench.spin_until(lambda: came)  # the images' own needs no tf
    assert came[-1].header.frame_id == "optical"


@with_tf2
def test_a_tree_that_moves_gives_poses_where_the_robot_was_at_the_images_stamp(
    poses: Any,
) -> None:
    bench, came = poses(target_frame="map")
    tree = Tree(bench)
    spin(bench, tree, lambda: came)
    assert came[-1].header.frame_id == "map"
    assert at(came[-1]) == pytest.approx([12.0, 0.0, 0.8])
    turn = came[-1].pose.orientation
    assert [turn.x, turn.y, turn.z, turn.w] == pytest.approx([0.0, 0.0, 0.0, 1.0])
    tree.x = 20.0
    spin(bench, tree, lambda: at(came[-1])[0] == pytest.approx(22.0))
    stamp = came[-1].header.stamp
    assert (stamp.sec, stamp.nanosec) in bench.sent


@with_tf2
def test_a_tree_that_lags_is_waited_for_and_one_that_lags_too_far_is_told(poses: Any) -> None:
    bench, came = poses(target_frame="map", tf_timeout_s=5.0)
    tree = Tree(bench)
    tree.lag_s = 0.3
    spin(bench, tree, lambda: len(came) > 3)
    bench.node.set_parameters([Parameter("spatial.tf_timeout_s", value=0.0)])
    tree.lag_s = 3.0
    spin(bench, tree, lambda: "before the image: it lags" in bench.facts().get("tf problem", ""))
    spin(bench, tree, lambda: "before the image: it lags" in bench.message())
    assert bench.message().startswith("1 "), "a warning"
    seen = len(came)
    wait_s = time.monotonic() + 0.5
    spin(bench, tree, lambda: time.monotonic() > wait_s)
    assert len(came) == seen


@with_tf2
def test_a_tree_that_breaks_is_told_and_recovered_from(poses: Any) -> None:
    bench, came = poses(target_frame="map")
    tree = Tree(bench)
    spin(bench, tree, lambda: came)
    bench.spin_until(lambda: "it lags or has stopped" in bench.facts().get("tf problem", ""))
    seen = len(came)
    spin(bench, tree, lambda: len(came) > seen)
    spin(bench, tree, lambda: bench.facts().get("tf problem") == "")


@with_tf2
def test_an_unknown_frame_is_named_and_another_can_be_set_meanwhile(poses: Any) -> None:
    bench, came = poses(target_frame="nowhere", tf_timeout_s=0.1)
    tree = Tree(bench)
    spin(
        bench,
        tree,
        lambda: (
            "there is no tf from 'optical' to spatial.target_frame 'nowhere'"
            in bench.facts().get("tf problem", "")
        ),
    )
    assert not came
    bench.node.set_parameters([Parameter("spatial.target_frame", value="/base_link")])
    spin(bench, tree, lambda: came)
    assert at(came[-1]) == pytest.approx([2.0, 0.0, 0.8])


@with_tf2
def test_an_image_from_before_the_tree_is_told(make: Any) -> None:
    bench = make(target_frame="map")
    tree = Tree(bench)
    target = bench.node.cameras[""].spatial.poses._target
    tree.tell()
    spin(bench, tree, lambda: target._buffer.can_transform("map", "optical", Time()))
    with pytest.raises(frames.NoTransform, match="is not known any more for an image"):
        target.at("optical", 1_000_000_000)


def cloud_widths(bench: Any) -> list[int]:
    widths: list[int] = []
    bench.client.create_subscription(
        PointCloud2,
        "/actseg/points_without_actors",
        lambda message: widths.append(message.width),
        LAYERS,
    )
    return widths


def test_the_cloud_without_actors_has_all_but_the_actor_and_all_without_a_sentence(
    make: Any,
) -> None:
    bench = make(cloud_step=1, actor_margin_px=1)
    widths = cloud_widths(bench)
    bench.spin_until(lambda: 16 * 12 in widths)  # no sentence: nobody is left out
    bench.ask("the dog")
    # Rows 2 to 4 and columns 3 to 8 with a margin of 1: 5 * 8.
    bench.spin_until(lambda: widths[-1] == 16 * 12 - 5 * 8)
    bench.ask("absent")
    bench.spin_until(lambda: widths[-1] == 16 * 12)
    bench.ask("the dog")
    bench.spin_until(lambda: widths[-1] == 16 * 12 - 5 * 8)
    bench.ask("")
    bench.spin_until(lambda: widths[-1] == 16 * 12)


def test_depth_of_another_size_gives_no_cloud_and_is_told(make: Any) -> None:
    bench = make(cloud_step=1, actor_margin_px=0)
    widths = cloud_widths(bench)
    bench.depth_mm = np.full((6, 8), 2000, np.uint16)
    bench.ask("the dog")
    bench.spin_until(lambda: "got 8x6" in bench.facts().get("depth problem", ""))
    bench.depth_mm = np.full((12, 16), 2000, np.uint16)
    bench.spin_until(lambda: widths and widths[-1] > 0)


def test_each_answered_frame_with_an_actor_has_exactly_one_pose(poses: Any) -> None:
    bench, came = poses()
    bench.spin_until(lambda: came)

    def stamps() -> list[tuple[int, int]]:
        return [(pose.header.stamp.sec, pose.header.stamp.nanosec) for pose in came]

    def is_settled() -> bool:
        return stamps()[-1] == bench.sent[-1]

    bench.spin_until(is_settled, feed=False)
    seen = len(came)
    for _ in range(10):  # one at a time: whatever is slow, none may be left out
        bench.feed()
        bench.spin_until(is_settled, feed=False)
    assert stamps()[seen:] == bench.sent[-10:]
