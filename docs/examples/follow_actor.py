r"""Turns a robot towards the actor and drives up to it; stands still when that is not safe.

python docs/examples/follow_actor.py --ros-args -r ~/result:=/actseg/result \
    -r ~/cmd_vel:=/cmd_vel -p find:=/actseg/find -p sentence:="the person in red"

With `find` it first asks the node for the actor, drives only once that is found, and asks again
when it is lost for long. Without, it follows whatever the node finds.

An example to take apart, not a product: it knows nothing of obstacles. Put a collision monitor
between it and the wheels. docs/planner.md explains each check.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

from actseg.action import Find
from actseg.msg import ActorMask, ActorMaskArray, ActorState
from builtin_interfaces.msg import Duration as DurationMessage
from geometry_msgs.msg import Twist, TwistStamped
from pydantic import Field
from rclpy.action import ActionClient
from rclpy.clock import Clock, JumpThreshold
from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile

from actseg_core import Config
from actseg_core.errors import ConfigError
from actseg_ros.parameters import declare, refuse_changes, refuse_unknown
from actseg_ros.process import run

NANOSECONDS = 1_000_000_000
LAST_COMMAND_TIMEOUT_S = 0.5
ASK_S = 30  # a goal whose client has died ends by itself
NEWEST = QoSProfile(depth=1)  # reliable and volatile: never an old answer for a late joiner


class FollowConfig(Config):
    """Parameters, with their limits."""

    sentence: str = ""
    """Follow the actor of this sentence; empty: the first sentence that is FOUND."""
    find: str = ""
    """Name of the node's find action, such as /actseg/find; empty: another program asks."""
    hold_s: float = Field(0.5, ge=0.0, le=60.0)
    """Drive once the actor has been seen for this long [s] without a break; with find."""
    lost_s: float = Field(5.0, gt=0.0, le=3600.0)
    """Ask for the actor again when no good answer has come for this long [s]; with find."""
    timeout_s: float = Field(0.5, gt=0.0, le=10.0)
    """Stand still when no answer has come for this long [s]."""
    max_age_s: float = Field(1.0, gt=0.0, le=10.0)
    """Do not act on a frame older than this [s]."""
    future_tolerance_s: float = Field(0.2, ge=0.0, le=10.0)
    """Nor on one whose stamp is farther ahead of our clock than this [s]."""
    min_confidence: float = Field(0.6, ge=0.0, le=1.0)
    """Nor on an answer that is less certain."""
    near_area: float = Field(0.2, gt=0.0, le=1.0)
    """Stop when the actor fills this share of the image."""
    max_speed: float = Field(0.3, ge=0.0, le=2.0)
    """Largest speed [m/s]; never backwards."""
    max_turn: float = Field(0.8, ge=0.0, le=4.0)
    """Largest turn [rad/s]."""
    acceleration: float = Field(0.5, gt=0.0, le=10.0)
    """Change of speed [m/s^2]; a safety stop does not wait for it."""
    turn_acceleration: float = Field(2.0, gt=0.0, le=50.0)
    """Change of turn [rad/s^2]."""
    rate_hz: float = Field(20.0, ge=1.0, le=200.0)
    """Commands per second [Hz]."""
    stamped: bool = False
    """Publish TwistStamped, which newer controllers want, in place of Twist."""
    frame_id: str = "base_link"
    """header.frame_id of a TwistStamped."""


@dataclass(frozen=True)
class Motion:
    """A velocity command: speed ahead [m/s] and turn to the left [rad/s]."""

    speed: float = 0.0
    turn: float = 0.0


STILL = Motion()


def chosen(message: ActorMaskArray, sentence: str) -> ActorMask | None:
    """The mask to act on, None if there is none."""
    for mask in message.masks:
        if mask.sentence == sentence or (not sentence and mask.state.value == ActorState.FOUND):
            return mask
    return None


def objection(mask: ActorMask | None, config: FollowConfig, now_ns: int, last_ns: int) -> str:
    """Why not to act on a mask; empty if all is well.

    Args:
        mask: The answer.
        config: Limits.
        now_ns: Our clock, the same kind as the camera's stamps [ns].
        last_ns: Stamp of the answer before [ns].
    """
    if mask is None or mask.state.value != ActorState.FOUND:
        return "nobody found"
    stamp_ns = mask.header.stamp.sec * NANOSECONDS + mask.header.stamp.nanosec
    age_s = (now_ns - stamp_ns) / NANOSECONDS
    if age_s > config.max_age_s:
        return f"the frame is {age_s:.2f} s old"
    if age_s < -config.future_tolerance_s:
        return f"the frame is {-age_s:.2f} s in the future"
    if stamp_ns <= last_ns:
        return "this frame was answered before"
    if not mask.confidence >= config.min_confidence:  # NaN is not enough, either
        return f"the confidence is {mask.confidence:.2f}"
    if not (mask.mask.width and math.isfinite(mask.centroid_x)):
        return "the mask is empty"
    return ""


def wanted(mask: ActorMask, config: FollowConfig) -> Motion:
    """Turn so that the actor comes to the middle; drive while it is ahead and small."""
    middle = (mask.mask.width - 1) / 2
    offset = (mask.centroid_x - middle) / max(middle, 1.0)  # -1 left rim, 1 right rim
    closeness = min(1.0, mask.area_fraction / config.near_area)
    speed = config.max_speed * (1.0 - closeness) * max(0.0, 1.0 - abs(offset))
    return Motion(speed, max(-1.0, min(1.0, -offset)) * config.max_turn)


def eased(now: Motion, goal: Motion, config: FollowConfig, seconds: float) -> Motion:
    """A step from one motion towards another within the accelerations."""

    def step(value: float, target: float, most: float) -> float:
        return value + max(-most, min(most, target - value))

    return Motion(
        step(now.speed, goal.speed, config.acceleration * seconds),
        step(now.turn, goal.turn, config.turn_acceleration * seconds),
    )


class Asker:
    """Asks `find` for the actor, again and again, until it is found; nothing here waits.

    Args:
        node: Owns the client.
        config: Whom to look for, how surely and how long.
    """

    def __init__(self, node: Node, config: FollowConfig) -> None:
        self._node, self._config = node, config
        self._client = ActionClient(node, Find, config.find)
        self._handle: Any = None
        self._asking = False
        self.found = False

    def ask(self) -> None:
        """Send the goal, unless one is under way or nobody serves it yet."""
        if self._asking or not self._client.server_is_ready():
            return
        self._asking, self.found = True, False
        hold_ns = round(self._config.hold_s * NANOSECONDS)
        goal = Find.Goal(
            sentence=self._config.sentence,
            confidence=self._config.min_confidence,
            hold=DurationMessage(sec=hold_ns // NANOSECONDS, nanosec=hold_ns % NANOSECONDS),
            timeout=DurationMessage(sec=ASK_S),
            keep_active=True,
        )
        self._client.send_goal_async(goal).add_done_callback(self._on_answer)

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        if self._handle is not None:
            self._handle.cancel_goal_async()

    def _on_answer(self, sending: Any) -> None:
        self._handle = sending.result()
        if not self._handle.accepted:
            self._handle, self._asking = None, False
            return
        self._handle.get_result_async().add_done_callback(self._on_end)

    def _on_end(self, waiting: Any) -> None:
        result = waiting.result().result
        self._handle, self._asking = None, False
        self.found = result.error_code == Find.Result.NONE
        told = "found" if self.found else result.error_msg
        self._node.get_logger().info(f"find: {told}")


class FollowActor(Node):
    """Reads `~/result`, publishes `~/cmd_vel` all the time.

    Args:
        options: Passed to rclpy's Node.
    """

    hang_s = float("inf")

    def __init__(self, **options: Any) -> None:
        super().__init__("follow_actor", **options)
        self.config = declare(self, FollowConfig)
        refuse_unknown(self)
        self.add_on_set_parameters_callback(refuse_changes)
        self.finished, self.failed = False, ""
        if self.config.find and not self.config.sentence:
            raise ConfigError("parameter find needs a sentence to look for; give one")
        self._asker = Asker(self, self.config) if self.config.find else None
        self._asked_s = -math.inf
        self._goal, self._motion = STILL, STILL
        self._good_s, self._stamp_ns, self._reason = -math.inf, 0, ""
        kind = TwistStamped if self.config.stamped else Twist
        self._output = self.create_publisher(kind, "~/cmd_vel", NEWEST)
        self.create_subscription(ActorMaskArray, "~/result", self._on_result, NEWEST)
        # A steady clock: with simulated time a stopped /clock would stop the timeout, too.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        # With simulated time a recording may start over; its stamps are new again then.
        set_back = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1))
        self._jumps = self.get_clock().create_jump_callback(
            set_back, post_callback=lambda _jump: setattr(self, "_stamp_ns", 0)
        )
        self.create_timer(1.0 / self.config.rate_hz, self._on_time, clock=steady)

    def start(self) -> str:
        """Nothing to start."""
        return ""

    def stuck_s(self) -> float:
        """Nothing that could be stuck."""
        return 0.0

    def close(self) -> None:
        """The last command is to stand still, and it arrives before the process ends."""
        self._publish(STILL)
        if self._asker is not None:
            self._asker.cancel()
        self._output.wait_for_all_acked(Duration(seconds=LAST_COMMAND_TIMEOUT_S))

    def _on_result(self, message: ActorMaskArray) -> None:
        mask = chosen(message, self.config.sentence)
        now_ns = int(self.get_clock().now().nanoseconds)
        reason = objection(mask, self.config, now_ns, self._stamp_ns)
        if self._asker is not None and not self._asker.found:
            reason = "not found yet"
        if mask is None or reason:
            self._stand_still(reason)
            return
        self._stamp_ns = mask.header.stamp.sec * NANOSECONDS + mask.header.stamp.nanosec
        self._goal, self._good_s = wanted(mask, self.config), time.monotonic()
        self._explain("following")

    def _on_time(self) -> None:
        self._ask_if_lost(time.monotonic())
        if time.monotonic() - self._good_s > self.config.timeout_s and self._goal != STILL:
            self._stand_still(f"no answer for {self.config.timeout_s:g} s")
        self._motion = eased(self._motion, self._goal, self.config, 1.0 / self.config.rate_hz)
        self._publish(self._motion)

    def _ask_if_lost(self, now_s: float) -> None:
        """At the start, and when there has been no good answer for long."""
        if self._asker is None or now_s - max(self._good_s, self._asked_s) < self.config.lost_s:
            return
        self._asked_s = now_s
        self._asker.ask()

    def _stand_still(self, reason: str) -> None:
        """At once: accelerations are for comfort, this is for safety."""
        self._goal = self._motion = STILL
        self._explain(f"standing still: {reason}")

    def _publish(self, motion: Motion) -> None:
        message = TwistStamped() if self.config.stamped else Twist()
        twist = message
        if self.config.stamped:
            message.header.stamp = self.get_clock().now().to_msg()
            message.header.frame_id = self.config.frame_id
            twist = message.twist
        twist.linear.x, twist.angular.z = motion.speed, motion.turn
        self._output.publish(message)

    def _explain(self, reason: str) -> None:
        if reason.split(":")[0] != self._reason.split(":")[0]:
            self.get_logger().info(reason)
        self._reason = reason


def main(args: list[str] | None = None) -> int:
    """Run until a signal."""
    return run(FollowActor, args)


if __name__ == "__main__":
    raise SystemExit(main())
