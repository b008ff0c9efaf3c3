"""The flow of a whole clip, and Kinetics' way to store it."""

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.flow.base import FlowEstimator


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
