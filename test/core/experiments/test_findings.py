"""Verdicts from measured rows."""

from pathlib import Path

import pytest
from sample_files import write_overlaps

from actseg_core.experiments.bootstrap import Difference
from actseg_core.experiments.findings import FINDINGS, Claim, Finding, Judged, JudgedFinding, judge
from actseg_core.experiments.plan import SETS


def judged(low: float, high: float) -> Judged:
    return Judged(Claim("a", "b"), Difference((low + high) / 2, low, high, 3))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(1, 3, "holds"), (-3, -1, "does not hold"), (-1, 3, "within noise"), (0, 0, "within noise")],
)
def test_the_interval_decides(low: float, high: float, verdict: str) -> None:
    assert judged(low, high).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(1, 3, "higher, one seed"), (-3, -1, "lower, one seed"), (-1, 3, "within noise")],
)
def test_one_seed_decides_nothing(low: float, high: float, verdict: str) -> None:
    assert Judged(Claim("a", "b"), Difference(0, low, high, 1)).verdict == verdict


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([judged(1, 2), judged(1, 2)], "holds"),
        ([judged(1, 2), judged(-1, 2)], "within noise"),
        ([judged(-1, 2), Judged(Claim("a", "b"), None)], "not measured"),
        ([Judged(Claim("a", "b"), None), judged(-2, -1)], "does not hold"),
    ],
)
def test_a_finding_holds_if_all_its_claims_do(parts: list[Judged], verdict: str) -> None:
    finding = Finding("one", tuple(item.claim for item in parts))
    assert JudgedFinding(finding, tuple(parts)).verdict == verdict


@pytest.mark.parametrize(("high", "narrow"), [(1.7, True), (1.8, False)])
def test_an_interval_is_narrow_below_half_of_the_papers_difference(
    high: float, narrow: bool
) -> None:
    claim = Claim("ablation_stream_rgb_flow", "ablation_stream_rgb")  # 55.1 and 53.6
    found = Judged(claim, Difference(1.2, 1.0, high, 3))
    assert found.effect == pytest.approx(1.5)
    assert found.is_narrow is narrow


def test_every_claim_is_one_that_the_paper_prints() -> None:
    effects = [Judged(claim, None).effect for item in FINDINGS for claim in item.claims]
    assert all(effect is not None and effect > 0 for effect in effects)


def test_every_claim_is_about_rows_that_are_measured() -> None:
    presets = {row.preset for rows in SETS.values() for row in rows}
    claimed = {
        name for it in FINDINGS for claim in it.claims for name in (claim.better, claim.worse)
    }
    assert claimed <= presets


def test_only_seeds_that_both_rows_have_are_compared(tmp_path: Path) -> None:
    flow = {seed: write_overlaps(tmp_path / f"f{seed}", [20] * 9) for seed in (0, 1, 2)}
    rgb = {
        seed: write_overlaps(tmp_path / f"r{seed}", [50 + 40 * (seed == 3)] * 9)
        for seed in (1, 2, 3)
    }
    fused = {seed: write_overlaps(tmp_path / f"b{seed}", [60] * 9) for seed in (1, 2)}
    rows = {
        "ablation_stream_rgb": rgb,
        "ablation_stream_flow": flow,
        "ablation_stream_rgb_flow": fused,
    }
    streams = next(it for it in judge(rows) if "flow together" in it.finding.text)
    assert streams.verdict == "holds"
    assert [it.difference and round(it.difference.mean) for it in streams.claims] == [10, 40]
    assert all(it.difference and it.difference.seeds == 2 for it in streams.claims)


def test_what_nobody_measured_is_not_judged() -> None:
    assert {it.verdict for it in judge({})} == {"not measured"}
