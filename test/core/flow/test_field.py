"""What is left of a field when the camera's motion is taken out."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from actseg_core.flow.estimators import DisFlow
from actseg_core.flow.field import EgoMotionCompensated, camera_flow, dominant_homography

HEIGHT, WIDTH = 96, 128


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


def test_an_estimator_can_be_wrapped(
    move: Callable[..., tuple[NDArray, NDArray, NDArray]],
) -> None:
    first, second, true = move(shift=(2.0, 1.0), angle_deg=-2.0)

    left = EgoMotionCompensated(DisFlow()).estimate(first, second)[12:-12, 12:-12]

    assert np.linalg.norm(true, axis=2).mean() > 2
    assert np.linalg.norm(left, axis=2).mean() < 0.25
    assert left.dtype == np.float32
