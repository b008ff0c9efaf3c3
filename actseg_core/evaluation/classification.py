"""Which pairs a video shows: mean average precision of a multi-label classifier (section 5.3)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from actseg_core.errors import ShapeError


@dataclass(frozen=True)
class ClassificationScores:
    """Ranking of videos, class by class.

    Attributes:
        videos: Their number.
        mean_average_precision: Mean over the classes that some video shows, in [0, 1]; NaN
            without one.
        per_class: Average precision by class name; classes that no video shows are left out.
    """

    videos: int
    mean_average_precision: float
    per_class: dict[str, float]


def classification_scores(
    confidences: NDArray[np.floating], shown: NDArray[np.bool_], names: tuple[str, ...]
) -> ClassificationScores:
    """Average precision (scikit-learn's, without interpolation) of every class, and their mean.

    Args:
        confidences: (V, C) scores of V videos and C classes.
        shown: (V, C) bool, whether the video shows the class.
        names: Of the C classes.

    Raises:
        ShapeError: If the arrays and names do not fit together.
    """
    if confidences.ndim != 2 or confidences.shape != shown.shape or shown.dtype != np.bool_:
        raise ShapeError(
            "confidences and shown must both be (videos, classes), shown of bool, got "
            f"{confidences.shape} and {shown.shape} of {shown.dtype}"
        )
    if len(names) != shown.shape[1]:
        raise ShapeError(f"{shown.shape[1]} classes need as many names, got {len(names)}")
    per_class = {
        name: float(average_precision_score(shown[:, place], confidences[:, place]))
        for place, name in enumerate(names)
        if shown[:, place].any()
    }
    mean = float(np.mean(list(per_class.values()))) if per_class else np.nan
    return ClassificationScores(len(shown), mean, per_class)
