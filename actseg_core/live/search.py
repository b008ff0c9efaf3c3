"""Whether a sentence's actor has been seen surely and for long enough. No ROS types, no clock."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from actseg_core.errors import ActSegError
from actseg_core.geometry import outline
from actseg_core.live.reports import Report
from actseg_core.live.states import State
from actseg_core.types import Evidence, MaskResult

Box = tuple[int, int, int, int]


class GoalRefused(ActSegError):
    """What was asked for cannot be reached or makes no sense; the text says why and what to do."""


@dataclass(frozen=True)
class Goal:
    """When a search has reached its end.

    Attributes:
        confidence: A frame counts only if the answer is at least so certain, [0, 1].
        hold_ns: So long without a break must the same actor be seen, by the frames' stamps [ns].
        timeout_ns: The search is given up after this long [ns]; 0: never.

    Raises:
        GoalRefused: If a value is out of range or the timeout is over before the hold.
    """

    confidence: float = 0.0
    hold_ns: int = 0
    timeout_ns: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:  # NaN is not in there, either
            raise GoalRefused(f"confidence must be in [0, 1], got {self.confidence:g}")
        for name, value_ns in (("hold", self.hold_ns), ("timeout", self.timeout_ns)):
            if value_ns < 0:
                raise GoalRefused(f"{name} must not be negative, got {value_ns} ns")
        if 0 < self.timeout_ns < self.hold_ns:
            raise GoalRefused(
                f"the timeout, {self.timeout_ns} ns, is over before an actor can be seen for the "
                f"hold of {self.hold_ns} ns; give more time or hold it for less"
            )


@dataclass(frozen=True)
class Sighting:
    """What the newest report says of one sentence.

    Attributes:
        state: FOUND, NOT_FOUND, or what prevents an answer.
        confidence: Of the answer, [0, 1]; 0 without one.
        track_id: Of the likeliest actor; 0: there is none, or the network knows pixels only.
        box: x, y, width, height [px] of the actor found; all 0 without one.
        stamp_ns: Capture time of the frame answered [ns]; 0 without an answer.
        frame_id: Coordinate frame of that frame.
        evidence: For the likeliest actor.
        held_ns: How long it has been seen surely without a break [ns].
        since_ns: Capture time of the first frame of that time [ns]; 0: it does not count.
        detail: Why there is no answer and what to do.
    """

    state: State = State.WARMING_UP
    confidence: float = 0.0
    track_id: int = 0
    box: Box = (0, 0, 0, 0)
    stamp_ns: int = 0
    frame_id: str = ""
    evidence: Sequence[Evidence] = ()
    held_ns: int = 0
    since_ns: int = 0
    detail: str = ""


class Search:
    """Follows the answers to one sentence until its goal is reached; for one thread.

    A frame without the actor, an answer that is not sure enough, another actor, a state without
    an answer and stamps that run back begin the time anew. Masks are not kept.

    Args:
        query_id: Of the sentence.
        goal: When the end is reached.

    Attributes:
        newest: The newest sighting.
        reached: The one that reached the goal; later ones do not change it.
    """

    def __init__(self, query_id: str, goal: Goal) -> None:
        self.query_id, self.goal = query_id, goal
        self.newest = Sighting()
        self.reached: Sighting | None = None

    def take(self, report: Report) -> None:
        """Note a report of the worker; one of before the sentence is passed over."""
        if all(query.id != self.query_id for query in report.queries):
            return
        answer = report.answers.get(self.query_id)
        if answer is None:
            self.newest = Sighting(state=report.state, detail=report.detail)
            return
        self.newest = self._sighting(answer)
        if self.reached is None and self._is_reached():
            self.reached = self.newest

    def _sighting(self, answer: MaskResult) -> Sighting:
        best = answer.actors[0] if answer.actors else None
        track_id = best.track_id if best else 0
        before, since_ns = self.newest, 0
        if answer.found and answer.confidence >= self.goal.confidence:
            goes_on = before.since_ns and before.track_id == track_id
            in_order = answer.stamp_ns >= before.stamp_ns
            since_ns = before.since_ns if goes_on and in_order else answer.stamp_ns
        return Sighting(
            state=State.FOUND if answer.found else State.NOT_FOUND,
            confidence=answer.confidence if math.isfinite(answer.confidence) else 0.0,
            track_id=track_id,
            box=_box(answer) if since_ns else (0, 0, 0, 0),
            stamp_ns=answer.stamp_ns,
            frame_id=answer.frame_id,
            evidence=best.evidence if best else (),
            held_ns=answer.stamp_ns - since_ns if since_ns else 0,
            since_ns=since_ns,
        )

    def _is_reached(self) -> bool:
        return bool(self.newest.since_ns) and self.newest.held_ns >= self.goal.hold_ns


def _box(answer: MaskResult) -> Box:
    """Of the likeliest actor, or of the mask where no actors are known."""
    if not answer.actors:
        return outline(answer.mask).box
    x, y, width, height = (max(0, round(side)) for side in answer.actors[0].box)
    return x, y, width, height
