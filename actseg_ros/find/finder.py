"""The goals of `~/find`: each adds its sentence, watches the answers to it, and ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from actseg.action import Find
from rclpy.action.server import ServerGoalHandle
from rclpy.clock import Clock
from rclpy.clock_type import ClockType

from actseg_core.errors import ActSegError
from actseg_core.live.frame_checks import NANOSECONDS
from actseg_core.live.queries import Query, QueryRefused, QuerySet
from actseg_core.live.reports import Health, Report
from actseg_core.live.search import GoalRefused, Search, Sighting
from actseg_ros.camera_node import CameraNode
from actseg_ros.commands import LineBudget
from actseg_ros.find.messages import feedback_message, goal_of, result_message, timed_out
from actseg_ros.find.server import FindServer

STEP_S = 0.05
FEEDBACK_S = 1.0  # at least so often, even if nothing new has come
LAST_RESULTS_S = 0.5
POSE_PATIENCE_S = 0.5  # the box is known before the place in space is
DROPPED = (
    "the sentence is not active any more: a command replaced it, it was removed or cleared, or "
    "its lifetime ended; send the goal again"
)
Result = Find.Result


class PoseSource(Protocol):
    """What a search needs of the 3-D outputs."""

    def demand_poses(self, wanted: bool) -> None:
        """Work out places although nobody subscribes, or no longer."""

    def pose_of(self, query_id: str, since_ns: int) -> Any:
        """The newest PoseStamped of a sentence's actor from `since_ns` on; None: there is none."""


@dataclass(eq=False)
class _Run:
    """One goal.

    Attributes:
        handle: rclpy's.
        search: What it waits for.
        query: The sentence.
        started_s: time.monotonic() when it was accepted [s].
        told: The newest feedback.
        told_s: When that was sent [s].
        reached_s: When the goal was reached [s]; 0: not yet.
    """

    handle: "ServerGoalHandle[Any, Any, Any]"
    search: Search
    query: Query
    started_s: float = field(default_factory=time.monotonic)
    told: Sighting | None = None
    told_s: float = 0.0
    reached_s: float = 0.0


class Finder:
    """Serves `~/find` of one node; goals run beside each other, as many as sentences may.

    The executor's thread owns it; only `offer` is called by the worker.

    Args:
        node: Owns the server and the timer.
        queries: Gets the sentences.
        changed: Called after each change of them.
        latest: The newest heartbeat.
        most: How many goals may run now.
        is_active: Whether the node answers sentences.
        poses: Where places in space come from, if there are any.
    """

    def __init__(
        self,
        node: CameraNode,
        queries: QuerySet,
        changed: Callable[[], None],
        latest: Callable[[], Health],
        most: Callable[[], int],
        is_active: Callable[[], bool],
        poses: PoseSource | None,
    ) -> None:
        self._node, self._queries, self._changed = node, queries, changed
        self._latest, self._most, self._is_active = latest, most, is_active
        self._poses = poses
        self._running: tuple[_Run, ...] = ()
        self._lines = LineBudget()
        self._added: list[Query] = []  # by a goal, and by nobody else since
        self._server = FindServer(node, self._on_goal)
        self._is_there = True
        # A steady clock: with simulated time a stopped /clock would stop the timeouts, too.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(STEP_S, self._on_time, clock=steady)
        self._timer.cancel()

    def offer(self, report: Report) -> None:
        """Take what was just published on `result`; called by the worker, returns at once."""
        for run in self._running:
            run.search.take(report)

    def end(self, reason: str) -> None:
        """End all goals, because the node does not answer any more.

        Args:
            reason: Why, for the clients.
        """
        for run in self._running:
            self._finish(run, "abort", Result.NOT_ACTIVE, reason)

    def destroy(self) -> None:
        """Take the server away; `end` comes first, and its results are sent before.

        Called again, it does nothing. Not while the executor spins.
        """
        if not self._is_there:
            return
        self._is_there = False
        self._server.flush(LAST_RESULTS_S)
        self._node.destroy_timer(self._timer)
        self._server.destroy()

    # --------------------------------------------------------------------------- the executor
    def _on_goal(self, handle: "ServerGoalHandle[Any, Any, Any]") -> None:
        request = handle.request
        try:
            run = self._begin(handle, request)
        except ActSegError as error:
            is_active = self._is_active()
            code = Result.REFUSED if is_active else Result.NOT_ACTIVE
            self._log(f"refused: {error}")
            result = result_message(code, str(error), "", Sighting())
            self._server.finish(handle, "abort", result)
            return
        self._running += (run,)
        if self._poses is not None:
            self._poses.demand_poses(True)
        self._timer.reset()
        self._log(f"{run.query.id}: looking for {run.query.sentence.text!r}")

    def _begin(self, handle: "ServerGoalHandle[Any, Any, Any]", request: Find.Goal) -> _Run:
        if not self._is_active():
            raise GoalRefused("the node is not active; activate it and send the goal again")
        goal = goal_of(request)
        if not any(character.isalnum() for character in request.sentence):
            raise GoalRefused("the sentence is empty; say whom to look for")
        self._queries.check(request.sentence)  # a refused goal ends no other
        if request.preempt:
            for other in self._running:
                self._finish(other, "abort", Result.PREEMPTED, "another goal took its place")
        if len(self._running) >= self._most():
            raise GoalRefused(
                f"{len(self._running)} goals run, as many as stream.max_queries allows; wait for "
                "one, cancel one, or send this one with preempt"
            )
        query = self._query(request.sentence)
        run = _Run(handle, Search(query.id, goal), query)
        health = self._latest()
        if not health.state.is_answer:
            run.search.newest = Sighting(state=health.state, detail=health.detail)
        return run

    def _query(self, sentence: str) -> Query:
        """The active sentence, which is added where it is not active yet."""
        for query in self._active():
            if query.sentence.text == sentence:
                return query
        now_ns = int(self._node.get_clock().now().nanoseconds)
        query = self._queries.add(sentence, 0, now_ns)
        self._added.append(query)
        self._changed()
        return query

    def _on_time(self) -> None:
        now_s = time.monotonic()
        for run in self._running:
            if run.handle.is_cancel_requested:
                self._finish(run, "canceled", Result.CANCELED, "canceled by the client")
            elif run.search.reached is not None:
                self._succeed(run, now_s)
            elif 0 < run.search.goal.timeout_ns < (now_s - run.started_s) * NANOSECONDS:
                self._finish(run, "abort", Result.TIMED_OUT, timed_out(run.search))
            elif all(query.id != run.query.id for query in self._active()):
                self._finish(run, "abort", Result.SENTENCE_DROPPED, DROPPED)
            else:
                self._feed_back(run, now_s)

    def _feed_back(self, run: _Run, now_s: float) -> None:
        newest = run.search.newest
        if newest is not run.told or now_s - run.told_s > FEEDBACK_S:
            run.told, run.told_s = newest, now_s
            run.handle.publish_feedback(feedback_message(newest))

    def _succeed(self, run: _Run, now_s: float) -> None:
        """Now, or as soon as the actor's place is known, for which it is worth a short wait."""
        reached = run.search.reached
        assert reached is not None
        run.reached_s = run.reached_s or now_s
        pose = None
        if self._poses is not None:
            pose = self._poses.pose_of(run.query.id, reached.since_ns)
            if pose is None and now_s - run.reached_s < POSE_PATIENCE_S:
                return
        result = result_message(Result.NONE, "", run.query.id, reached, pose)
        self._end(run, "succeed", result, run.handle.request.keep_active)

    def _finish(self, run: _Run, ending: str, code: int, reason: str) -> None:
        result = result_message(code, reason, run.query.id, run.search.newest)
        result.region.width = result.region.height = 0
        self._end(run, ending, result, False)

    def _end(self, run: _Run, ending: str, result: Find.Result, keep: bool) -> None:
        self._running = tuple(other for other in self._running if other is not run)
        self._let_go(run.query, keep)
        self._log(f"{run.query.id}: {result.error_msg or 'found'}")
        self._server.finish(run.handle, ending, result)
        if not self._running:
            self._timer.cancel()
            if self._poses is not None:
                self._poses.demand_poses(False)

    def _let_go(self, query: Query, keep: bool) -> None:
        """Drop the sentence with the last of its goals, if it was theirs alone."""
        if query not in self._added or any(run.query is query for run in self._running):
            if keep and query in self._added:
                self._added.remove(query)
            return
        self._added.remove(query)
        # Whoever renews a sentence or makes it the only one gets another object for it.
        if not keep and any(active is query for active in self._active()):
            try:
                self._queries.remove(query.id)
            except QueryRefused:  # the worker has dropped it meanwhile
                return
            self._changed()

    def _active(self) -> tuple[Query, ...]:
        return self._queries.snapshot()[1]

    def _log(self, text: str) -> None:
        line = self._lines.line(f"find: {text}", time.monotonic())
        if line:
            self._node.get_logger().info(line)
