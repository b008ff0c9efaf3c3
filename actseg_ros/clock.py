"""The node's clock: jumps and steps of simulated time, and a /clock that is missing."""

import time
from collections.abc import Callable

from rclpy.clock import JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode

from actseg_core.live.frame_checks import NANOSECONDS
from actseg_core.live.stats import Interval

# A step this many times the usual one is a jump, and a clock that takes as long has stopped.
UNUSUAL = 2.5
STOPPED_S = 2.0
MISSING = (
    "use_sim_time is set, but no time has come on {topic}, which has {count} publishers: start "
    "the simulation, play the recording with its clock, or set use_sim_time: false"
)
STOPPED = "{topic} has not advanced for {silent_s:.0f} s: is the simulation paused?"
IGNORED = (
    "{topic} is published, but use_sim_time is not set: start this node with use_sim_time: true "
    "if the images bear simulated or recorded time"
)


class ClockWatch:
    """Tells jumps of the node's clock from its steps.

    A simulation that is faster than real time, or tells its time seldom, moves /clock on by large
    steps: these are no jumps, and stamps may be ahead of it by one.

    Args:
        node: Whose clock it is.
        jump_s: A larger step forwards [s] is a jump, where steps are not usually as large.
        jumped: Called when the clock was set.
    """

    def __init__(
        self, node: LifecycleNode, jump_s: float, jumped: Callable[[TimeJump], None]
    ) -> None:
        self.jump_s = jump_s
        self._node, self._clock, self._jumped = node, node.get_clock(), jumped
        self._is_simulated = bool(node.get_parameter("use_sim_time").value)
        self._steps, self._waits = Interval(), Interval()
        self._newest_s = time.monotonic()
        every_step = JumpThreshold(
            min_forward=Duration(nanoseconds=1),
            min_backward=Duration(nanoseconds=-1),
            on_clock_change=True,
        )
        # Must be kept: rclpy calls what was let go.
        self._handle = self._clock.create_jump_callback(every_step, post_callback=self._on_step)

    @property
    def step_s(self) -> float:
        """By how much the clock usually moves on at once [s]; 0: it is no simulated one."""
        return self._steps.value_s

    def hint(self, stamps_are_refused: bool) -> str:
        """Why there is no time or the wrong one; empty if all is well.

        Args:
            stamps_are_refused: Whether images are, because of their stamps.
        """
        if not self._is_simulated:
            if stamps_are_refused and self._publishers():
                return IGNORED.format(topic=self._topic())
            return ""
        if self._clock.now().nanoseconds == 0:
            return MISSING.format(topic=self._topic(), count=self._publishers())
        silent_s = time.monotonic() - self._newest_s
        if silent_s > max(STOPPED_S, UNUSUAL * self._waits.value_s):
            return STOPPED.format(topic=self._topic(), silent_s=silent_s)
        return ""

    def _on_step(self, jump: TimeJump) -> None:
        now_s, delta_s = time.monotonic(), jump.delta.nanoseconds / NANOSECONDS
        waited_s, self._newest_s = now_s - self._newest_s, now_s
        longest_s = max(self.jump_s, UNUSUAL * self._steps.value_s)
        if self._waits.value_s:  # this node may have been busy, and have missed some steps
            usual_rate = self._steps.value_s / self._waits.value_s
            longest_s = max(longest_s, UNUSUAL * usual_rate * waited_s)
        self._waits.tick(now_s)
        self._steps.tick(self._clock.now().nanoseconds / NANOSECONDS)
        if delta_s < 0 or delta_s > longest_s:
            self._jumped(jump)

    def _topic(self) -> str:
        return self._node.resolve_topic_name("/clock")

    def _publishers(self) -> int:
        return self._node.count_publishers(self._topic())
