"""Overlap of masks: IoU, precision over thresholds, and the paper's mean of it (section 5).

An IoU is (I + 1e-6) / (U + 1e-6), as in the public codes, so that an empty answer to an empty
truth counts 1. Precision at K compares the pixel counts themselves, in whole numbers, so that an
IoU of exactly K passes the test ">= K" and fails the test "> K": with the 1e-6 it would pass both.
The paper does not say which test it uses; the codes of its time use ">=", MTTR and its heirs ">".
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError

EPSILON = 1e-6
STEPS = tuple(range(10, 20))  # in twentieths: .50:.05:.95
THRESHOLDS = tuple(step / 20 for step in STEPS)
PAPER_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
HISTOGRAM_BINS = 20


@dataclass(frozen=True)
class MaskScores:
    """Overlap over many samples; all values in [0, 1], NaN over no sample.

    Attributes:
        samples: Their number.
        overall_iou: Sum of the intersections over the sum of the unions.
        mean_iou: Mean of the samples' IoU.
        precision: Share of samples with IoU >= K, for the K of THRESHOLDS.
        precision_strict: Share of samples with IoU > K.
        histogram: Samples per twentieth of IoU; exactly 1 is in the last.
    """

    samples: int
    overall_iou: float
    mean_iou: float
    precision: tuple[float, ...]
    precision_strict: tuple[float, ...]
    histogram: tuple[int, ...]

    @property
    def map_mean_precision(self) -> float:
        """The paper's mAP: mean of the precision over .50:.05:.95; nothing is ranked.

        Averaging interpolated P@K of the paper's own rows gives its mAP column
        (test_paper_tables.py); COCO's AP, which later papers print, is in coco.py.
        """
        return float(np.mean(self.precision))

    @property
    def map_mean_precision_strict(self) -> float:
        """The same with IoU > K."""
        return float(np.mean(self.precision_strict))

    def precision_at(self, threshold: float, *, strict: bool = False) -> float:
        """P@threshold, of THRESHOLDS."""
        values = self.precision_strict if strict else self.precision
        return values[THRESHOLDS.index(threshold)]


class MaskAccumulator:
    """Adds up overlaps one sample at a time; its memory does not grow."""

    def __init__(self) -> None:
        self._samples = self._intersection = self._union = 0
        self._iou_sum = 0.0
        self._reached = np.zeros(len(STEPS), np.int64)
        self._exceeded = np.zeros(len(STEPS), np.int64)
        self._histogram = np.zeros(HISTOGRAM_BINS, np.int64)

    def add(self, intersection: int, union: int) -> None:
        """Count one sample, given as pixel counts (`overlap`)."""
        self._samples += 1
        self._intersection += intersection
        self._union += union
        self._iou_sum += iou(intersection, union)
        covered = 20 * intersection if union else 1
        needed = np.array(STEPS) * union
        self._reached += covered >= needed
        self._exceeded += covered > needed
        twentieth = covered // union if union else HISTOGRAM_BINS
        self._histogram[min(twentieth, HISTOGRAM_BINS - 1)] += 1

    def result(self) -> MaskScores:
        """Scores of what was added so far."""
        count = self._samples or np.nan
        return MaskScores(
            samples=self._samples,
            overall_iou=iou(self._intersection, self._union) if self._samples else np.nan,
            mean_iou=self._iou_sum / count,
            precision=tuple((self._reached / count).tolist()),
            precision_strict=tuple((self._exceeded / count).tolist()),
            histogram=tuple(self._histogram.tolist()),
        )


def score_overlaps(overlaps: Iterable[tuple[int, int]]) -> MaskScores:
    """Scores of (intersection, union) pairs [px]."""
    accumulator = MaskAccumulator()
    for intersection, union in overlaps:
        accumulator.add(intersection, union)
    return accumulator.result()


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int]:
    """Intersection and union [px] of two masks.

    Raises:
        ShapeError: If they have different sizes. A mask must be brought to the size of the truth
            first, never the truth to the mask's.
    """
    if first.shape != second.shape:
        raise ShapeError(
            f"masks of {first.shape} and {second.shape} cannot be compared; bring the predicted "
            "one to the frame's own size"
        )
    return int(np.count_nonzero(first & second)), int(np.count_nonzero(first | second))


def iou(intersection: int, union: int) -> float:
    """Intersection over union in (0, 1] with the codes' 1e-6; 1 where both masks are empty."""
    return (intersection + EPSILON) / (union + EPSILON)
