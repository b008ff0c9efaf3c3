"""Levels that a supervisor can act on, and the hint about a silent transport."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from actseg_ros.diagnostics import diagnostics_message
from actseg_ros.image_input import TRANSPORT_HINT
from actseg_ros.reports import Health
from actseg_ros.states import State


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
    message = diagnostics_message("/front/actseg", "", Health(state), {}, "", 0)
    (status,) = message.status
    assert status.level == level
    assert status.name == "front/actseg: segmentation"
    assert status.message.startswith(state.name)


def test_counters_and_facts_are_told() -> None:
    health = Health(State.BAD_INPUT, received=9, rejected=2, detail="step is 11 bytes")
    message = diagnostics_message("/actseg", "cam", health, {"model": "lite"}, "", 3 * 10**9)
    values = {item.key: item.value for item in message.status[0].values}
    assert (values["frames received"], values["frames rejected"]) == ("9", "2")
    assert values["model"] == "lite"
    assert message.status[0].message == "BAD_INPUT; step is 11 bytes"
    assert message.header.stamp.sec == 3


def test_a_hint_is_a_warning_at_least() -> None:
    message = diagnostics_message("/a", "", Health(State.IDLE), {}, TRANSPORT_HINT, 0)
    assert message.status[0].level == DiagnosticStatus.WARN
    assert "FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA" in message.status[0].message


def test_a_load_failure_is_told_beside_unconfigured() -> None:
    message = diagnostics_message(
        "/a", "", Health(State.UNCONFIGURED, detail="no preset"), {}, "", 0
    )
    assert message.status[0].message == "UNCONFIGURED; no preset"
