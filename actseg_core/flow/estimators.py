"""DIS, Farneback."""

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.config import FlowConfig
from actseg_core.errors import ConfigError, ShapeError


class FlowEstimator(Protocol):
    """Dense motion between two frames."""

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        """(H, W, 2) float32 [px], x and y, where each pixel of `previous` is in `current`.

        Args:
            previous: (H, W, 3) uint8 RGB.
            current: The same.

        Raises:
            ShapeError: If the frames differ in size.
        """


class DisFlow:
    """Dense inverse search (Kroeger et al., ECCV 2016), OpenCV's fast preset."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        return np.asarray(self._dis.calc(*gray(previous, current), None), np.float32)


class FarnebackFlow:
    """Polynomial expansion (Farneback, SCIA 2003)."""

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        first, second = gray(previous, current)
        start = np.zeros((*first.shape, 2), np.float32)
        flow = cv2.calcOpticalFlowFarneback(first, second, start, 0.5, 3, 15, 3, 5, 1.2, 0)
        return np.asarray(flow, np.float32)


def gray(
    previous: NDArray[np.uint8], current: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both frames as (H, W) uint8."""
    if previous.shape != current.shape:
        raise ShapeError(
            f"flow needs two frames of one size, got {previous.shape} and {current.shape}"
        )
    first, second = (
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        for frame in (previous, current)
    )
    return first, second


def make_estimator(config: FlowConfig) -> FlowEstimator:
    """The estimator of a configuration."""
    if config.estimator == "dis":
        return DisFlow()
    if config.estimator == "farneback":
        return FarnebackFlow()
    raise ConfigError(f"there is no flow estimator {config.estimator!r}")
