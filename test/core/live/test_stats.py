"""Rates and latencies over the recent past."""

import math

import pytest

from actseg_core.live.stats import STAGES, Interval, Latency, Rate, Stages


def test_ten_events_a_tenth_of_a_second_apart_are_ten_hertz() -> None:
    rate = Rate()
    for number in range(10):
        rate.tick(5.0 + number * 0.1)
    assert rate.hz(5.9) == pytest.approx(10.0)


def test_the_rate_falls_while_nothing_comes_and_ends_at_zero() -> None:
    rate = Rate(window_s=3.0)
    for number in range(11):
        rate.tick(number * 0.1)
    assert rate.hz(2.0) == pytest.approx(5.0)
    assert rate.hz(10.0) == 0.0


def test_one_event_is_no_rate() -> None:
    rate = Rate()
    rate.tick(1.0)
    assert rate.hz(1.0) == 0.0


def test_a_slow_camera_has_a_rate_whenever_it_is_asked() -> None:
    rate = Rate(window_s=3.0)
    for number in range(6):
        rate.tick(number * 5.0)
    for now_s in (25.0, 29.0, 32.0):
        assert rate.hz(now_s) == pytest.approx(0.2)
    assert rate.hz(33.0) == pytest.approx(3 / 23)  # three intervals, and eight seconds of waiting
    assert rate.hz(66.0) == 0.0


def ticked(*times_s: float) -> Interval:
    interval = Interval()
    for time_s in times_s:
        interval.tick(time_s)
    return interval


def test_the_interval_is_known_from_the_second_frame_on() -> None:
    assert ticked().value_s == ticked(7.0).value_s == 0.0
    assert ticked(7.0, 8.0).value_s == 1.0


def test_a_lost_frame_does_not_change_the_interval() -> None:
    assert ticked(0.0, 1.0, 2.0, 3.0, 5.0, 6.0).value_s == 1.0


def test_another_rate_is_known_after_three_frames() -> None:
    times_s = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert ticked(*times_s, 3.5, 4.5).value_s == 0.5
    assert ticked(*times_s, 3.5, 4.5, 5.5).value_s == 1.0


def test_after_a_pause_the_interval_is_measured_anew() -> None:
    times_s = [0.0, 0.1, 0.2, 0.3]
    assert ticked(*times_s, 1.3).value_s == 0.0
    assert ticked(*times_s, 1.3, 2.3).value_s == pytest.approx(1.0)


def test_after_a_time_that_runs_back_the_interval_is_measured_anew() -> None:
    assert ticked(10.0, 11.0, 11.0, 5.0).value_s == 0.0
    assert ticked(10.0, 11.0, 5.0, 5.2).value_s == pytest.approx(0.2)


def test_percentiles_of_a_hundred_and_one_latencies() -> None:
    latency = Latency()
    for milliseconds in range(101):
        latency.add(milliseconds / 1000)
    assert latency.percentiles_ms() == pytest.approx((50.0, 95.0))


def test_no_latency_is_not_zero() -> None:
    assert all(math.isnan(value) for value in Latency().percentiles_ms())


def test_old_latencies_are_forgotten() -> None:
    latency = Latency()
    for value_s in [100.0] * 300 + [1.0] * 300:
        latency.add(value_s)
    assert latency.percentiles_ms() == (1000.0, 1000.0)


def test_each_stage_has_its_own_percentiles_and_failures_do_not_count() -> None:
    stages = Stages()
    for value_s in (0.010, 0.020, 0.030):
        stages.add("decoding", value_s)
    with pytest.raises(ZeroDivisionError), stages.timed("network"):
        raise ZeroDivisionError
    told = stages.percentiles_ms()
    assert tuple(told) == STAGES
    assert told["decoding"] == (pytest.approx(20.0), pytest.approx(29.0))
    assert math.isnan(told["network"][0])
    with stages.timed("network"):
        pass
    assert 0.0 <= stages.percentiles_ms()["network"][0] < 1000.0
