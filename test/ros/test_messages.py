"""Every field of every message, from a report worked out by hand."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from builtin_interfaces.msg import Duration, Time
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.live.queries import Query, QueryState
from actseg_core.live.reports import Health, Report
from actseg_core.live.states import State
from actseg_core.types import MaskResult, Sentence
from actseg_ros.messages import (
    array_message,
    duration_message,
    query_message,
    status_message,
    time_message,
)

S = 10**9


def make_query(read: Callable[[str], Sentence], name: str, text: str) -> Query:
    return Query(name, read(text), 3 * S, 4 * S)


def found_result() -> MaskResult:
    mask = np.zeros((10, 20), np.uint8)
    mask[2:5, 3:9] = 255
    return MaskResult(mask, True, 0.75, 5 * S + 7, "cam", 4 * S, 6 * S, True)


@given(st.integers(0, 2**31 * S - 1))
def test_a_time_message_keeps_every_nanosecond(time_ns: int) -> None:
    message = time_message(time_ns)
    assert message.sec * S + message.nanosec == time_ns


def test_a_duration_is_never_negative() -> None:
    assert duration_message(-5) == Duration()
    assert duration_message(2 * S + 3) == Duration(sec=2, nanosec=3)


def test_a_found_mask_with_all_its_fields(read: Callable[[str], Sentence]) -> None:
    query = make_query(read, "q1", "The Dog")
    report = Report(State.FOUND, 9, (query,), {"q1": found_result()})
    array = array_message(report, 5 * S + 500)

    assert (array.header.stamp, array.header.frame_id) == (Time(sec=5, nanosec=7), "cam")
    assert (array.state.value, array.query_revision, array.detail) == (State.FOUND, 9, "")
    (mask,) = array.masks
    assert mask.header == mask.mask.header == array.header
    assert (mask.query_id, mask.sentence, mask.state.value) == ("q1", "The Dog", State.FOUND)
    assert mask.confidence == 0.75
    assert (mask.mask.encoding, mask.mask.width, mask.mask.height) == ("mono8", 20, 10)
    assert sum(mask.mask.data) == 18 * 255
    region = mask.region
    assert (region.x_offset, region.y_offset, region.width, region.height) == (3, 2, 6, 3)
    assert (mask.centroid_x, mask.centroid_y) == (5.5, 3.0)
    assert (mask.area, mask.area_fraction) == (18, pytest.approx(0.09))
    assert sorted((point.x, point.y) for point in mask.contour.points) == [
        (3.0, 2.0),
        (3.0, 4.0),
        (8.0, 2.0),
        (8.0, 4.0),
    ]
    assert (mask.window_start, mask.window_end) == (Time(sec=4), Time(sec=6))
    assert mask.age == Duration(sec=0, nanosec=493)
    assert mask.warped


def test_not_found_is_a_full_size_mask_of_zeros(read: Callable[[str], Sentence]) -> None:
    query = make_query(read, "q1", "the cat")
    absent = MaskResult(np.zeros((4, 6), np.uint8), False, 0.25, S, "cam")
    (mask,) = array_message(Report(State.NOT_FOUND, 1, (query,), {"q1": absent}), S).masks
    assert mask.state.value == State.NOT_FOUND
    assert (mask.mask.width, mask.mask.height, sum(mask.mask.data)) == (6, 4, 0)
    assert math.isnan(mask.centroid_x) and math.isnan(mask.centroid_y)
    assert (mask.area, len(mask.contour.points), mask.region.width) == (0, 0, 0)


def test_without_an_answer_there_is_no_stamp_and_no_mask(read: Callable[[str], Sentence]) -> None:
    query = make_query(read, "q1", "the cat")
    report = Report(State.WARMING_UP, 2, (query,), {}, None, "3 frames in the window")
    array = array_message(report, 5 * S)
    assert (array.header.stamp, array.header.frame_id) == (Time(), "")
    assert (array.state.value, array.detail) == (State.WARMING_UP, "3 frames in the window")
    (mask,) = array.masks
    assert (mask.state.value, mask.mask.width, mask.mask.height) == (State.WARMING_UP, 0, 0)
    assert (len(mask.mask.data), mask.confidence, mask.header.stamp) == (0, 0.0, Time())


def test_a_status_with_all_its_fields() -> None:
    health = Health(
        State.FOUND, 3, ("q1", "q2"), "cam", 2 * S, 10, 6, 2, 1, 29.5, 12.0, 30.0, "why"
    )
    message = status_message(health, 5 * S)
    assert (message.header.stamp, message.header.frame_id) == (Time(sec=5), "cam")
    assert (message.state.value, message.query_revision) == (State.FOUND, 3)
    assert list(message.query_ids) == ["q1", "q2"]
    assert (message.mask_stamp, message.mask_age) == (Time(sec=2), Duration(sec=3))
    assert (message.frames_received, message.frames_processed) == (10, 6)
    assert (message.frames_dropped, message.frames_rejected) == (2, 1)
    assert (message.input_rate_hz, message.latency_p50_ms) == (29.5, 12.0)
    assert (message.latency_p95_ms, message.detail) == (30.0, "why")


def test_before_the_first_mask_its_age_is_zero() -> None:
    message = status_message(Health(State.IDLE), 5 * S)
    assert (message.mask_stamp, message.mask_age) == (Time(), Duration())
    assert math.isnan(message.latency_p50_ms)


def test_a_query_with_all_its_fields(read: Callable[[str], Sentence]) -> None:
    message = query_message(
        make_query(read, "q7", "the xylophonist"), QueryState(State.FOUND, 0.5)
    )
    assert (message.id, message.sentence) == ("q7", "the xylophonist")
    assert (message.created, message.expires) == (Time(sec=3), Time(sec=4))
    assert (message.state.value, message.confidence) == (State.FOUND, 0.5)
    assert list(message.unknown_words) == ["xylophonist"]


def test_a_moved_mask_says_how_far_and_others_zero(read: Callable[[str], Sentence]) -> None:
    query = make_query(read, "q1", "the dog")
    moved = replace(found_result(), computed_stamp_ns=4 * S)
    for result, wanted in (
        (moved, Duration(sec=1, nanosec=7)),
        (replace(moved, warped=False), Duration()),
    ):
        array = array_message(Report(State.FOUND, 1, (query,), {"q1": result}), 6 * S)
        assert array.masks[0].moved == wanted


def test_a_refused_command_is_told_in_the_status() -> None:
    message = status_message(Health(State.IDLE), S, "too long; shorten it")
    assert message.refused_command == "too long; shorten it"
