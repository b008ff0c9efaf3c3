"""Reports of the worker as messages of this package. Pure functions."""

import math

from actseg.msg import Actor as ActorMessage
from actseg.msg import ActorMask, ActorMaskArray, ActorState, SegmentationStatus
from actseg.msg import Evidence as EvidenceMessage
from actseg.msg import Query as QueryMessage
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point32, Polygon
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

from actseg_core.geometry import Outline, outline
from actseg_core.live.frame_checks import NANOSECONDS
from actseg_core.live.queries import Query, QueryState
from actseg_core.live.reports import Health, Report
from actseg_core.live.states import State
from actseg_core.types import Actor, Evidence, MaskResult
from actseg_ros.convert import encode


def time_message(time_ns: int) -> Time:
    """A Time; integer arithmetic, so a camera's stamp comes back bit for bit."""
    return Time(sec=time_ns // NANOSECONDS, nanosec=time_ns % NANOSECONDS)


def duration_message(duration_ns: int) -> Duration:
    """A Duration, never negative."""
    duration_ns = max(0, duration_ns)
    return Duration(sec=duration_ns // NANOSECONDS, nanosec=duration_ns % NANOSECONDS)


def state_message(state: State) -> ActorState:
    """An ActorState."""
    return ActorState(value=int(state))


def array_message(report: Report, now_ns: int) -> ActorMaskArray:
    """What goes out on `result`.

    Args:
        report: Of the worker.
        now_ns: Node's clock [ns], for the masks' age.
    """
    masks = [
        _answered(query, report.answers[query.id], now_ns)
        if query.id in report.answers
        else unanswered(query, report.state)
        for query in report.queries
    ]
    newest = max(report.answers.values(), key=lambda result: result.stamp_ns, default=None)
    return ActorMaskArray(
        header=_header(newest) if newest else Header(),
        state=state_message(report.state),
        query_revision=report.revision,
        masks=masks,
        detail=report.detail,
    )


def unanswered(query: Query, state: State) -> ActorMask:
    """A sentence about which nothing is known: no mask, no stamp, and the reason."""
    return ActorMask(
        query_id=query.id,
        sentence=query.sentence.text,
        state=state_message(state),
        centroid_x=math.nan,
        centroid_y=math.nan,
    )


def status_message(health: Health, now_ns: int, refused: str = "") -> SegmentationStatus:
    """What goes out on `status`.

    Args:
        health: Of the worker.
        now_ns: Node's clock [ns].
        refused: Why the newest command was refused or not read to its end, if it was.
    """
    answered = health.mask_stamp_ns > 0
    return SegmentationStatus(
        header=Header(stamp=time_message(now_ns), frame_id=health.frame_id),
        state=state_message(health.state),
        query_revision=max(0, health.revision),
        query_ids=list(health.query_ids),
        mask_stamp=time_message(health.mask_stamp_ns),
        mask_age=duration_message(now_ns - health.mask_stamp_ns if answered else 0),
        frames_received=health.received,
        frames_processed=health.processed,
        frames_dropped=health.dropped,
        frames_rejected=health.rejected,
        input_rate_hz=health.input_rate_hz,
        latency_p50_ms=health.latency_p50_ms,
        latency_p95_ms=health.latency_p95_ms,
        detail=health.detail,
        refused_command=refused,
    )


def evidence_message(item: Evidence) -> EvidenceMessage:
    """What one part of a sentence speaks for an actor."""
    return EvidenceMessage(
        part=item.part, words=" ".join(item.words), log_odds=float(item.log_odds)
    )


def query_message(query: Query, newest: QueryState) -> QueryMessage:
    """One line of list_queries."""
    return QueryMessage(
        id=query.id,
        sentence=query.sentence.text,
        created=time_message(query.created_ns),
        expires=time_message(query.expires_ns),
        state=state_message(newest.state),
        confidence=newest.confidence,
        unknown_words=list(query.sentence.unknown),
    )


def _header(result: MaskResult) -> Header:
    return Header(stamp=time_message(result.stamp_ns), frame_id=result.frame_id)


def _answered(query: Query, result: MaskResult, now_ns: int) -> ActorMask:
    shape = outline(result.mask)
    state = State.FOUND if result.found else State.NOT_FOUND
    return ActorMask(
        header=_header(result),
        query_id=query.id,
        sentence=query.sentence.text,
        state=state_message(state),
        confidence=result.confidence,
        mask=encode(result.mask, _header(result)),
        region=_region(shape),
        centroid_x=shape.centre[0],
        centroid_y=shape.centre[1],
        area=shape.area_px,
        area_fraction=shape.area_px / result.mask.size,
        contour=_polygon(shape),
        window_start=time_message(result.window_start_ns),
        window_end=time_message(result.window_end_ns),
        age=duration_message(now_ns - result.stamp_ns),
        warped=result.warped,
        moved=duration_message(result.moved_ns if result.warped else 0),
        actors=[_actor(actor) for actor in result.actors],
        unused_words=list(result.unused),
        unknown_words=list(result.unknown),
    )


def _actor(actor: Actor) -> ActorMessage:
    x, y, width, height = (round(side) for side in actor.box)
    return ActorMessage(
        track_id=actor.track_id,
        confidence=actor.confidence,
        region=RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height),
        evidence=[evidence_message(item) for item in actor.evidence],
    )


def _region(shape: Outline) -> RegionOfInterest:
    x, y, width, height = shape.box
    return RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height, do_rectify=False)


def _polygon(shape: Outline) -> Polygon:
    return Polygon(points=[Point32(x=float(x), y=float(y), z=0.0) for x, y in shape.polygon])
