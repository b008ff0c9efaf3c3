"""Estimators by configuration."""

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import FlowConfig
from actseg_core.flow.estimators import DisFlow, FarnebackFlow, FlowEstimator, TvL1Flow
from actseg_core.flow.field import EgoMotionCompensated, Quantised, camera_flow, quantise


def make_estimator(config: FlowConfig) -> FlowEstimator:
    """What computes the flow that the network sees.

    Raises:
        ConfigError: If the estimator's library is not installed.
    """
    estimator = make_raw_estimator(config)
    if config.ego_motion:
        estimator = EgoMotionCompensated(estimator)
    if config.quantise:
        estimator = Quantised(estimator, config.clip_px)
    return estimator


def make_raw_estimator(config: FlowConfig) -> FlowEstimator:
    """What computes the true motion in the image, for moving masks along it.

    Raises:
        ConfigError: If the estimator's library is not installed.
    """
    if config.estimator == "tvl1":
        return TvL1Flow()
    return DisFlow() if config.estimator == "dis" else FarnebackFlow()


def network_field(motion: NDArray[np.float32], config: FlowConfig) -> NDArray[np.float32]:
    """What the network sees of the true motion: `make_estimator`'s field from the raw one's.

    Args:
        motion: (H, W, 2) float32 [px] of `make_raw_estimator`.
        config: Of the network.
    """
    field = motion - camera_flow(motion) if config.ego_motion else motion
    return quantise(field, config.clip_px) if config.quantise else field
