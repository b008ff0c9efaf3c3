"""Arrays and sentences in, masks at camera resolution out."""

from actseg_core.predictor.base import (
    ActorResponse,
    Features,
    Predictor,
    Response,
    Responses,
    Thresholds,
    postprocess,
)
from actseg_core.predictor.network import NetworkPredictor
from actseg_core.predictor.objects import ObjectPredictor

__all__ = [
    "ActorResponse",
    "Features",
    "NetworkPredictor",
    "ObjectPredictor",
    "Predictor",
    "Response",
    "Responses",
    "Thresholds",
    "postprocess",
]
