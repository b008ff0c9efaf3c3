"""Overlap of masks: IoU, precision over thresholds, and the paper's mean of it (section 5).

An IoU is (I + 1e-6) / (U + 1e-6), as in the public codes, so that an empty answer to an empty
truth counts 1. Precision at K compares the pixel counts themselves, in whole numbers, so that an
IoU of exactly K passes the test ">= K" and fails the test "> K": with the 1e-6 it would pass both.
The paper does not say which test it uses; the codes of its time use ">=", MTTR and its heirs ">".
"""

import contextlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from actseg_core.datasets.coco import decode_rle
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


class Mask(NamedTuple):
    """A mask as COCO's compressed run-length code."""

    height: int
    width: int
    counts: bytes

    @property
    def area(self) -> int:
        """Number of pixels inside."""
        return int(coco_mask.area(self.rle))

    @property
    def rle(self) -> dict[str, Any]:
        """As pycocotools takes it."""
        return {"size": [self.height, self.width], "counts": self.counts}


@dataclass(frozen=True)
class CocoScores:
    """COCO's AP of one answer per sentence, ranked by confidence; in [0, 1].

    Attributes:
        average: Over IoU .50:.05:.95.
        at_50: At IoU 0.5.
        at_75: At IoU 0.75.
    """

    average: float
    at_50: float
    at_75: float


def encode(mask: NDArray[np.bool_]) -> Mask:
    """Compress an (H, W) mask."""
    code = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    height, width = mask.shape
    return Mask(height, width, code["counts"])


def decode(mask: Mask) -> NDArray[np.bool_]:
    """The (H, W) mask again."""
    return decode_rle(mask.rle)


def common_area(first: Mask, second: Mask) -> int:
    """Pixels that are inside both masks, without unpacking them."""
    return int(coco_mask.area(coco_mask.merge([first.rle, second.rle], intersect=True)))


def coco_scores(answers: Iterable[tuple[Mask, Mask, float]]) -> CocoScores:
    """COCO's AP; every sample is an image of its own with one object and at most one answer.

    MTTR ranks all 50 of its candidates per sentence, so its AP is above that of its best one;
    this is the AP of the one answer that a user gets. Empty answers are left out of the ranking.

    Args:
        answers: Per sample the predicted mask, the true mask and the confidence.

    Returns:
        Scores; NaN without a sample.
    """
    images, objects, detections = [], [], []
    for number, (predicted, truth, confidence) in enumerate(answers, start=1):
        images.append({"id": number, "height": truth.height, "width": truth.width})
        objects.append(_annotation(number, truth) | {"iscrowd": 0})
        if predicted.area:
            detections.append(_annotation(number, predicted) | {"score": confidence})
    if not images:
        return CocoScores(np.nan, np.nan, np.nan)
    if not detections:
        return CocoScores(0.0, 0.0, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truths = COCO()
        truths.dataset = {"images": images, "annotations": objects, "categories": [{"id": 1}]}
        truths.createIndex()
        evaluation = COCOeval(truths, truths.loadRes(detections), "segm")
        evaluation.params.useCats = 0
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return CocoScores(*(float(value) for value in evaluation.stats[:3]))


def _annotation(number: int, mask: Mask) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "segmentation": mask.rle,
        "area": mask.area,
        "bbox": coco_mask.toBbox(mask.rle).tolist(),
    }
