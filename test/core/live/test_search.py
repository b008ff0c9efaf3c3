"""When a search for one sentence's actor has reached its goal, by hand."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actseg_core.live.queries import Query
from actseg_core.live.reports import Report
from actseg_core.live.search import Goal, GoalRefused, Search
from actseg_core.live.states import State
from actseg_core.types import Actor, Evidence, MaskResult

S = 10**9
MASK = np.zeros((10, 20), np.uint8)
MASK[2:5, 3:9] = 255
WHO = Evidence("who", ("dog",), 4.0)


def answer(stamp_s: float, confidence: float = 0.9, track_id: int = 7, **changes: Any) -> Any:
    """FOUND, with one actor; without one for track_id 0."""
    actors = ()
    if track_id:
        actors = (Actor(track_id, confidence, (3.2, 2.4, 6.0, 3.0), (WHO,), lambda: MASK),)
    result = MaskResult(MASK, True, confidence, round(stamp_s * S), "cam", actors=actors)
    return dataclasses.replace(result, **changes)


@pytest.fixture
def report(read: Callable[[str], Any]) -> Callable[..., Report]:
    queries = (Query("q1", read("the dog"), 0), Query("q2", read("the cat"), 0))

    def make(result: Any = None, state: State = State.FOUND, detail: str = "") -> Report:
        answers = {} if result is None else {"q1": result}
        return Report(state, 1, queries, answers, None, detail)

    return make


def test_one_sure_frame_is_enough_where_no_time_is_asked_for(report: Any) -> None:
    search = Search("q1", Goal(confidence=0.8))
    search.take(report(answer(1.0, 0.79)))
    assert search.reached is None and search.newest.since_ns == 0
    search.take(report(answer(2.0, 0.8)))
    assert search.reached is not None
    assert (search.reached.stamp_ns, search.reached.frame_id) == (2 * S, "cam")
    assert (search.reached.track_id, search.reached.box) == (7, (3, 2, 6, 3))
    assert list(search.reached.evidence) == [WHO]


def test_an_actor_has_to_be_seen_for_the_whole_time(report: Any) -> None:
    search = Search("q1", Goal(hold_ns=S // 2))
    for stamp_s in (1.0, 1.25, 1.499):
        search.take(report(answer(stamp_s)))
        assert search.reached is None
    assert search.newest.held_ns == 499_000_000
    search.take(report(answer(1.5)))
    assert search.reached is not None and search.reached.since_ns == S


@pytest.mark.parametrize(
    "between",
    [
        answer(1.2, found=False),
        answer(1.2, 0.4),
        answer(1.2, math.nan),
        answer(1.2, track_id=8),
        answer(1.2, track_id=0),
        None,  # a state without an answer
    ],
)
def test_what_is_no_sure_sight_of_the_same_actor_begins_the_time_anew(
    report: Any, between: Any
) -> None:
    search = Search("q1", Goal(confidence=0.5, hold_ns=S // 2))
    search.take(report(answer(1.0)))
    search.take(report(between, State.STALE_INPUT) if between is None else report(between))
    search.take(report(answer(1.5)))
    assert search.reached is None and search.newest.held_ns == 0
    search.take(report(answer(2.0)))
    assert search.reached is not None and search.reached.held_ns == S // 2


def test_stamps_that_run_back_begin_the_time_anew(report: Any) -> None:
    search = Search("q1", Goal(hold_ns=S // 2))
    search.take(report(answer(100.0)))
    search.take(report(answer(3.0)))
    assert (search.newest.held_ns, search.newest.since_ns) == (0, 3 * S)
    search.take(report(answer(3.5)))
    assert search.reached is not None


def test_what_reached_the_goal_stays_whatever_comes_later(report: Any) -> None:
    search = Search("q1", Goal())
    search.take(report(answer(1.0)))
    search.take(report(answer(2.0, found=False)))
    assert search.reached is not None and search.reached.stamp_ns == S
    assert search.newest.state is State.NOT_FOUND


def test_a_network_that_knows_pixels_only_gives_the_masks_box_and_no_track(report: Any) -> None:
    search = Search("q1", Goal())
    search.take(report(answer(1.0, track_id=0)))
    assert search.reached is not None
    assert (search.reached.track_id, search.reached.box) == (0, (3, 2, 6, 3))


def test_why_there_is_no_answer_is_kept_and_other_sentences_are_passed_over(report: Any) -> None:
    search = Search("q1", Goal())
    search.take(report(None, State.OVERLOADED, "too slow"))
    assert (search.newest.state, search.newest.detail) == (State.OVERLOADED, "too slow")
    other = Search("q9", Goal())
    other.take(report(answer(1.0)))
    assert other.reached is None and other.newest.state is State.WARMING_UP


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"confidence": 1.01}, "confidence must be in"),
        ({"confidence": -0.1}, "confidence must be in"),
        ({"confidence": math.nan}, "confidence must be in"),
        ({"hold_ns": -1}, "hold must not be negative"),
        ({"timeout_ns": -1}, "timeout must not be negative"),
        ({"hold_ns": 2, "timeout_ns": 1}, "give more time or hold it for less"),
    ],
)
def test_goals_that_make_no_sense_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(GoalRefused, match=reason):
        Goal(**values)


def test_without_a_timeout_any_hold_is_taken() -> None:
    assert Goal(hold_ns=S).timeout_ns == 0
