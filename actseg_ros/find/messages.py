"""Searches as feedback and results of actseg/Find. Pure functions."""

from actseg.action import Find
from actseg.msg import Evidence as EvidenceMessage
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

from actseg_core.live.search import Goal, Search, Sighting
from actseg_ros.messages import (
    duration_message,
    evidence_message,
    state_message,
    time_message,
)


def feedback_message(newest: Sighting) -> Find.Feedback:
    """What a client hears while a search goes on."""
    return Find.Feedback(
        state=state_message(newest.state),
        confidence=newest.confidence,
        track_id=newest.track_id,
        held=duration_message(newest.held_ns),
        evidence=_evidence(newest),
        detail=newest.detail,
    )


def result_message(
    error_code: int, error_msg: str, query_id: str, seen: Sighting, pose: object = None
) -> Find.Result:
    """How a search ended.

    Args:
        error_code: One of Find.Result's.
        error_msg: Why it did not reach its goal and what to do.
        query_id: Of the sentence.
        seen: What reached the goal, or else the newest.
        pose: geometry_msgs/PoseStamped of the actor, if it is known.
    """
    x, y, width, height = seen.box
    result = Find.Result(
        error_code=error_code,
        error_msg=error_msg,
        query_id=query_id,
        track_id=seen.track_id,
        confidence=seen.confidence,
        header=Header(stamp=time_message(seen.stamp_ns), frame_id=seen.frame_id),
        region=RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height),
        evidence=_evidence(seen),
    )
    if pose is not None:
        result.has_pose, result.pose = True, pose
    return result


def timed_out(search: Search) -> str:
    """Why a search is given up: what was wanted, and what the newest answer was."""
    goal, newest = search.goal, search.newest
    wanted = f"no answer of {goal.confidence:.2f} or more"
    if goal.hold_ns:
        wanted += f" for {goal.hold_ns / 1e9:g} s without a break"
    told = f"{wanted} within {goal.timeout_ns / 1e9:g} s; the newest: {newest.state.name}"
    if newest.state.is_answer:
        told += f" {newest.confidence:.2f}"
    return f"{told}; {newest.detail}" if newest.detail else told


def goal_of(request: Find.Goal) -> Goal:
    """The goal of a request.

    Raises:
        GoalRefused: If a value is out of range.
    """
    return Goal(
        confidence=request.confidence,
        hold_ns=request.hold.sec * 10**9 + request.hold.nanosec,
        timeout_ns=request.timeout.sec * 10**9 + request.timeout.nanosec,
    )


def _evidence(seen: Sighting) -> list[EvidenceMessage]:
    return [evidence_message(item) for item in seen.evidence]
