"""From one frame to its objects: both networks, the choice of boxes, masks, names and colours."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.objects.colour_names import ColourNamer
from actseg_core.objects.looks import bare_skin, mask_cells, object_colours
from actseg_core.objects.scene import MAX_OBJECTS, Objects, no_objects

Array = NDArray[np.float32]
GRID = 32  # [px] sides of what the networks see are multiples of it
STRIDE = 4  # [px] side of a mask's cell
MIN_SCORE = 0.05
"""Boxes whose objectness times best class is below it are not looked at."""
BOX_OVERLAP = 0.65
MASK_OVERLAP = 0.75
"""Of two objects whose masks overlap more than this the surer one stays."""
PART_OVERLAP = 0.8
ALIKE = 0.7
"""Of two objects one of which lies within the other by more than the first, and whose classes are
alike by more than the second (cosine), the surer one stays."""
CRUMB = 0.06
"""Parts of a mask smaller than this share of its largest part are left out."""
PERSON_CLASS = 0


@dataclass(frozen=True, eq=False)
class SeenFrame:
    """What the frame network says of one frame; `features` are for `ObjectRunner.look` alone.

    Attributes:
        features: Tensors or arrays of the runner's own.
        boxes: (A, 4) float32 centre x, y, width, height [px].
        objectness: (A,) float32 probabilities.
        classes: (A, 80) float32 probabilities.
    """

    features: object
    boxes: Array
    objectness: Array
    classes: Array


@dataclass(frozen=True, eq=False)
class SeenObjects:
    """What the object network says of K boxes.

    Attributes:
        masks: (K, H/4, W/4) float32 probabilities.
        quality: (K,) float32 expected IoU of each mask.
        embeddings: (K, D) float32.
        names: (K, 1000) float32 probabilities.
    """

    masks: Array
    quality: Array
    embeddings: Array
    names: Array


class ObjectRunner(Protocol):
    """What runs the two networks."""

    def see(self, image: NDArray[np.uint8]) -> SeenFrame:
        """All boxes of one (H, W, 3) uint8 RGB frame, sides multiples of 32."""

    def look(self, frame: SeenFrame, boxes: Array) -> SeenObjects:
        """Masks and names of (K, 4) boxes of that frame, K at least 1."""


class Perception:
    """Finds the objects of a frame.

    Args:
        runner: The networks.

    Attributes:
        beside: A thread for what the networks need not wait for. They leave a core idle between
            their many small layers.
    """

    def __init__(self, runner: ObjectRunner) -> None:
        self._runner = runner
        self._namer = ColourNamer()
        self.beside = ThreadPoolExecutor(1, thread_name_prefix="beside_networks")

    def objects(
        self, image: NDArray[np.uint8], content: tuple[slice, slice] | None = None
    ) -> Objects:
        """The objects of one frame, the surest first.

        Args:
            image: (S, S, 3) uint8 RGB, resized and padded.
            content: Rows and columns that hold the picture; only these are looked at.
        """
        side = image.shape[0]
        cells = self.beside.submit(mask_cells, image, self._namer)
        rows, columns = (on_grid(part, side) for part in content or (slice(0, side),) * 2)
        frame = self._runner.see(np.ascontiguousarray(image[rows, columns]))
        chosen = choose_boxes(frame)
        if not len(chosen):
            return no_objects(side // STRIDE)
        boxes = frame.boxes[chosen]
        found = self._runner.look(frame, boxes)
        boxes = boxes + np.array([columns.start, rows.start, 0, 0], np.float32)
        all_masks = np.zeros((len(boxes), side // STRIDE, side // STRIDE), np.float32)
        all_masks[:, _cells(rows), _cells(columns)] = found.masks
        for mask in all_masks:
            drop_crumbs(mask)
        objectness = frame.objectness[chosen]
        all_classes = frame.classes[chosen]
        score = objectness * all_classes.max(axis=1) * found.quality
        kept = _distinct(all_masks, all_classes, score)
        classes = all_classes[kept]
        kinds = ["person" if row.argmax() == PERSON_CLASS else "thing" for row in classes]
        masks = all_masks[kept]
        return Objects(
            boxes=boxes[kept],
            masks=masks,
            objectness=objectness[kept],
            classes=classes,
            names=found.names[kept],
            embeddings=found.embeddings[kept],
            colours=object_colours(image, masks, kinds, self._namer, cells.result()),
            skin=bare_skin(image, masks, self._namer, cells.result()),
        )


def on_grid(part: slice, side: int) -> slice:
    """The least part of a square's side that holds a part of it, on the networks' grid [px]."""
    start = part.start // STRIDE * STRIDE
    length = -(-(part.stop - start) // GRID) * GRID
    start = max(0, min(start, side - length))
    return slice(start, start + length)


def _cells(part: slice) -> slice:
    return slice(part.start // STRIDE, part.stop // STRIDE)


def drop_crumbs(mask: Array) -> None:
    """Take the small parts out of an (m, m) mask of probabilities, in place.

    An actor behind a pole has two parts; one of a few percent is a mistake at an edge.
    """
    inside = (mask > 0.5).view(np.uint8)
    left, top, width, height = cv2.boundingRect(inside)
    part = slice(top, top + height), slice(left, left + width)
    if not width:
        return
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside[part], connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count > 2:
        small = 1 + np.flatnonzero(areas < CRUMB * areas.max())
        mask[part][np.isin(parts, small)] = 0.0


def choose_boxes(frame: SeenFrame) -> NDArray[np.intp]:
    """Anchors of the best boxes that are not the same object, best first, at most 32."""
    score = frame.objectness * frame.classes.max(axis=1)
    candidates = np.flatnonzero(score >= MIN_SCORE)
    boxes = frame.boxes[candidates]
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)
    kept = cv2.dnn.NMSBoxes(
        corners.tolist(), score[candidates].tolist(), MIN_SCORE, BOX_OVERLAP, top_k=MAX_OBJECTS
    )
    return candidates[np.asarray(kept, np.intp).ravel()]


def _distinct(masks: Array, classes: Array, score: Array) -> NDArray[np.intp]:
    """Rows whose mask is not empty and not that, or part of that, of a surer row of its kind."""
    flat = (masks.reshape(len(masks), -1) > 0.5).astype(np.float32)
    shared = flat @ flat.T
    areas = flat.sum(axis=1)
    union = areas[:, None] + areas[None] - shared
    same = shared / np.maximum(union, 1) > MASK_OVERLAP
    part = shared / np.maximum(np.minimum(areas[:, None], areas[None]), 1) > PART_OVERLAP
    length = np.maximum(np.linalg.norm(classes, axis=1), 1e-6)
    alike = (classes @ classes.T) / length[:, None] / length[None] > ALIKE
    double = same | (part & alike)
    kept: list[int] = []
    for row in np.argsort(-score, kind="stable"):
        if areas[row] > 0 and not double[row, kept].any():
            kept.append(int(row))
    return np.array(kept, np.intp)
