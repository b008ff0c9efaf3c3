"""Boundary measure, J and F, and steadiness: by hand, by slow references, by symmetry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.errors import ShapeError
from actseg_core.evaluation.temporal import (
    boundary_score,
    consistency_scores,
    outline,
    sequence_scores,
    steady_overlap,
)

seeds = st.integers(0, 2**32 - 1)


def blob(seed: int, height: int = 24, width: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.bool_)
    for _ in range(3):
        top, left = rng.integers(0, height), rng.integers(0, width)
        mask[top : top + rng.integers(1, 12), left : left + rng.integers(1, 12)] = True
    return mask


def slow_outline(mask: np.ndarray) -> np.ndarray:
    """DAVIS' rule, pixel by pixel: a pixel unlike one of its neighbours right, below, diagonal."""
    height, width = mask.shape
    edges = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            around = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
            inside = [(a, b) for a, b in around if a < height and b < width]
            edges[y, x] = any(mask[place] != mask[y, x] for place in inside)
    return edges


def slow_boundary_score(predicted: np.ndarray, truth: np.ndarray) -> float:
    """All distances between outline pixels."""
    ours, theirs = (np.argwhere(slow_outline(mask)) for mask in (predicted, truth))
    if not len(ours) or not len(theirs):
        return float(len(ours) == len(theirs))
    radius = np.ceil(0.008 * np.hypot(*truth.shape))
    distance = np.sqrt(((ours[:, None] - theirs[None]) ** 2).sum(axis=2))
    precision = (distance.min(axis=1) <= radius).mean()
    recall = (distance.min(axis=0) <= radius).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def test_outline_of_a_small_square_by_hand() -> None:
    mask = np.zeros((5, 5), np.bool_)
    mask[2:4, 2:4] = True
    wanted = np.array(
        [
            [0, 0, 0, 0, 0],
            [0, 1, 1, 1, 0],
            [0, 1, 0, 1, 0],
            [0, 1, 1, 1, 0],
            [0, 0, 0, 0, 0],
        ],
        np.bool_,
    )
    np.testing.assert_array_equal(outline(mask), wanted)


@given(seeds)
def test_outline_is_that_of_the_slow_rule(seed) -> None:
    mask = blob(seed, 9, 11)
    np.testing.assert_array_equal(outline(mask), slow_outline(mask))


@settings(deadline=None)
@given(seeds, seeds)
def test_boundary_score_is_that_of_all_distances(first, second) -> None:
    predicted, truth = blob(first), blob(second)
    assert boundary_score(predicted, truth) == pytest.approx(slow_boundary_score(predicted, truth))


@settings(deadline=None)
@given(seeds, seeds)
def test_boundary_score_is_symmetric_bounded_and_one_for_equal_masks(first, second) -> None:
    one, other = blob(first), blob(second)
    score = boundary_score(one, other)
    assert 0 <= score <= 1
    assert score == pytest.approx(boundary_score(other, one))
    assert boundary_score(one, one) == 1.0


def test_a_shift_within_the_tolerance_costs_nothing() -> None:
    # Diagonal 500, so 4 pixels are near.
    truth = np.zeros((300, 400), np.bool_)
    truth[100:200, 100:200] = True
    assert boundary_score(np.roll(truth, 4, axis=1), truth) == 1.0
    far = boundary_score(np.roll(truth, 5, axis=1), truth)
    # Of 404 edge pixels the two vertical sides are too far, but for their ends near the others.
    assert 0.4 < far < 0.6


def test_one_empty_outline_scores_zero_and_two_score_one() -> None:
    empty, some = np.zeros((10, 10), np.bool_), blob(1, 10, 10)
    assert boundary_score(empty, some) == boundary_score(some, empty) == 0.0
    assert boundary_score(empty, empty) == 1.0
    assert boundary_score(~empty, empty) == 1.0  # a full frame has no outline


def test_j_and_f_are_means_over_objects_not_over_frames() -> None:
    scores = sequence_scores([("a", 1.0, 0.8), ("a", 0.5, 0.4), ("a", 0.0, 0.0), ("b", 0.9, 0.6)])
    assert scores.objects == 2
    assert scores.region == pytest.approx((0.5 + 0.9) / 2)
    assert scores.boundary == pytest.approx((0.4 + 0.6) / 2)
    assert scores.region_and_boundary == pytest.approx(0.6)


def test_no_object_gives_nan() -> None:
    assert np.isnan(sequence_scores([]).region_and_boundary)


def test_a_mask_that_moves_with_the_flow_is_steady(rectangle) -> None:
    first, second = rectangle(2, 3, 3, 4), rectangle(3, 5, 3, 4)  # one down, two right
    flow = np.zeros((10, 12, 2), np.float32)
    flow[..., 0], flow[..., 1] = 2.2, 0.8  # nearest pixel: 2, 1
    assert steady_overlap(first, second) == (4, 20)
    assert steady_overlap(first, second, flow) == (12, 12)


def test_pixels_that_leave_the_frame_are_left_out(rectangle) -> None:
    first, second = rectangle(0, 8, 2, 4), rectangle(0, 10, 2, 2)
    flow = np.zeros((10, 12, 2), np.float32)
    flow[..., 0] = 2.0  # columns 10 and 11 leave
    assert steady_overlap(first, second, flow) == (4, 4)


@given(seeds, seeds)
def test_without_motion_warping_changes_nothing(first, second) -> None:
    one, other = blob(first), blob(second)
    still = np.zeros((*one.shape, 2), np.float32)
    assert steady_overlap(one, other, still) == steady_overlap(one, other)


def test_pairs_of_empty_answers_say_nothing_about_steadiness() -> None:
    scores = consistency_scores([(0, 0), (3, 4), (1, 4)], [(0, 0), (4, 4)])
    assert scores.samples == 2
    assert scores.plain == pytest.approx(0.5, abs=1e-6)
    assert scores.warped == pytest.approx(1.0)
    assert np.isnan(consistency_scores([(0, 0)], []).plain)


@pytest.mark.parametrize(
    "call",
    [
        lambda mask: boundary_score(mask, mask.T),
        lambda mask: steady_overlap(mask, mask.T),
        lambda mask: steady_overlap(mask, mask, np.zeros((12, 10, 2), np.float32)),
        lambda mask: steady_overlap(mask, mask.T, np.zeros((10, 12, 2), np.float32)),
    ],
)
def test_sizes_that_differ_are_refused(call, rectangle) -> None:
    with pytest.raises(ShapeError, match=r"\(10, 12"):
        call(rectangle())
