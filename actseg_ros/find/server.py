"""An action server whose goals run beside each other, without a thread, until they are ended."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from actseg.action import Find
from rclpy.action.server import ActionServer, CancelResponse, GoalResponse, ServerGoalHandle

from actseg_ros.camera_node import CameraNode

RESULT_KEPT_S = 10
MOST_KEPT = 200
LOG_EVERY_S = 5.0
TURN_S = 0.01
ARRIVAL_S = 0.1


class FindServer(ActionServer):  # type: ignore[type-arg]
    """The server of actseg/Find.

    rclpy sends a goal's result when its execute callback returns. Such a callback would hold the
    executor for as long as the goal runs, and as a coroutine it would be resumed in every turn of
    the executor. Here a goal just is, from `accepted` to `finish`, which hands over a callback
    that returns at once.

    Args:
        node: Owns the server.
        accepted: Called with the handle of each new goal, which executes from then on.
    """

    def __init__(
        self, node: CameraNode, accepted: "Callable[[ServerGoalHandle[Any, Any, Any]], None]"
    ) -> None:
        self._accepted, self._camera = accepted, node
        self._running = self._unsent = 0
        self._ended_s: deque[float] = deque()
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
        """A goal that executes runs nothing until it is finished: see the class."""
        if execute_callback is not None:
            super().notify_execute(goal_handle, execute_callback)

    def finish(
        self, handle: "ServerGoalHandle[Any, Any, Any]", ending: str, result: Find.Result
    ) -> None:
        """End a goal; its result goes out in the executor's next turn.

        Args:
            handle: Of the goal.
            ending: What to call of the handle: succeed, abort or canceled.
            result: For the client, which gets it as soon as it asks.
        """
        getattr(handle, ending)()
        self._running -= 1
        self._unsent += 1
        self._ended_s.append(time.monotonic())

        def tell(_handle: "ServerGoalHandle[Any, Any, Any]") -> Find.Result:
            self._unsent -= 1
            return result

        self.notify_execute(handle, tell)

    def flush(self, timeout_s: float) -> None:
        """Give the executor the turns that results still need, and these a moment to arrive.

        Not while the executor spins.

        Args:
            timeout_s: How long the results may take [s].
        """
        executor = self._camera.node.executor
        if not self._unsent or executor is None:
            return
        now_s = time.monotonic()
        end_s, told_s = now_s + timeout_s, now_s
        # What follows the last result, too: a server that goes takes along what is on its way.
        while now_s < min(end_s, told_s + ARRIVAL_S):
            executor.spin_once(timeout_sec=TURN_S)
            now_s = time.monotonic()
            told_s = now_s if self._unsent else told_s

    def _on_goal(self, _goal: Find.Goal) -> GoalResponse:
        """Goals that make no sense are accepted and ended with a reason, which no refusal has."""
        while self._ended_s and time.monotonic() - self._ended_s[0] > RESULT_KEPT_S:
            self._ended_s.popleft()
        if self._running + len(self._ended_s) < MOST_KEPT:
            return GoalResponse.ACCEPT
        self._camera.get_logger().warning(
            f"goals of ~/find are refused: {MOST_KEPT} have come within {RESULT_KEPT_S} s or run",
            throttle_duration_sec=LOG_EVERY_S,
        )
        return GoalResponse.REJECT

    def _on_accepted(self, handle: "ServerGoalHandle[Any, Any, Any]") -> None:
        self._running += 1
        handle.execute()
        self._accepted(handle)

    @staticmethod
    def _never(_handle: "ServerGoalHandle[Any, Any, Any]") -> Find.Result:
        raise NotImplementedError
