"""Estimators by configuration."""

from actseg_core.config import FlowConfig
from actseg_core.flow.base import FlowEstimator
from actseg_core.flow.ego_motion import EgoMotionCompensated
from actseg_core.flow.encode import Quantised
from actseg_core.flow.estimators import DisFlow, FarnebackFlow
from actseg_core.flow.tvl1 import TvL1Flow


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
