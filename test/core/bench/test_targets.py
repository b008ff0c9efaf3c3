"""Targets judged by a report."""

from actseg_core.bench.report import Report
from actseg_core.bench.targets import targets


def test_targets_are_judged_by_the_faster_way(report: Report) -> None:
    found = {item.what: item for item in targets(report)}
    rate = found["lite, 320 px, 1 sentence(s), newest frame"]
    assert rate.met and rate.measured == "32.0 (31.0 to 33.0), overlapped"
    naive = found["lite, 320 px, against the naive version"]
    assert not naive.met and naive.measured == "32.0 times"
    sixteen = found["lite, 320 px, 16 sentences against one"]
    assert not sixteen.met and sixteen.measured == "2.00 times"
    assert len(found) == 3, "nothing is judged that was not measured"
