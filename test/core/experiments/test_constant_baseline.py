"""The answer that knows nothing."""

from pathlib import Path

import numpy as np
import pytest

from actseg_core.experiments.constant_baseline import (
    GRID,
    best_region,
    measure_floors,
    score_region,
)
from actseg_core.experiments.scale import AblationScale


def block(top: int, left: int, side: int, size: int = 2 * GRID) -> np.ndarray:
    mask = np.zeros((size, size), np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def test_masks_in_one_place_are_answered_there() -> None:
    masks = [block(20, 40, 16)] * 3
    region = best_region(masks)
    assert score_region(region, masks).overall_iou == pytest.approx(1, abs=1e-6)


def test_a_region_is_stretched_to_every_size() -> None:
    region = np.zeros((GRID, GRID), np.bool_)
    region[: GRID // 2] = True
    upper = np.zeros((30, 100), np.bool_)
    upper[:15, :50] = True  # the left half of the region
    assert score_region(region, [upper]).overall_iou == pytest.approx(0.5)


def test_of_two_places_the_frequent_one_is_answered() -> None:
    masks = [block(0, 0, 32)] * 3 + [block(60, 60, 32)]
    scores = score_region(best_region(masks), masks)
    assert scores.mean_iou == pytest.approx(0.75, abs=1e-6)


def test_both_test_sets_are_scored(data: Path, tiny: AblationScale) -> None:
    floors = measure_floors(data, tiny.limit)
    assert [floor.kind for floor in floors] == ["a2d-sentences", "jhmdb-sentences"]
    assert all(0 < floor.scores.overall_iou < 1 for floor in floors)
