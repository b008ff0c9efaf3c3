"""A figure per finding."""

from pathlib import Path

import pytest
from sample_files import write_overlaps

from actseg_core.experiments.bootstrap import estimate, read_sums
from actseg_core.experiments.finding_figures import finding_figures, finding_file, rows_of
from actseg_core.experiments.findings import FINDINGS, Samples, judge

STREAMS = next(item for item in FINDINGS if item.name == "streams")
BASELINES = next(item for item in FINDINGS if item.name == "baselines")


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    """Two seeds of RGB and of both streams together, none of flow."""
    return {
        "ablation_stream_rgb": {
            0: write_overlaps(tmp_path / "rgb0", [40, 60]),
            1: write_overlaps(tmp_path / "rgb1", [50, 50]),
        },
        "ablation_stream_rgb_flow": {
            0: write_overlaps(tmp_path / "both0", [60, 80]),
            1: write_overlaps(tmp_path / "both1", [70, 70]),
        },
    }


def test_a_rows_interval_holds_what_its_videos_give(samples: Samples) -> None:
    found = estimate([read_sums(samples["ablation_stream_rgb"][0], "overall IoU")])
    # Two videos of 40 and 60 %: both drawn twice gives the ends.
    assert (found.mean, found.low, found.high) == pytest.approx((50, 40, 60))


def test_findings_without_a_measured_claim_have_no_figure(samples: Samples) -> None:
    shown = [finding.name for finding, _ in finding_figures(judge(samples), samples)]
    assert shown == ["streams"]


def test_bars_are_measured_and_diamonds_are_the_papers(samples: Samples) -> None:
    ((_, figure),) = finding_figures(judge(samples), samples)
    (axes,) = figure.axes
    assert max(map(len, figure.get_suptitle().splitlines())) <= 50  # of 4.2 inches
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        *("RGB", "Flow", "RGB and Flow, 2:1"),
    ]
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([50, 70])
    diamonds = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "D"]
    assert diamonds == [53.6, 49.5, 55.1]


def test_every_measure_of_a_finding_has_a_panel(tmp_path: Path) -> None:
    samples = {name: {0: write_overlaps(tmp_path / name, [10, 20])} for name in rows_of(BASELINES)}
    figures = {item.name: figure for item, figure in finding_figures(judge(samples), samples)}
    titles = [axes.get_title() for axes in figures["baselines"].axes]
    assert titles == ["overall IoU [%]", "mean IoU [%]", "mAP [%]"]


def test_every_finding_has_a_file_of_its_own() -> None:
    names = {finding_file(finding) for finding in FINDINGS}
    assert len(names) == len(FINDINGS) and "finding_streams.png" in names
