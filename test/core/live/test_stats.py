"""Rates and latencies over the recent past."""

import math

import pytest

from actseg_core.live.stats import STAGES, Latency, Rate, Stages


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
