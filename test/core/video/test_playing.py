"""When frames are due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.video.playing import Pacer


def test_frames_are_due_at_their_own_times() -> None:
    pacer = Pacer(100.0)
    now_s, sent = 100.0, []
    for interval_s in (0.0, 0.1, 0.1, 0.5, 0.04):
        now_s += pacer.wait_s(now_s, interval_s)
        sent.append(now_s)
        now_s += 0.03  # reading and sending takes a while, and must not add up
    assert sent == pytest.approx([100.0, 100.1, 100.2, 100.7, 100.74])


def test_after_a_stall_it_does_not_catch_up() -> None:
    pacer = Pacer(0.0)
    assert pacer.wait_s(0.0, 0.0) == 0.0
    assert pacer.wait_s(5.0, 0.1) == 0.0
    assert pacer.wait_s(5.0, 0.1) == pytest.approx(0.1)


@given(st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(0.0, 1.0)), max_size=30))
def test_it_never_waits_longer_than_the_interval(steps: list[tuple[float, float]]) -> None:
    pacer, now_s = Pacer(0.0), 0.0
    for interval_s, busy_s in steps:
        wait_s = pacer.wait_s(now_s, interval_s)
        assert 0.0 <= wait_s <= interval_s + 1e-9
        now_s += wait_s + busy_s
