"""Options of ONNX Runtime's sessions."""

import pytest

from actseg_core.runtime.onnx_session import spinning

ALLOWED = "session.intra_op.allow_spinning"


@pytest.mark.parametrize("version", ["1.26.0", "1.32.0", "1.100.1", "2.0.0", "1.27.0.dev1"])
def test_threads_spin_briefly_within_a_run_and_not_after_it(version: str) -> None:
    found = spinning(version)
    assert found[ALLOWED] == "1" and found["session.force_spinning_stop"] == "1"
    assert int(found["session.intra_op.spin_duration_us"]) <= 100


@pytest.mark.parametrize("version", ["1.20.0", "1.25.1", "unknown"])
def test_threads_sleep_at_once_where_spinning_cannot_be_bounded(version: str) -> None:
    assert spinning(version) == {ALLOWED: "0"}
