"""The lifecycle of a node: what each transition leaves behind, and why one failed."""

import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from lifecycle_msgs.msg import State as States
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from actseg_core.errors import ActSegError
from actseg_core.live.reports import Health
from actseg_core.live.states import State

WAITING_FOR = {
    State.UNCONFIGURED: "waiting for the lifecycle transition configure",
    State.INACTIVE: "waiting for the lifecycle transition activate",
}
Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def waiting(health: Health) -> Health:
    """The same, and what the node waits for if nothing else is told."""
    text = "" if health.detail else WAITING_FOR.get(health.state, "")
    return replace(health, detail=text) if text else health


def report_failures(transition: Transition) -> Transition:
    """Log what a transition raises: rclpy turns it into ERROR without a word.

    The node's `undo` is called after a refusal, its `explain` with the reason of any failure.
    """

    @wraps(transition)
    def guarded(self: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(self, state)
        except ActSegError as error:
            self.undo(state)
            self.explain(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            self.explain(f"{type(error).__name__}: {error}")
            self.get_logger().error(traceback.format_exc())
            return TransitionCallbackReturn.ERROR

    return guarded


class ManagedNode(LifecycleNode):
    """A lifecycle node whose status says why a transition failed.

    A subclass configures, activates and deactivates; `_stop` and `_release` undo that.

    Args:
        name: Of the node.
        options: Passed to rclpy's Node.

    Attributes:
        finished: Whether the process may end.
        failed: Why it must end, if it must.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.finished = False
        self.failed = ""
        self._resting = waiting(Health(State.UNCONFIGURED))

    @report_failures
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the model and the sentences."""
        self._release()
        self._rest(Health(State.UNCONFIGURED))
        return TransitionCallbackReturn.SUCCESS

    @report_failures
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good; the process ends."""
        self._release()
        self._rest(Health(State.SHUTDOWN))
        self.finished = True
        return TransitionCallbackReturn.SUCCESS

    @report_failures
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured, from where configure may be tried again."""
        try:
            self._release()
        except Exception as error:
            # Nothing is left to fall back on but another process.
            self.failed = f"after {self._resting.detail}: {type(error).__name__}: {error}"
            self.finished = True
            raise
        self._rest(Health(State.UNCONFIGURED, detail=self._resting.detail))
        return TransitionCallbackReturn.SUCCESS

    def undo(self, state: LifecycleState) -> None:
        """After a transition that failed: no more than belongs to the state it began in."""
        if state.state_id == States.PRIMARY_STATE_UNCONFIGURED:
            self._release()
        else:
            self._stop()

    def explain(self, reason: str) -> None:
        """Log why a transition failed, and keep it in status and diagnostics."""
        self.get_logger().error(reason)
        self._resting = Health(self._resting.state, detail=reason)
        self._show(self._resting)

    def configure_and_activate(self) -> str:
        """Both transitions; why one failed, or nothing."""
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                return self._resting.detail or "the node could not be started"
        return ""

    def _rest(self, health: Health) -> None:
        """Say at once what the state is now, without waiting for the next heartbeat."""
        self._resting = waiting(health)
        self._publish_health(self._resting)

    def _publish_health(self, health: Health) -> None:
        """Publish a heartbeat."""
        raise NotImplementedError

    def _show(self, health: Health) -> None:
        """Keep this for diagnostics, until the next heartbeat."""
        raise NotImplementedError

    def _stop(self) -> bool:
        """End what activation began; whether all of it has ended."""
        raise NotImplementedError

    def _release(self) -> None:
        """End what configuration and activation began."""
        raise NotImplementedError
