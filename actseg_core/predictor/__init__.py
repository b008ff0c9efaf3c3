"""Arrays and sentences in, masks at camera resolution out.

`NetworkPredictor` is imported when it is first used, because torch is.
"""

from typing import TYPE_CHECKING

from actseg_core.predictor.base import (
    ActorResponse,
    Features,
    Predictor,
    Response,
    Responses,
    Thresholds,
    postprocess,
)
from actseg_core.predictor.objects import ObjectPredictor

if TYPE_CHECKING:
    from actseg_core.predictor.network import NetworkPredictor

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


if not TYPE_CHECKING:  # else a type checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        if name == "NetworkPredictor":
            from actseg_core.predictor.network import NetworkPredictor

            return NetworkPredictor
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
