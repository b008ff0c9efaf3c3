"""Levels that a supervisor can act on, and the hint about a silent transport."""

import time
from dataclasses import replace
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from actseg_core.live.queries import Query, QueryState
from actseg_core.live.reports import Health
from actseg_core.live.states import State
from actseg_ros.diagnostics import NewProblems, camera_status, diagnostics_message, sentence_facts
from actseg_ros.images import TRANSPORT_HINT


@pytest.mark.parametrize(
    ("state", "level"),
    [
        (State.FOUND, DiagnosticStatus.OK),
        (State.NOT_FOUND, DiagnosticStatus.OK),
        (State.IDLE, DiagnosticStatus.OK),
        (State.WARMING_UP, DiagnosticStatus.OK),
        (State.BAD_INPUT, DiagnosticStatus.WARN),
        (State.BAD_TIME, DiagnosticStatus.WARN),
        (State.OVERLOADED, DiagnosticStatus.WARN),
        (State.STALE_INPUT, DiagnosticStatus.ERROR),
        (State.MODEL_ERROR, DiagnosticStatus.ERROR),
        (State.INACTIVE, DiagnosticStatus.STALE),
        (State.UNCONFIGURED, DiagnosticStatus.STALE),
    ],
)
def test_each_state_has_its_level(state: State, level: bytes) -> None:
    status = camera_status("/front/actseg", "", Health(state), {}, "")
    assert status.level == level
    assert status.name == "front/actseg: segmentation"
    assert status.message.startswith(state.name)


def test_counters_and_facts_are_told() -> None:
    health = Health(State.BAD_INPUT, received=9, rejected=2, detail="step is 11 bytes")
    status = camera_status("/actseg", "cam", health, {"model": "lite"}, "")
    values = {item.key: item.value for item in status.values}
    assert (values["frames received"], values["frames rejected"]) == ("9", "2")
    assert values["model"] == "lite"
    assert status.message == "BAD_INPUT; step is 11 bytes"


def test_the_message_bears_the_clock_and_the_statuses_of_all_cameras() -> None:
    statuses = [
        camera_status(f"/actseg/{name}", "", Health(State.IDLE), {}, "")
        for name in ("front", "rear")
    ]
    message = diagnostics_message(statuses, 3 * 10**9)
    assert message.header.stamp.sec == 3
    names = [status.name for status in message.status]
    assert names == ["actseg/front: segmentation", "actseg/rear: segmentation"]


def test_a_hint_is_a_warning_at_least() -> None:
    status = camera_status("/a", "", Health(State.IDLE), {}, TRANSPORT_HINT)
    assert status.level == DiagnosticStatus.WARN
    assert "FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA" in status.message


def test_a_load_failure_is_told_beside_unconfigured() -> None:
    status = camera_status("/a", "", Health(State.UNCONFIGURED, detail="no preset"), {}, "")
    assert status.message == "UNCONFIGURED; no preset"


def test_window_stages_and_sentences_are_told(read: Any) -> None:
    health = Health(
        State.FOUND,
        window="full; last emptied: the camera is silent",
        stages_ms={"network": (12.34, 56.78)},
        problems=3,
        last_problem="BAD_INPUT: step is 11 bytes",
        last_problem_s=time.monotonic() - 5.0,
    )
    query = Query("q2", read("the dog\nERROR: all is lost"), 0)
    facts = sentence_facts([(query, QueryState(State.FOUND, 0.5))])
    status = camera_status("/actseg", "cam", health, facts, "")
    values = {item.key: item.value for item in status.values}
    assert values["window"] == "full; last emptied: the camera is silent"
    assert values["network p50 / p95 [ms]"] == "12.3 / 56.8"
    assert values["last problem"] == "5 s ago, BAD_INPUT: step is 11 bytes"
    assert values["sentence q2"] == "FOUND 0.50 'the dog\\nERROR: all is lost'"


def test_problems_between_two_reports_are_told_once() -> None:
    new = NewProblems()
    fine = Health(State.FOUND, problems=0)
    assert new.hint(fine) == ""
    after = replace(fine, problems=2, last_problem="BAD_INPUT: short data")
    assert new.hint(after) == "2 problems since the last report, the newest: BAD_INPUT: short data"
    assert new.hint(after) == ""
    anew = replace(after, problems=1)  # counted from zero after an activation
    assert new.hint(anew).startswith("1 problems since the last report")


def test_a_problem_that_is_the_state_is_not_told_twice() -> None:
    state = Health(State.BAD_INPUT, detail="short data", problems=1)
    assert NewProblems().hint(replace(state, last_problem="BAD_INPUT: short data")) == ""
