"""Masks along a video: steadiness from frame to frame, and DAVIS' region and boundary measures."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.evaluation.masks import iou, overlap

BOUNDARY_SHARE = 0.008  # of the image's diagonal


@dataclass(frozen=True)
class SequenceScores:
    """DAVIS' measures; in [0, 1], NaN without an object.

    Attributes:
        objects: Sentences about a video, each an object to segment.
        region: J, the mean IoU: over an object's frames, then over objects.
        boundary: F, the mean of precision and recall of the outlines, likewise.
    """

    objects: int
    region: float
    boundary: float

    @property
    def region_and_boundary(self) -> float:
        """J&F, the mean of both."""
        return (self.region + self.boundary) / 2


@dataclass(frozen=True)
class ConsistencyScores:
    """Agreement of answers to one sentence in two consecutive frames; in [0, 1].

    Attributes:
        samples: Pairs of frames in which at least one answer is not empty.
        plain: Mean IoU of the two masks as they are; NaN without a pair.
        warped: Mean IoU after the second mask was brought back along the flow; NaN without flow.
    """

    samples: int
    plain: float
    warped: float


def sequence_scores(frames: Iterable[tuple[Hashable, float, float]]) -> SequenceScores:
    """J and F of objects from frames given as (object, IoU, boundary F).

    DAVIS leaves the first and last frame of a sequence out because its systems are given the
    first; here all frames that are given count, as in later work on sentences.
    """
    objects: dict[Hashable, list[tuple[float, float]]] = defaultdict(list)
    for name, region, boundary in frames:
        objects[name].append((region, boundary))
    if not objects:
        return SequenceScores(0, np.nan, np.nan)
    means = np.array([np.mean(values, axis=0) for values in objects.values()])
    return SequenceScores(len(objects), *(float(value) for value in means.mean(axis=0)))


def boundary_score(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """DAVIS' boundary measure F (Perazzi et al., CVPR 2016) of one frame, in [0, 1].

    The harmonic mean of the share of the predicted outline that lies within a distance of the
    true one, and the reverse. The distance is 0.8 % of the diagonal, rounded up [px]. Two empty
    outlines score 1, one empty outline 0; a mask that fills the frame has no outline.

    Raises:
        ShapeError: If the masks have different sizes.
    """
    if predicted.shape != truth.shape:
        raise ShapeError(
            f"masks of {predicted.shape} and {truth.shape} cannot be compared; bring the "
            "predicted one to the frame's own size"
        )
    ours, theirs = outline(predicted), outline(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    radius = math.ceil(BOUNDARY_SHARE * math.hypot(*truth.shape))
    precision = np.count_nonzero(ours & _near(theirs, radius)) / np.count_nonzero(ours)
    recall = np.count_nonzero(theirs & _near(ours, radius)) / np.count_nonzero(theirs)
    if precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool, true where a pixel differs from its right, lower or lower right neighbour.

    As DAVIS draws it: the outline lies half a pixel up and left of the mask's edge, neighbours
    outside the frame are left out.
    """
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, diagonal = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    edges = (mask ^ right) | (mask ^ below) | (mask ^ diagonal)
    # The padded diagonal of the last row and column repeats what right or below already say.
    return np.asarray(edges, np.bool_)


def _near(edges: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Within a Euclidean distance [px] of an edge pixel."""
    distance = cv2.distanceTransform(
        np.where(edges, np.uint8(0), np.uint8(1)), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return np.asarray(distance <= radius, np.bool_)


def steady_overlap(
    mask: NDArray[np.bool_],
    next_mask: NDArray[np.bool_],
    flow: NDArray[np.floating] | None = None,
) -> tuple[int, int]:
    """Intersection and union [px] of the answers in two consecutive frames.

    Args:
        mask: (H, W) bool, in the first frame.
        next_mask: (H, W) bool, in the second.
        flow: (H, W, 2) [px] in x and y from the first to the second. With it, the second mask is
            brought to the first frame: read at x + flow(x), nearest pixel; pixels that leave the
            frame are left out of both masks.

    Raises:
        ShapeError: If the sizes differ.
    """
    if flow is None:
        return overlap(mask, next_mask)
    if flow.shape != (*mask.shape, 2) or next_mask.shape != mask.shape:
        raise ShapeError(
            f"flow must be {(*mask.shape, 2)} and both masks of one size, got {flow.shape}, "
            f"{mask.shape} and {next_mask.shape}"
        )
    height, width = mask.shape
    rows, columns = np.mgrid[:height, :width]
    to_x = np.rint(columns + flow[..., 0]).astype(np.int64)
    to_y = np.rint(rows + flow[..., 1]).astype(np.int64)
    inside = (to_x >= 0) & (to_x < width) & (to_y >= 0) & (to_y < height)
    back = np.zeros_like(mask)
    back[inside] = next_mask[to_y[inside], to_x[inside]]
    return overlap(mask & inside, back)


def consistency_scores(
    plain: Sequence[tuple[int, int]], warped: Sequence[tuple[int, int]]
) -> ConsistencyScores:
    """Scores of (intersection, union) pairs [px]; pairs of empty answers do not count."""

    def mean(overlaps: Sequence[tuple[int, int]]) -> float:
        values = [iou(*item) for item in overlaps if item[1]]
        return float(np.mean(values)) if values else np.nan

    return ConsistencyScores(sum(union > 0 for _, union in plain), mean(plain), mean(warped))
