"""Optical flow estimators behind one interface (paper section 3.2, flow stream)."""

from actseg_core.flow.estimators import FlowEstimator, make_estimator

__all__ = ["FlowEstimator", "make_estimator"]
