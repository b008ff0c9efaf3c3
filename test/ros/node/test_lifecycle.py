"""Transitions in every order: told, undone when they fail, without a leak."""

from typing import Any

import pytest
from lifecycle_msgs.msg import State as LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn

from actseg_core.errors import CheckpointError
from actseg_ros.states import State

OK = TransitionCallbackReturn.SUCCESS


def test_deactivation_is_told_and_sentences_survive_it(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.node.trigger_deactivate() == OK
    bench.spin_until(bench.is_in(State.INACTIVE))
    count = len([result for result in bench.results if result.masks])
    bench.spin_until(lambda: len(bench.statuses) > 20 and bench.state is State.INACTIVE)
    assert len([result for result in bench.results if result.masks]) == count
    assert bench.node.trigger_activate() == OK
    bench.spin_until(bench.is_in(State.FOUND))


def test_many_lifecycle_rounds_leave_no_thread_behind(make: Any) -> None:
    import threading

    bench = make(sentence="the dog", autostart=False)
    before = threading.active_count()
    for _ in range(20):
        assert bench.node.trigger_configure() == OK
        assert bench.node.trigger_activate() == OK
        assert bench.node.trigger_deactivate() == OK
        assert bench.node.trigger_cleanup() == OK
    assert threading.active_count() == before
    bench.spin_until(bench.is_in(State.UNCONFIGURED), feed=False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CheckpointError("there is no preset 'nope'; give one of lite"), "there is no preset"),
        (RuntimeError("something else"), "RuntimeError: something else"),
    ],
)
def test_a_model_that_does_not_load_leaves_a_living_node_with_the_reason(
    make: Any, error: Exception, reason: str
) -> None:
    bench = make(autostart=False)
    bench.load_error = error
    assert bench.node.trigger_configure() != OK
    bench.spin_until(lambda: bench.statuses and reason in bench.statuses[-1].detail, feed=False)
    assert bench.state is State.UNCONFIGURED
    assert bench.node._state_machine.current_state[0] == LifecycleState.PRIMARY_STATE_UNCONFIGURED
    bench.spin_until(lambda: bench.diagnostics, feed=False)
    bench.spin_until(lambda: reason in bench.diagnostics[-1].status[0].message, feed=False)
    bench.load_error = None
    assert bench.node.trigger_configure() == OK


def test_with_autostart_the_reason_is_handed_to_the_process(make: Any) -> None:
    bench = make()
    bench.load_error = CheckpointError("the checkpoint x does not exist")
    assert bench.node.start() == "the checkpoint x does not exist"


def test_shutdown_is_the_last_word(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.node.trigger_shutdown() == OK
    assert bench.node.finished
    bench.spin_until(bench.is_in(State.SHUTDOWN))
