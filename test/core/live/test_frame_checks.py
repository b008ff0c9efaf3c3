"""Which camera stamps are believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.live.frame_checks import NANOSECONDS, StampGate, StampRefused, stamp_to_ns

S = NANOSECONDS


def make_gate() -> StampGate:
    return StampGate(max_age_s=1.0, future_tolerance_s=0.2)


def test_a_stamp_becomes_nanoseconds() -> None:
    assert stamp_to_ns(3, 25) == 3_000_000_025


@pytest.mark.parametrize(("sec", "nanosec"), [(-1, 0), (1, 10**9), (2**31, 0)])
def test_impossible_stamps_are_refused(sec: int, nanosec: int) -> None:
    with pytest.raises(StampRefused, match=f"got sec {sec}, nanosec {nanosec}"):
        stamp_to_ns(sec, nanosec)


def test_a_zero_stamp_is_no_stamp() -> None:
    with pytest.raises(StampRefused, match="is zero; the camera driver must set it"):
        stamp_to_ns(0, 0)


@pytest.mark.parametrize("age_s", [0.0, 0.99, -0.19])
def test_stamps_near_the_clock_pass(age_s: float) -> None:
    now_ns = 100 * S
    make_gate().check(now_ns - round(age_s * S), now_ns)


def test_an_old_stamp_is_refused_with_its_age() -> None:
    with pytest.raises(StampRefused, match=r"1\.500 s behind the node's clock, allowed are 1 s"):
        make_gate().check(98_500_000_000, 100 * S)


def test_a_stamp_from_the_future_is_refused_too() -> None:
    with pytest.raises(StampRefused, match=r"0\.300 s ahead of the node's clock"):
        make_gate().check(100_300_000_000, 100 * S)


def test_without_clock_check_any_distance_passes() -> None:
    gate = StampGate(1.0, 0.2, check_clock=False)
    gate.check(5, 100 * S)


def test_a_repeated_stamp_is_refused() -> None:
    gate = make_gate()
    gate.check(100 * S, 100 * S)
    with pytest.raises(StampRefused, match=r"header\.stamp repeats"):
        gate.check(100 * S, 100 * S)


def test_a_late_frame_between_good_ones_is_refused_and_forgotten() -> None:
    gate = make_gate()
    for number in range(20):
        stamp_ns = 100 * S + number * 30_000_000
        gate.check(stamp_ns, stamp_ns)
        with pytest.raises(StampRefused, match="runs back by 0.010 s"):
            gate.check(stamp_ns - 10_000_000, stamp_ns)
    assert gate.resets == 0


def test_a_clock_set_back_is_believed_at_the_fifth_rising_stamp() -> None:
    gate = StampGate(1.0, 0.2, check_clock=False)
    gate.check(100 * S, 0)
    for number in range(4):
        with pytest.raises(StampRefused, match="runs back"):
            gate.check(50 * S + number, 0)
    gate.check(50 * S + 4, 0)
    gate.check(50 * S + 5, 0)
    assert gate.resets == 1


def test_a_frozen_stamp_is_never_believed() -> None:
    gate = StampGate(1.0, 0.2, check_clock=False)
    gate.check(100 * S, 0)
    for _ in range(20):
        with pytest.raises(StampRefused):
            gate.check(50 * S, 0)


def test_after_a_declared_jump_any_stamp_passes() -> None:
    gate = StampGate(1.0, 0.2, check_clock=False)
    gate.check(100 * S, 0)
    gate.forget()
    gate.check(1, 0)


@given(st.lists(st.integers(min_value=1, max_value=50), max_size=60))
def test_accepted_stamps_rise_except_at_counted_resets(stamps: list[int]) -> None:
    gate = StampGate(1.0, 0.2, check_clock=False)
    falls, newest = 0, 0
    for stamp in stamps:
        try:
            gate.check(stamp, 0)
        except StampRefused:
            continue
        falls += stamp <= newest
        newest = stamp
    assert falls == gate.resets


def test_another_age_is_allowed_from_the_next_stamp_on() -> None:
    gate = make_gate()
    with pytest.raises(StampRefused, match="2.000 s behind"):
        gate.check(1 * S, 3 * S)
    gate.allow_age(2.5)
    gate.check(1 * S, 3 * S)
