"""Estimators of optical flow: OpenCV's DIS and Farneback, and scikit-image's TV-L1."""

import importlib
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ConfigError, ShapeError

MIN_DIS_SIDE_PX = 32  # OpenCV 5.0's DIS writes past its buffers on some smaller sides


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


class TvL1Flow:
    """Duality-based TV-L1 (Zach et al., DAGM 2007), as scikit-image implements it.

    OpenCV has it in its contrib build alone, which cannot be installed beside the headless one.

    Raises:
        ConfigError: If scikit-image is not installed.
    """

    def __init__(self) -> None:
        try:
            self._registration = importlib.import_module("skimage.registration")
        except ImportError as error:
            raise ConfigError(
                "flow.estimator tvl1 needs scikit-image: pip install scikit-image, or set "
                "flow.estimator: dis"
            ) from error

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        first, second = (frame.astype(np.float32) / 255 for frame in gray(previous, current))
        rows, columns = self._registration.optical_flow_tvl1(first, second, dtype=np.float32)
        return np.stack([columns, rows], axis=2).astype(np.float32, copy=False)


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
