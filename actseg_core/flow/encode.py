"""The flow of a whole clip."""

import numpy as np
from numpy.typing import NDArray

from actseg_core.flow.estimators import FlowEstimator


def clip_flow(frames: NDArray[np.uint8], estimator: FlowEstimator) -> NDArray[np.float32]:
    """Fields between the frames of a clip, the last one repeated (zero for a single frame).

    Args:
        frames: (T, H, W, 3) uint8 RGB, already at the network's size: flow is computed after
            resizing, as for the weights trained on Kinetics.
        estimator: What computes it.

    Returns:
        (T, H, W, 2) float32 [px per frame].
    """
    if len(frames) == 1:
        return np.zeros((*frames.shape[:3], 2), np.float32)
    fields = [
        estimator.estimate(previous, current)
        for previous, current in zip(frames[:-1], frames[1:], strict=True)
    ]
    return np.stack([*fields, fields[-1]])
