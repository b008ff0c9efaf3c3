"""Optical flow: estimators behind one interface, and what is done to a field (section 3.2)."""

from actseg_core.flow.estimators import FlowEstimator
from actseg_core.flow.factory import make_estimator, make_raw_estimator, network_field

__all__ = ["FlowEstimator", "make_estimator", "make_raw_estimator", "network_field"]
