"""The node's clock: what is a step, what is a jump, and what is said where no time comes."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from patience import PATIENCE_S
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from actseg_ros.clock import ClockWatch

S = 10**9


class Bench:
    """A node with simulated time, and a simulation that tells it."""

    def __init__(self, context: Context, is_simulated: bool) -> None:
        times = [Parameter("use_sim_time", value=is_simulated)]
        self.node = LifecycleNode("actseg", context=context, parameter_overrides=times)
        self.simulation = rclpy.create_node("simulation", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.jumps: list[float] = []
        self.watch = ClockWatch(
            self.node, 0.5, lambda jump: self.jumps.append(jump.delta.nanoseconds / S)
        )
        self.clock: Any = None

    def tell(self, *times_s: float) -> None:
        """Each time is waited for: /clock keeps one message only."""
        if self.clock is None:
            self.clock = self.simulation.create_publisher(Clock, "/clock", QoSProfile(depth=1))
            self.spin_until(lambda: self.clock.get_subscription_count() == 1)
        for time_s in times_s:
            message = Clock()
            ns = round(time_s * S)
            message.clock.sec, message.clock.nanosec = ns // S, ns % S
            self.clock.publish(message)
            self.spin_until(lambda ns=ns: self.node.get_clock().now().nanoseconds == ns)

    def spin_until(self, condition: Callable[[], Any]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s
            self.executor.spin_once(timeout_sec=0.01)


@pytest.fixture
def make(domain: int) -> Iterator[Callable[[bool], Bench]]:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    yield lambda is_simulated=True: Bench(context, is_simulated)
    context.try_shutdown()


def test_large_steps_of_a_coarse_clock_are_no_jumps(make: Any) -> None:
    bench = make()
    bench.tell(100.0, 102.0)
    bench.jumps.clear()  # it was not known yet
    bench.tell(104.0, 106.0, 108.5, 110.0)
    assert bench.jumps == []
    assert bench.watch.step_s == pytest.approx(2.0)


def test_a_clock_that_is_set_is_a_jump_in_both_directions(make: Any) -> None:
    bench = make()
    bench.tell(100.0, 100.01, 100.02, 100.03)
    bench.jumps.clear()
    bench.tell(1100.0)
    assert bench.jumps == [pytest.approx(999.97)]
    bench.tell(1100.01, 5.0)
    assert bench.jumps[1:] == [pytest.approx(-1095.01)]


def test_before_the_first_time_the_topic_is_named(make: Any) -> None:
    bench = make()
    assert "use_sim_time is set, but no time has come on /clock, which has 0" in (
        bench.watch.hint(False)
    )
    bench.tell(7.0)
    assert bench.watch.hint(False) == ""


def test_a_clock_that_stands_still_is_told(make: Any, eventually: Callable[..., None]) -> None:
    bench = make()
    bench.tell(7.0, 7.1, 7.2)
    eventually(lambda: "/clock has not advanced for" in bench.watch.hint(False))
    bench.tell(7.3)
    assert bench.watch.hint(False) == ""


def test_a_clock_that_this_node_does_not_follow_is_told_when_stamps_are_refused(
    make: Any, eventually: Callable[..., None]
) -> None:
    bench = make(False)
    assert bench.watch.hint(True) == ""
    bench.simulation.create_publisher(Clock, "/clock", QoSProfile(depth=1))
    eventually(lambda: "start this node with use_sim_time: true" in bench.watch.hint(True))
    assert bench.watch.hint(False) == ""
