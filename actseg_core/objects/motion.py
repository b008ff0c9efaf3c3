"""How objects move, beyond what the camera's own motion explains."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.flow.field import dominant_homography

Array = NDArray[np.float32]
FLOW_SIZE = 208
"""Side [px] of the square on which flow is computed; half of the network's input is enough."""
NOISE_PX = 0.15  # motion of the flow's own errors, in pixels of FLOW_SIZE per frame


@dataclass(frozen=True, eq=False)
class FrameMotion:
    """The flow between two frames, split into the camera's part and the rest.

    Attributes:
        flow: (208, 208, 2) float32 [px of 208], from the earlier frame to the later one.
        residual: The same without the camera's motion.
        noise: Median length of the residual [px of 208], at least NOISE_PX.
        seconds: Time between the frames.
    """

    flow: Array
    residual: Array
    noise: float
    seconds: float


class MotionEstimator:
    """Dense inverse search flow (Kroeger et al. 2016) between successive frames."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._before: NDArray[np.uint8] | None = None

    def forget(self) -> None:
        """The next frame follows none."""
        self._before = None

    def estimate(
        self, image: NDArray[np.uint8], content: tuple[slice, slice], seconds: float
    ) -> FrameMotion | None:
        """The motion from the frame given before to this one; None for the first.

        Args:
            image: (S, S, 3) uint8 RGB, resized and padded.
            content: Rows and columns of it that hold the picture.
            seconds: Time since the frame before.
        """
        full = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # first: one channel is resized, not three
        small = cv2.resize(full, (FLOW_SIZE, FLOW_SIZE), interpolation=cv2.INTER_AREA)
        grey = small.astype(np.uint8, copy=False)
        before, self._before = self._before, grey
        if before is None:
            return None
        share = FLOW_SIZE / image.shape[0]
        rows, columns = (
            slice(round(part.start * share), max(round(part.stop * share), 1)) for part in content
        )
        flow = np.zeros((FLOW_SIZE, FLOW_SIZE, 2), np.float32)
        inner = (
            np.ascontiguousarray(before[rows, columns]),
            np.ascontiguousarray(grey[rows, columns]),
        )
        if min(inner[0].shape) < 16:
            return None
        flow[rows, columns] = self._flow.calc(*inner, None)  # type: ignore[call-overload]
        residual = flow.copy()
        residual[rows, columns] -= _camera_flow(flow[rows, columns])
        length = np.hypot(residual[rows, columns, 0], residual[rows, columns, 1])
        noise = max(float(np.median(length)), NOISE_PX)
        return FrameMotion(flow, residual, noise, max(seconds, 1e-3))


def _camera_flow(field: Array) -> Array:
    """The flow of the dominant homography; the field's median where there is none."""
    height, width = field.shape[:2]
    homography = dominant_homography(field)
    if homography is None:
        return np.broadcast_to(np.median(field, axis=(0, 1)), field.shape).astype(np.float32)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    h = homography.astype(np.float32)
    depth = h[2, 0] * x + h[2, 1] * y + h[2, 2]
    moved_x = (h[0, 0] * x + h[0, 1] * y + h[0, 2]) / depth
    moved_y = (h[1, 0] * x + h[1, 1] * y + h[1, 2]) / depth
    return np.stack((moved_x - x, moved_y - y), axis=2)


MOTION_VALUES = 5
"""Values of `object_motion` per object."""


def object_motion(motion: FrameMotion, masks: Array) -> Array:
    """How each object moves.

    Args:
        motion: Between the frame before and this one.
        masks: (K, m, m) float32 probabilities of the objects in either frame.

    Returns:
        (K, 5) float32: mean velocity x and y and spread of velocity inside the object, each in
        heights of the object per second; logarithm of the object's motion over the frame's noise;
        share of the object's pixels that move.
    """
    if not len(masks):
        return np.zeros((0, MOTION_VALUES), np.float32)
    side = masks.shape[-1]
    small = cv2.resize(motion.residual, (side, side), interpolation=cv2.INTER_AREA)
    field = small.reshape(-1, 2)
    inside = (masks.reshape(len(masks), -1) > 0.5).astype(np.float32)
    area = np.maximum(inside.sum(axis=1, keepdims=True), 1.0)
    length = np.hypot(field[:, 0], field[:, 1])
    mean = inside @ field / area
    squares = inside @ (field**2).sum(axis=1, keepdims=True) / area
    spread = np.sqrt(np.maximum(squares[:, 0] - (mean**2).sum(axis=1), 0))
    typical = (inside @ length[:, None] / area)[:, 0]
    moving = (inside @ (length > 2 * motion.noise + NOISE_PX)[:, None].astype(np.float32)) / area
    rows = (masks > 0.5).any(axis=2).sum(axis=1)
    height = np.maximum(rows * (FLOW_SIZE / side), 2.0)
    rate = 1 / (height * motion.seconds)
    return np.column_stack(
        [
            mean * rate[:, None],
            spread * rate,
            np.log((typical + NOISE_PX) / (motion.noise + NOISE_PX)),
            moving[:, 0],
        ]
    ).astype(np.float32)


def warp_masks(masks: Array, flow: Array) -> Array:
    """Masks of the earlier frame moved along the flow to the later one.

    Args:
        masks: (K, m, m) float32.
        flow: (F, F, 2) float32 [px of F] from the earlier frame to the later one.

    Returns:
        (K, m, m) float32.
    """
    if not len(masks):
        return masks
    side = masks.shape[-1]
    small = cv2.resize(flow, (side, side), interpolation=cv2.INTER_AREA) * (side / flow.shape[0])
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    back = cv2.remap(small, x - small[..., 0], y - small[..., 1], cv2.INTER_LINEAR)
    return np.stack(
        [cv2.remap(mask, x - back[..., 0], y - back[..., 1], cv2.INTER_LINEAR) for mask in masks]
    )
