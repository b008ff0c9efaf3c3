"""An action server whose goals run beside each other, without a thread, until they are ended."""

from collections.abc import Callable
from typing import Any

from actseg.action import Find
from rclpy.action.server import ActionServer, CancelResponse, GoalResponse, ServerGoalHandle

from actseg_ros.camera_node import CameraNode

RESULT_KEPT_S = 10
MOST_KEPT = 200
LOG_EVERY_S = 5.0


class FindServer(ActionServer):  # type: ignore[type-arg]
    """The server of actseg/Find.

    rclpy sends a goal's result when its execute callback returns. Such a callback would hold the
    executor for as long as the goal runs, and as a coroutine it would be resumed in every turn of
    the executor. Here a goal just is, from `accepted` to `finish`.

    Args:
        node: Owns the server.
        accepted: Called with the handle of each new goal, which executes from then on.
    """

    def __init__(
        self, node: CameraNode, accepted: "Callable[[ServerGoalHandle[Any, Any, Any]], None]"
    ) -> None:
        self._accepted, self._logger = accepted, node.get_logger()
        super().__init__(
            node.node,
            Find,
            node.private_name("~/find"),
            self._never,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=lambda _handle: CancelResponse.ACCEPT,
            result_timeout=RESULT_KEPT_S,
        )

    def notify_execute(
        self, goal_handle: "ServerGoalHandle[Any, Any, Any]", execute_callback: Any
    ) -> None:
        """Nothing is run: see the class."""

    def finish(
        self, handle: "ServerGoalHandle[Any, Any, Any]", ending: str, result: Find.Result
    ) -> None:
        """End a goal and send its result.

        Args:
            handle: Of the goal.
            ending: What to call of the handle: succeed, abort or canceled.
            result: For the client, which gets it as soon as it asks.
        """

        def end(_handle: "ServerGoalHandle[Any, Any, Any]") -> Find.Result:
            getattr(handle, ending)()
            return result

        # What rclpy's executor would run; nothing in it waits, so one step is all of it.
        steps = self._execute_goal(end, handle)
        try:
            steps.send(None)
        except StopIteration:
            return
        steps.close()
        raise RuntimeError("this rclpy ends goals in another way; please report its version")

    def _on_goal(self, _goal: Find.Goal) -> GoalResponse:
        """Goals that make no sense are accepted and ended with a reason, which no refusal has."""
        if len(self._goal_handles) < MOST_KEPT:
            return GoalResponse.ACCEPT
        self._logger.warning(
            f"goals of ~/find are refused: {MOST_KEPT} have come within {RESULT_KEPT_S} s or run",
            throttle_duration_sec=LOG_EVERY_S,
        )
        return GoalResponse.REJECT

    def _on_accepted(self, handle: "ServerGoalHandle[Any, Any, Any]") -> None:
        handle.execute()
        self._accepted(handle)

    @staticmethod
    def _never(_handle: "ServerGoalHandle[Any, Any, Any]") -> Find.Result:
        raise NotImplementedError
