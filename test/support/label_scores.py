"""Scores of whole label maps."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from actseg_core.evaluation.semantic import SemanticAccumulator, SemanticScores


def score_label_maps(
    maps: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
) -> SemanticScores:
    """Of (predicted, true) label maps."""
    accumulator = SemanticAccumulator()
    for predicted, truth in maps:
        accumulator.add(predicted, truth)
    return accumulator.result()
