"""COCO's average precision, as MTTR and later papers report it, through pycocotools."""

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
    return np.asarray(coco_mask.decode(mask.rle), np.bool_)


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
