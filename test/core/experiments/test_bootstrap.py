"""Differences between rows and how sure they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.errors import DatasetError
from actseg_core.experiments.bootstrap import VideoSums, difference, read_sums


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Two samples of video a, one of b, and one without a target."""
    rows = [("b", 30, 40, True), ("a", 0, 100, True), ("a", 90, 100, True), ("b", 0, 50, False)]
    path = tmp_path / "samples.jsonl"
    lines = (
        {"video": video, "intersection": common, "union": union, "has_target": there}
        for video, common, union, there in rows
    )
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def sums(*values: tuple[float, float]) -> VideoSums:
    table = np.array(values)
    names = tuple(f"v{place:03d}" for place in range(len(values)))
    return VideoSums(names, table[:, 0], table[:, 1])


def test_overall_iou_adds_up_pixels_per_video(samples: Path) -> None:
    found = read_sums(samples, "overall IoU")
    assert found.videos == ("a", "b")
    assert found.numerators.tolist() == [90, 30]
    assert found.denominators.tolist() == [200, 40]
    assert found.value == 0.5


def test_mean_iou_adds_up_samples(samples: Path) -> None:
    assert read_sums(samples, "mean IoU").value == pytest.approx((0 + 0.9 + 0.75) / 3)


def test_map_counts_thresholds_that_are_reached(samples: Path) -> None:
    # 0.9 reaches .50 to .90, nine of ten; 0.75 reaches six; 0 none.
    assert read_sums(samples, "mAP").value == pytest.approx((0.9 + 0.6) / 3)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"video": 1')
    with pytest.raises(DatasetError, match=r"samples.jsonl is no samples.jsonl"):
        read_sums(path, "mAP")


def test_the_same_row_differs_by_nothing() -> None:
    row = sums((1, 2), (3, 4), (0, 5))
    found = difference([row], [row])
    assert (found.mean, found.low, found.high, found.seeds) == (0, 0, 0, 1)


def test_a_gain_in_every_video_is_sure() -> None:
    better = [sums(*[(6, 10)] * 20), sums(*[(7, 10)] * 20)]
    worse = [sums(*[(5, 10)] * 20), sums(*[(5, 10)] * 20)]
    found = difference(better, worse)
    assert found.mean == pytest.approx(15)
    # The seeds gave 10 and 20, so draws of both seeds lie between.
    assert (found.low, found.high) == (pytest.approx(10), pytest.approx(20))


def test_a_gain_in_half_of_the_videos_and_a_loss_in_the_others_is_not_sure() -> None:
    better, worse = sums(*[(6, 10), (4, 10)] * 10), sums(*[(5, 10)] * 20)
    found = difference([better], [worse])
    assert found.mean == pytest.approx(0)
    # The share of gains among 20 draws has a deviation of sqrt(.25 / 20) = .112, a gain is worth
    # 20 points more than a loss: +-1.96 * 2.24 points.
    assert found.low == pytest.approx(-4.4, abs=0.7)
    assert found.high == pytest.approx(4.4, abs=0.7)


def test_rows_about_different_videos_are_not_compared() -> None:
    with pytest.raises(DatasetError, match="measured on different videos"):
        difference([sums((1, 2))], [sums((1, 2), (1, 2))])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_the_other_way_round_it_is_the_opposite(pairs: list[tuple[int, int]]) -> None:
    one = sums(*[(common, 10) for common, _ in pairs])
    other = sums(*[(common, 10) for _, common in pairs])
    there, back = difference([one], [other]), difference([other], [one])
    assert there.mean == pytest.approx(-back.mean)
    assert there.low == pytest.approx(-back.high, abs=1e-9)
    assert there.low <= there.mean + 1e-9 and there.mean - 1e-9 <= there.high
