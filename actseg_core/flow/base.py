"""What every optical flow estimator can do."""

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError


class FlowEstimator(Protocol):
    """Dense motion between two frames. Not to be shared between threads."""

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        """(H, W, 2) float32 [px], x and y: where each pixel of `previous` went in `current`.

        Args:
            previous: (H, W, 3) uint8 RGB.
            current: The same.

        Raises:
            ShapeError: If the frames are no RGB images, or differ in size.
        """


def gray(
    previous: NDArray[np.uint8], current: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both RGB frames as contiguous (H, W) uint8.

    Raises:
        ShapeError: If they are no RGB images, or differ in size.
    """
    for frame in (previous, current):
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
            raise ShapeError(
                "flow needs (H, W, 3) uint8 RGB frames, got shape "
                f"{frame.shape} of {frame.dtype}; convert them first"
            )
    if previous.shape != current.shape:
        raise ShapeError(
            f"flow needs two frames of one size, got {previous.shape} and {current.shape}; "
            "resize them alike first"
        )
    first, second = (
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        for frame in (previous, current)
    )
    return first, second
