"""Targets judged by a report."""

import pytest

from actseg_core.bench.report import Report
from actseg_core.bench.targets import targets, times_naive


def test_targets_are_judged_by_the_way_of_the_node(report: Report) -> None:
    found = {item.what: item for item in targets(report)}
    rate = found["default model, 1 sentence, in turn"]
    assert rate.met and rate.measured == "32.0 (31.0 to 33.0)"
    naive = found["the same against the naive version"]
    assert not naive.met and naive.measured == "32.0 times"
    four = found["rate with 4 sentences by that with one"]
    assert four.met and four.measured == "1.00"
    sixteen = found["rate with 16 sentences by that with one"]
    assert not sixteen.met and sixteen.measured == "0.50"
    assert len(found) == 4, "nothing is judged that was not measured"


def test_the_naive_version_takes_as_many_times_as_long_as_there_are_sentences(
    report: Report,
) -> None:
    sixteen = report.stream(16, "in turn")
    assert sixteen is not None
    assert times_naive(report, sixteen) == pytest.approx(16.0 * 16)
