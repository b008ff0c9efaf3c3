"""OpenCV's estimators: DIS, the fast one, and Farneback."""

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.flow.base import gray

MIN_DIS_SIDE_PX = 32  # OpenCV 5.0's DIS writes past its buffers on some smaller sides


class DisFlow:
    """Dense inverse search (Kroeger et al., ECCV 2016), OpenCV's fast preset.

    Images with a shorter side are continued at the right and bottom by their last pixels.
    """

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        first, second = gray(previous, current)
        height, width = first.shape
        below, right = max(0, MIN_DIS_SIDE_PX - height), max(0, MIN_DIS_SIDE_PX - width)
        if below or right:
            border = (0, below, 0, right, cv2.BORDER_REPLICATE)
            first = cv2.copyMakeBorder(first, *border).astype(np.uint8, copy=False)
            second = cv2.copyMakeBorder(second, *border).astype(np.uint8, copy=False)
        field = self._dis.calc(first, second, np.zeros((*first.shape, 2), np.float32))
        return np.asarray(field, np.float32)[:height, :width]


class FarnebackFlow:
    """Polynomial expansion (Farneback, SCIA 2003)."""

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        first, second = gray(previous, current)
        field = cv2.calcOpticalFlowFarneback(
            first,
            second,
            np.zeros((*first.shape, 2), np.float32),
            pyr_scale=0.5,
            levels=3,
            winsize=15,
            iterations=3,
            poly_n=5,
            poly_sigma=1.2,
            flags=0,
        )
        return np.asarray(field, np.float32)
