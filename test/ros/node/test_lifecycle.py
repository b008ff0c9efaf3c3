"""Transitions in every order: told, undone when they fail, without a leak."""

import gc
import threading
from typing import Any, ClassVar

import psutil
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from lifecycle_msgs.msg import State as LifecycleState
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from patience import PATIENCE_S
from rclpy.lifecycle import TransitionCallbackReturn

from actseg_core.errors import CheckpointError, ConfigError
from actseg_core.live.states import State

OK = TransitionCallbackReturn.SUCCESS


def test_deactivation_is_told_and_sentences_survive_it(make: Any) -> None:
    bench = make(sentence="the dog")
    bench.start()
    bench.spin_until(bench.is_in(State.FOUND))
    assert bench.node.trigger_deactivate() == OK
    bench.spin_until(bench.is_in(State.INACTIVE))

    def more_statuses() -> None:
        """Time enough for what was published before them to be taken, too."""
        seen = len(bench.statuses)
        bench.spin_until(lambda: len(bench.statuses) > seen + 10)

    more_statuses()
    count = len([result for result in bench.results if result.masks])
    more_statuses()
    assert bench.state is State.INACTIVE
    assert len([result for result in bench.results if result.masks]) == count
    assert bench.node.trigger_activate() == OK
    bench.spin_until(bench.is_in(State.FOUND))


def test_two_hundred_rounds_leave_no_thread_no_entity_and_no_memory_behind(make: Any) -> None:
    bench = make(sentence="the dog", autostart=False, spatial__enabled=True)
    others = set(threading.enumerate())  # of the tests before; they may end meanwhile

    def go_round(rounds: int) -> tuple[int, ...]:
        for _ in range(rounds):
            assert bench.node.trigger_configure() == OK
            assert bench.node.trigger_activate() == OK
            bench.executor.spin_once(timeout_sec=0.0)
            assert bench.node.trigger_deactivate() == OK
            assert bench.node.trigger_cleanup() == OK
        gc.collect()
        node = bench.node
        entities = (node.publishers, node.subscriptions, node.services, node.timers, node.guards)
        return len(set(threading.enumerate()) - others), *(len(list(kind)) for kind in entities)

    before, memory_before = go_round(20), memory_bytes()
    assert go_round(200) == before
    assert memory_bytes() - memory_before < 10_000_000
    bench.spin_until(bench.is_in(State.UNCONFIGURED), feed=False)


def memory_bytes() -> int:
    """Of this process, resident."""
    return int(psutil.Process().memory_info().rss)


class Order(RuleBasedStateMachine):
    """Transitions in any order, wrong ones included, against the four states of a ROS node."""

    bench: Any = None
    allowed: ClassVar = {
        (LifecycleState.PRIMARY_STATE_UNCONFIGURED, "configure"): (
            LifecycleState.PRIMARY_STATE_INACTIVE
        ),
        (LifecycleState.PRIMARY_STATE_INACTIVE, "activate"): LifecycleState.PRIMARY_STATE_ACTIVE,
        (LifecycleState.PRIMARY_STATE_INACTIVE, "cleanup"): (
            LifecycleState.PRIMARY_STATE_UNCONFIGURED
        ),
        (LifecycleState.PRIMARY_STATE_ACTIVE, "deactivate"): LifecycleState.PRIMARY_STATE_INACTIVE,
    }
    told: ClassVar = {
        LifecycleState.PRIMARY_STATE_UNCONFIGURED: {State.UNCONFIGURED},
        LifecycleState.PRIMARY_STATE_INACTIVE: {State.INACTIVE},
        LifecycleState.PRIMARY_STATE_ACTIVE: {State(number) for number in range(2, 11)},
    }

    @initialize()
    def begin(self) -> None:
        node = type(self).bench.node
        for trigger in (node.trigger_deactivate, node.trigger_cleanup):
            trigger()
        type(self).bench.load_error = None
        self.state = LifecycleState.PRIMARY_STATE_UNCONFIGURED

    @rule(name=st.sampled_from(["configure", "activate", "deactivate", "cleanup"]))
    def transition(self, name: str) -> None:
        result = getattr(type(self).bench.node, f"trigger_{name}")()
        wanted = self.allowed.get((self.state, name))
        broken = name == "configure" and type(self).bench.load_error is not None
        assert (result == OK) == (wanted is not None and not broken)
        if wanted is not None and not broken:
            self.state = wanted

    @rule(error=st.sampled_from([None, CheckpointError("gone"), RuntimeError("broken")]))
    def break_or_mend_the_model(self, error: Exception | None) -> None:
        type(self).bench.load_error = error

    @rule()
    def send_a_frame_and_look(self) -> None:
        bench = type(self).bench
        bench.camera.publish(bench.picture())
        bench.statuses.clear()
        bench.spin_until(lambda: bench.state in self.told[self.state], feed=False)

    @invariant()
    def the_state_is_the_expected_one(self) -> None:
        node = type(self).bench.node
        assert node._state_machine.current_state[0] == self.state
        assert (node._worker is not None) == (self.state == LifecycleState.PRIMARY_STATE_ACTIVE)
        assert (node._model is None) == (self.state == LifecycleState.PRIMARY_STATE_UNCONFIGURED)
        assert not node.finished


def test_transitions_in_any_order_do_what_a_lifecycle_manager_expects(make: Any) -> None:
    Order.bench = make(autostart=False)
    run_state_machine_as_test(
        Order, settings=settings(max_examples=15, stateful_step_count=12, deadline=None)
    )


def test_a_manager_sees_refusals_and_the_state_stays(make: Any) -> None:
    bench = make(autostart=False)

    def change(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(bench.call(ChangeState, "change_state", request).success)

    assert not change(Transition.TRANSITION_ACTIVATE)
    assert change(Transition.TRANSITION_CONFIGURE)
    assert not change(Transition.TRANSITION_CONFIGURE)
    assert change(Transition.TRANSITION_ACTIVATE)
    assert not change(Transition.TRANSITION_CLEANUP)
    assert not change(99)
    state = bench.call(GetState, "get_state", GetState.Request()).current_state
    assert state.id == LifecycleState.PRIMARY_STATE_ACTIVE
    assert change(Transition.TRANSITION_DEACTIVATE)
    assert change(Transition.TRANSITION_CLEANUP)


def test_cleanup_lets_go_of_the_model(make: Any, engine: Any) -> None:
    bench = make(autostart=False)
    bench.node.trigger_configure()
    bench.node.trigger_cleanup()
    assert engine.closed
    assert bench.node._model is None


def test_an_activation_that_fails_leaves_nothing_running(
    make: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make(autostart=False)
    assert bench.node.trigger_configure() == OK
    threads = set(threading.enumerate())

    def refuse(*_: Any) -> None:
        raise ConfigError("the topic name is taken")

    monkeypatch.setattr("actseg_ros.camera.ImageInput", refuse)
    assert bench.node.trigger_activate() != OK
    assert bench.node._state_machine.current_state[0] == LifecycleState.PRIMARY_STATE_INACTIVE
    assert bench.node._worker is None
    assert set(threading.enumerate()) <= threads
    bench.spin_until(lambda: bench.statuses and "name is taken" in bench.statuses[-1].detail)
    monkeypatch.undo()
    assert bench.node.trigger_activate() == OK
    bench.spin_until(bench.is_in(State.IDLE))


def test_after_an_unexpected_error_the_node_can_be_configured_again(
    make: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make(autostart=False, sentence="the dog")
    assert bench.node.trigger_configure() == OK

    def fail(_reason: str) -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr(engine, "reset", fail)
    assert bench.node.trigger_activate() != OK
    assert bench.node._state_machine.current_state[0] == LifecycleState.PRIMARY_STATE_UNCONFIGURED
    bench.spin_until(lambda: bench.statuses and "by accident" in bench.statuses[-1].detail)
    assert bench.state is State.UNCONFIGURED
    monkeypatch.undo()
    assert bench.node.trigger_configure() == OK
    assert bench.node.trigger_activate() == OK
    bench.spin_until(bench.is_in(State.FOUND))


def test_a_worker_that_does_not_stop_is_given_up_with_its_model(
    make: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make(autostart=False, sentence="the dog")
    monkeypatch.setattr("actseg_ros.segmentation_node.STOP_TIMEOUT_S", 0.2)
    held, go_on = threading.Event(), threading.Event()
    answer = engine.answer

    def hang() -> Any:
        held.set()
        go_on.wait(PATIENCE_S)
        return answer()

    monkeypatch.setattr(engine, "answer", hang)
    bench.start_unmanaged()
    bench.spin_until(held.is_set)
    assert bench.node.trigger_deactivate() != OK
    assert bench.node._state_machine.current_state[0] == LifecycleState.PRIMARY_STATE_UNCONFIGURED
    bench.spin_until(lambda: "did not stop within 0.2 s" in bench.statuses[-1].detail, feed=False)
    go_on.set()
    count = len(bench.statuses)
    bench.spin_until(lambda: len(bench.statuses) > count + 5, feed=False)
    assert {status.state.value for status in bench.statuses[count:]} == {State.UNCONFIGURED}
    assert not bench.has_answered()
    assert bench.node.trigger_configure() == OK


def test_an_error_that_cannot_be_undone_ends_the_process(
    make: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make(autostart=False)
    assert bench.node.trigger_configure() == OK

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("again")

    monkeypatch.setattr(engine, "reset", fail)
    monkeypatch.setattr(engine, "close", fail)
    assert bench.node.trigger_activate() != OK
    assert bench.node.finished
    assert "ZeroDivisionError: again" in bench.node.failed


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
