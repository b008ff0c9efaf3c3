"""Which camera stamps are believed; a camera that repeats one picture is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.live.frame_checks import (
    NANOSECONDS,
    FrozenWatch,
    StampGate,
    StampRefused,
    stamp_to_ns,
)

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
    told = r"1\.500 s behind the node's clock, stream\.max_age_s allows 1 s; .*use_sim_time: true"
    with pytest.raises(StampRefused, match=told):
        make_gate().check(98_500_000_000, 100 * S)


def test_a_stamp_from_the_future_is_refused_too() -> None:
    told = r"0\.300 s ahead of the node's clock, future_tolerance_s allows 0\.2 s"
    with pytest.raises(StampRefused, match=told):
        make_gate().check(100_300_000_000, 100 * S)


def test_a_stamp_may_be_two_steps_ahead_of_a_coarse_simulated_clock() -> None:
    gate = StampGate(1.0, 0.2, clock_step_s=lambda: 0.5)
    gate.check(101 * S, 100 * S)
    with pytest.raises(StampRefused, match=r"1\.001 s ahead .* allows 1 s"):
        gate.check(101_001_000_000, 100 * S)


def test_a_clock_without_a_time_is_named_in_place_of_the_stamp() -> None:
    with pytest.raises(StampRefused, match="the node's clock has no time yet: nothing came on"):
        make_gate().check(100 * S, 0)


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


def picture(value: int = 0, height: int = 64) -> np.ndarray:
    return np.full((height, 32, 3), value, np.uint8)


def test_equal_pictures_are_counted_from_the_first_and_told_from_the_limit_on() -> None:
    watch = FrozenWatch(3)
    assert watch.repeats == 0
    told = []
    for value in (5, 5, 5, 5, 6, 6):
        watch.look(picture(value))
        told.append((watch.repeats, bool(watch.hint())))
    assert told == [(1, False), (2, False), (3, True), (4, True), (1, False), (2, False)]


def test_the_hint_says_how_often_and_what_to_do() -> None:
    watch = FrozenWatch(2)
    watch.look(picture())
    watch.look(picture())
    assert "same picture 2 times in a row" in watch.hint()
    assert "restart it" in watch.hint()


@given(st.integers(0, 63), st.integers(0, 31), st.integers(0, 2), st.booleans())
def test_one_other_pixel_anywhere_is_another_picture(
    row: int, column: int, channel: int, is_reversed: bool
) -> None:
    watch = FrozenWatch(2)
    changed = picture()
    changed[row, column, channel] = 1
    for image in (picture(), changed, changed.copy()):
        watch.look(image[..., ::-1] if is_reversed else image)
    assert watch.repeats == 2


def test_another_size_is_another_picture() -> None:
    watch = FrozenWatch(2)
    watch.look(picture(height=64))
    watch.look(picture(height=48))
    assert watch.repeats == 1


def test_the_limit_zero_looks_at_nothing_and_changes_at_once() -> None:
    watch = FrozenWatch(0)
    for _ in range(3):
        watch.look(picture())
    assert (watch.repeats, watch.hint()) == (0, "")
    watch.limit = 2
    for _ in range(2):
        watch.look(picture())
    assert watch.hint()
    watch.limit = 0
    assert watch.hint() == ""
