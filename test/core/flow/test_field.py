"""What is left of a field when the camera's motion is taken out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.flow.estimators import DisFlow
from actseg_core.flow.field import (
    EgoMotionCompensated,
    Quantised,
    camera_flow,
    clip_flow,
    dominant_homography,
    quantise,
)

HEIGHT, WIDTH = 96, 128


class BrightnessDifference:
    """Stands in for an estimator: x is how much brighter the later frame is, y its brightness."""

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        before, after = previous[..., 0].astype(np.float32), current[..., 0].astype(np.float32)
        return np.stack([after - before, after], axis=2)


def frames(*brightness: int) -> NDArray[np.uint8]:
    return np.stack([np.full((2, 3, 3), value, np.uint8) for value in brightness])


def test_each_frame_has_the_flow_to_the_next_and_the_last_repeats_it() -> None:
    flow = clip_flow(frames(10, 13, 20), BrightnessDifference())

    assert flow.shape == (3, 2, 3, 2)
    assert flow.dtype == np.float32
    np.testing.assert_array_equal(flow[:, 0, 0], [[3, 13], [7, 20], [7, 20]])


def test_a_single_frame_does_not_move() -> None:
    flow = clip_flow(frames(10), BrightnessDifference())

    assert flow.shape == (1, 2, 3, 2)
    assert flow.dtype == np.float32
    assert not flow.any()


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (4, 4, 3)])
def test_what_is_no_clip_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"\(T, H, W, 3\) uint8 frames with T >= 1, got"):
        clip_flow(np.zeros(shape, np.uint8), BrightnessDifference())


def test_levels_are_those_of_an_8_bit_file() -> None:
    # 20 px is 255 levels of 40 / 255 px above -20 px: 0 px lies between levels 127 and 128.
    field = np.array([[-30, -20], [0, 20], [1, 25]], np.float32)

    expected = np.array([[0, 0], [128, 255], [134, 255]]) * 40 / 255 - 20
    np.testing.assert_allclose(quantise(field, 20), expected, atol=1e-5)


finite: Any = arrays.arrays(np.float32, (3, 2), elements=st.floats(-60, 60, width=32))


@given(finite, st.floats(1, 50))
def test_rounding_moves_less_than_half_a_step_and_is_stable(
    field: NDArray[np.float32], clip_px: float
) -> None:
    rounded = quantise(field, clip_px)

    clipped = np.clip(field, -clip_px, clip_px)
    assert np.abs(rounded - clipped).max() <= clip_px / 255 + 1e-4
    np.testing.assert_allclose(quantise(rounded, clip_px), rounded, atol=1e-4)


def test_an_estimator_can_be_wrapped() -> None:
    first, second = frames(10, 50)

    field = Quantised(BrightnessDifference(), 20).estimate(first, second)

    np.testing.assert_array_equal(field, np.full((2, 3, 2), 20))


def homography_flow(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """The flow of a homography, point by point."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    points = np.stack([x, y, np.ones_like(x)], axis=2) @ matrix.T
    return (points[..., :2] / points[..., 2:] - np.stack([x, y], axis=2)).astype(np.float32)


PAN = np.array([[1.02, 0.01, 3.0], [-0.01, 0.99, -2.0], [1e-4, -5e-5, 1.0]])


def test_the_flow_of_a_homography_is_found_exactly() -> None:
    field = homography_flow(PAN)

    np.testing.assert_allclose(camera_flow(field), field, atol=1e-2)


def test_an_actor_keeps_its_own_motion_under_a_moving_camera() -> None:
    field = homography_flow(PAN)
    actor = (slice(30, 70), slice(40, 80))
    field[actor] += np.array([6, -4], np.float32)

    left = field - camera_flow(field)

    np.testing.assert_allclose(left[actor], np.broadcast_to([6, -4], (40, 40, 2)), atol=0.02)
    left[actor] = 0
    assert np.abs(left).max() < 0.02


def test_a_still_camera_changes_nothing() -> None:
    field = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    field[40:60, 40:60] = 5

    np.testing.assert_allclose(camera_flow(field), 0, atol=1e-6)


def test_motion_without_a_dominant_part_is_left_alone() -> None:
    field = np.random.default_rng(0).normal(0, 10, (HEIGHT, WIDTH, 2)).astype(np.float32)

    assert dominant_homography(field) is None
    assert not camera_flow(field).any()


def test_a_mirrored_image_is_no_camera_motion() -> None:
    mirror = np.array([[-1.0, 0, WIDTH - 1], [0, 1, 0], [0, 0, 1]])

    assert dominant_homography(homography_flow(mirror)) is None


@pytest.mark.parametrize("shape", [(4, 4), (1, 300), (8, 200)])
def test_a_field_too_small_to_tell_is_left_alone(shape: tuple[int, int]) -> None:
    field = np.ones((*shape, 2), np.float32)

    assert not camera_flow(field).any() or np.allclose(camera_flow(field), 1, atol=1e-3)


def test_an_estimator_can_be_wrapped_for_the_cameras_motion(
    move: Callable[..., tuple[NDArray, NDArray, NDArray]],
) -> None:
    first, second, true = move(shift=(2.0, 1.0), angle_deg=-2.0)

    left = EgoMotionCompensated(DisFlow()).estimate(first, second)[12:-12, 12:-12]

    assert np.linalg.norm(true, axis=2).mean() > 2
    assert np.linalg.norm(left, axis=2).mean() < 0.25
    assert left.dtype == np.float32
