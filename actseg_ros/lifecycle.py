"""What surrounds each lifecycle transition: nothing that goes wrong in it stays untold."""

import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from actseg_core.errors import ActSegError

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


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
