"""A flow field as a network reads it, and camera motion taken out of it. [ours]"""

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.flow.estimators import FlowEstimator

GRID_PX = 8  # spacing of the points that the camera's motion is fitted to
TOLERANCE_PX = 1.0  # a point this near to the fitted motion belongs to the background
MIN_POINTS = 16


class Quantised:
    """Another estimator's flow as it came out of Kinetics' 8-bit files.

    Args:
        estimator: What computes the flow.
        clip_px: Larger displacements [px] are clipped.
    """

    def __init__(self, estimator: FlowEstimator, clip_px: float) -> None:
        self._estimator = estimator
        self._clip_px = clip_px

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        return quantise(self._estimator.estimate(previous, current), self._clip_px)


def quantise(field: NDArray[np.float32], clip_px: float) -> NDArray[np.float32]:
    """Clip to +-clip_px and round to the nearest of 256 evenly spaced levels, ends included.

    No level is zero: rest becomes clip_px / 255, half a step. The rule is the one that the
    authors of I3D gave for their TV-L1 flow, [-20, 20] to [0, 255].

    Args:
        field: (..., 2) float32 [px].
        clip_px: Largest displacement [px].
    """
    span = 2 * clip_px
    levels = np.floor((np.clip(field, -clip_px, clip_px) + clip_px) * 255 / span + 0.5)
    rounded: NDArray[np.float32] = (levels * span / 255 - clip_px).astype(np.float32)
    return rounded


def clip_flow(frames: NDArray[np.uint8], estimator: FlowEstimator) -> NDArray[np.float32]:
    """Fields between the frames of a clip, the last one repeated (zero for a single frame).

    Args:
        frames: (T, H, W, 3) uint8 RGB, already at the network's size: flow is computed after
            resizing, as for the weights trained on Kinetics.
        estimator: What computes it.

    Returns:
        (T, H, W, 2) float32 [px per frame].

    Raises:
        ShapeError: If there is no frame, or they are no RGB images.
    """
    if frames.ndim != 4 or len(frames) == 0:
        raise ShapeError(
            f"clip flow needs (T, H, W, 3) uint8 frames with T >= 1, got {frames.shape}"
        )
    if len(frames) == 1:
        return np.zeros((*frames.shape[:3], 2), np.float32)
    fields = [
        estimator.estimate(previous, current)
        for previous, current in zip(frames[:-1], frames[1:], strict=True)
    ]
    return np.stack([*fields, fields[-1]])


class EgoMotionCompensated:
    """Another estimator's flow without the part that the camera's own motion explains.

    Args:
        estimator: What computes the flow.
    """

    def __init__(self, estimator: FlowEstimator) -> None:
        self._estimator = estimator

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        field = self._estimator.estimate(previous, current)
        return field - camera_flow(field)


def camera_flow(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """The flow of the dominant homography: what a moving camera does to a flat or far scene.

    Args:
        field: (H, W, 2) float32 [px].

    Returns:
        (H, W, 2) float32 [px]; zero where no homography explains the field.
    """
    height, width = field.shape[:2]
    homography = dominant_homography(field)
    points = _grid(height, width, 1)
    if homography is None:
        return np.zeros_like(field)
    moved = cv2.perspectiveTransform(points[:, np.newaxis], homography)[:, 0]
    flow: NDArray[np.float32] = (moved - points).reshape(height, width, 2).astype(np.float32)
    return flow


def dominant_homography(field: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """The homography that most grid points of a field follow, found by RANSAC.

    Args:
        field: (H, W, 2) float32 [px].

    Returns:
        (3, 3) float64 from pixels of the earlier frame to pixels of the later one; None if the
        field is too small, fewer than half of the points agree, or it turns the image inside out.
    """
    height, width = field.shape[:2]
    points = _grid(height, width, GRID_PX)
    if len(points) < MIN_POINTS:
        return None
    columns, rows = points.astype(np.intp).T
    found, inliers = cv2.findHomography(
        points, points + field[rows, columns], cv2.RANSAC, TOLERANCE_PX
    )
    if found is None or inliers.mean() < 0.5:
        return None
    homography = np.asarray(found, np.float64)
    corners = np.array([[x, y, 1] for x in (0, width - 1) for y in (0, height - 1)], np.float64)
    if (corners @ homography[2] <= 0).any() or np.linalg.det(homography) <= 0:
        return None
    return homography


def _grid(height: int, width: int, step: int) -> NDArray[np.float64]:
    """(N, 2) pixel coordinates x, y, row by row, `step` apart."""
    y, x = np.mgrid[step // 2 : height : step, step // 2 : width : step]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)
