"""Fusion of the streams' response maps (paper section 5.1)."""

from collections.abc import Mapping

from torch import Tensor

from actseg_core.config import Stream
from actseg_core.errors import ShapeError


def fuse(responses: Mapping[Stream, Tensor], weights: Mapping[Stream, float]) -> Tensor:
    """Weighted mean of response maps; with the paper's weights (2 RGB + flow) / 3.

    Args:
        responses: (Q, r, r) logits per stream, all of one shape.
        weights: Weight per stream; only ratios matter.

    Raises:
        ShapeError: If the maps differ in shape or the weights sum to zero.
    """
    # Compared, not collected in a set: exporters take sizes for values, which no set finds equal.
    first = next(iter(responses.values()))
    total = sum(weights[name] for name in responses)
    if any(item.shape != first.shape for item in responses.values()) or total <= 0:
        raise ShapeError(
            "fusion needs maps of one shape and a positive sum of weights, got "
            f"{sorted({tuple(item.shape) for item in responses.values()})} and {total}"
        )
    return sum(
        (response * (weights[name] / total) for name, response in responses.items()),
        start=first.new_zeros(()),
    )
