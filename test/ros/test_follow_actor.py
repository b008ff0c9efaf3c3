"""The planner's example: what it makes of an answer, and that it stands still when it must."""

import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from actseg.msg import ActorMask, ActorMaskArray, ActorState
from geometry_msgs.msg import Twist, TwistStamped
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S
from rclpy.clock_type import ClockType
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.time import Time
from sensor_msgs.msg import Image

from actseg_core.live.states import State
from actseg_ros.messages import time_message

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "follow_actor.py"
PUBLISHER = Path(__file__).with_name("result_publisher.py")
S = 10**9
NOW = 1000 * S


def load() -> Any:
    spec = importlib.util.spec_from_file_location("follow_actor", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


follow = load()
CONFIG = follow.FollowConfig()


def answer(**changes: Any) -> ActorMask:
    """FOUND in the middle of a 101 px wide image, 0.1 s ago."""
    values: dict[str, Any] = {
        "state": State.FOUND,
        "stamp_ns": NOW - S // 10,
        "confidence": 0.9,
        "centroid_x": 50.0,
        "area_fraction": 0.0,
        "sentence": "the dog",
        "width": 101,
        **changes,
    }
    mask = ActorMask(
        state=ActorState(value=int(values["state"])),
        confidence=values["confidence"],
        centroid_x=values["centroid_x"],
        area_fraction=values["area_fraction"],
        sentence=values["sentence"],
        mask=Image(width=values["width"], height=50),
    )
    mask.header.stamp = time_message(values["stamp_ns"])
    return mask


def test_a_good_answer_is_acted_on() -> None:
    assert follow.objection(answer(), CONFIG, NOW, 0) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(({"state": state}, "nobody found") for state in State if state is not State.FOUND),
        ({"stamp_ns": NOW - 2 * S}, "the frame is 2.00 s old"),
        ({"stamp_ns": NOW + S}, "the frame is 1.00 s in the future"),
        ({"confidence": 0.59}, "the confidence is 0.59"),
        ({"confidence": math.nan}, "the confidence is nan"),
        ({"centroid_x": math.nan}, "the mask is empty"),
        ({"width": 0}, "the mask is empty"),
    ],
)
def test_other_answers_are_not(changes: dict[str, Any], reason: str) -> None:
    assert follow.objection(answer(**changes), CONFIG, NOW, 0) == reason


def test_a_frame_is_acted_on_once() -> None:
    stamp_ns = NOW - S // 10
    reason = "this frame was answered before"
    assert follow.objection(answer(), CONFIG, NOW, stamp_ns) == reason
    assert follow.objection(answer(), CONFIG, NOW, stamp_ns + 1) == reason
    assert follow.objection(None, CONFIG, NOW, 0) == "nobody found"


def test_the_sentence_wanted_is_chosen_and_without_one_the_first_found() -> None:
    dog = answer(state=State.NOT_FOUND)
    cat = answer(sentence="the cat")
    message = ActorMaskArray(masks=[dog, cat])
    assert follow.chosen(message, "the dog") == dog
    assert follow.chosen(message, "") == cat
    assert follow.chosen(message, "the cow") is None
    assert follow.chosen(ActorMaskArray(), "") is None


@pytest.mark.parametrize(
    ("changes", "speed", "turn"),
    [
        ({}, 0.3, 0.0),
        ({"centroid_x": 100.0}, 0.0, -0.8),  # the right rim: turn right, do not drive
        ({"centroid_x": 0.0}, 0.0, 0.8),
        ({"centroid_x": 75.0}, 0.15, -0.4),
        ({"area_fraction": 0.1}, 0.15, 0.0),  # half as large as near
        ({"area_fraction": 0.2}, 0.0, 0.0),
        ({"area_fraction": 0.9}, 0.0, 0.0),
    ],
)
def test_motion_is_as_by_hand(changes: dict[str, Any], speed: float, turn: float) -> None:
    motion = follow.wanted(answer(**changes), CONFIG)
    assert motion.speed == pytest.approx(speed)
    assert motion.turn == pytest.approx(turn)


def test_motion_changes_within_the_accelerations() -> None:
    motion = follow.eased(follow.STILL, follow.Motion(0.3, -0.8), CONFIG, 0.1)
    assert (motion.speed, motion.turn) == (pytest.approx(0.05), pytest.approx(-0.2))
    assert follow.eased(motion, motion, CONFIG, 0.1) == motion


@given(st.floats(-1e6, 1e6), st.floats(0.0, 1.0), st.integers(1, 10_000))
def test_no_answer_makes_it_faster_than_allowed_or_drive_backwards(
    x: float, area: float, width: int
) -> None:
    motion = follow.wanted(answer(centroid_x=x, area_fraction=area, width=width), CONFIG)
    assert 0.0 <= motion.speed <= CONFIG.max_speed
    assert abs(motion.turn) <= CONFIG.max_turn


def test_where_a_recording_starts_over_its_frames_are_new_again(domain: int) -> None:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = follow.FollowActor(context=context)
    clock = node.get_clock()
    try:
        for second in (100, 101):
            clock.set_ros_time_override(Time(seconds=second, clock_type=ClockType.ROS_TIME))
            clock._set_ros_time_is_active(True)
            node._stamp_ns = second * S
        assert node._stamp_ns == 101 * S
        clock.set_ros_time_override(Time(seconds=50, clock_type=ClockType.ROS_TIME))
        assert node._stamp_ns == 0
    finally:
        node.destroy_node()
        context.try_shutdown()


class Wheels:
    """Hears the commands."""

    def __init__(self, context: Context, kind: Any) -> None:
        self.node = rclpy.create_node("wheels", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.heard: list[tuple[float, Any]] = []
        self.node.create_subscription(
            kind, "/cmd_vel", lambda message: self.heard.append((time.monotonic(), message)), 100
        )

    def until(self, condition: Callable[[], Any], what: str = "") -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, what
            self.executor.spin_once(timeout_sec=0.01)

    @property
    def last(self) -> Any:
        return self.heard[-1][1]


@pytest.fixture
def wheels(domain: int) -> Iterator[Callable[[Any], Wheels]]:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    made: list[Wheels] = []

    def make(kind: Any) -> Wheels:
        made.append(Wheels(context, kind))
        return made[-1]

    yield make
    for item in made:
        item.executor.shutdown()
        item.node.destroy_node()
    context.try_shutdown()


REMAP = ("-r", "~/result:=/actseg/result", "-r", "~/cmd_vel:=/cmd_vel", "-p", "max_age_s:=10.0")
# Of its topic only the newest command is kept: a slow start is seen by a client that misses some.
SLOWLY = ("-p", "acceleration:=0.1", "-p", "timeout_s:=2.0")


def test_it_follows_and_stands_still_when_the_answers_stop(start: Any, wheels: Any) -> None:
    robot = wheels(Twist)
    follower = start(str(EXAMPLE), "--ros-args", *REMAP, *SLOWLY)
    robot.until(lambda: robot.heard, follower.text)
    assert robot.last == Twist(), "without an answer it stands still"
    source = start(str(PUBLISHER))
    # Half way to the right rim, a quarter as large as near: 0.3 * 0.75 * 0.5 m/s.
    robot.until(lambda: robot.last.linear.x > 0.1115, follower.text)
    assert robot.last.linear.x == pytest.approx(0.1125, abs=1e-3)
    assert robot.last.angular.z == pytest.approx(-0.4, abs=1e-3)
    speeds = [message.linear.x for _, message in robot.heard]
    assert max(speeds) <= 0.1126
    assert any(0.0 < speed < 0.1 for speed in speeds), "it starts within its acceleration"
    source.kill()
    robot.until(lambda: "standing still: no answer for 2 s" in follower.text, follower.text)
    robot.until(lambda: robot.last == Twist(), follower.text)
    seen = len(robot.heard)
    robot.until(lambda: len(robot.heard) > seen + 5)
    assert all(message == Twist() for _, message in robot.heard[seen:])
    assert follower.stop() == 0


def test_its_last_command_is_to_stand_still(start: Any, wheels: Any) -> None:
    robot = wheels(TwistStamped)
    follower = start(str(EXAMPLE), "--ros-args", *REMAP, "-p", "stamped:=true")
    start(str(PUBLISHER))
    robot.until(lambda: robot.heard and robot.last.twist.linear.x > 0.1, follower.text)
    assert robot.last.header.frame_id == "base_link"
    assert follower.stop() == 0
    robot.until(lambda: robot.last.twist == Twist())


def test_a_wrong_parameter_is_refused(start: Any) -> None:
    follower = start(str(EXAMPLE), "--ros-args", "-p", "max_speed:=99.0")
    assert follower.wait() == 2
    assert "max_speed" in follower.text and "less than or equal to 2" in follower.text
