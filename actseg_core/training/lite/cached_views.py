"""Reading a feature cache: views, their objects, batches for training."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from actseg_core.errors import DatasetError
from actseg_core.networks.object_features import FrameFeatures
from actseg_core.objects.scene import box_overlap
from actseg_core.training.lite.feature_cache import STRIDES, Row, layout

Array = NDArray[np.float32]
IS_IN_MASK = 127
MIN_OBJECTNESS = -6.0
BOX_AGREES = 0.5


class CachedViews:
    """One cache on disk, mapped into memory.

    Args:
        folder: As `feature_cache.build` wrote it; it may still be growing.

    Raises:
        DatasetError: If the folder holds no cache.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "rows.jsonl"
        if not path.is_file():
            raise DatasetError(f"{folder} holds no feature cache; make one first")
        lines = path.read_text(encoding="utf-8").splitlines()
        self.rows = [Row(**json.loads(line)) for line in lines if line.endswith("}")]
        self.arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in layout(1)}

    def __len__(self) -> int:
        return len(self.rows)

    def features(self, indices: Sequence[int]) -> FrameFeatures:
        """The frame features of some views; boxes and classes are not among them."""
        levels = [
            torch.from_numpy(np.stack([self.arrays[f"stride{stride}"][k] for k in indices]))
            .float()
            .contiguous(memory_format=torch.channels_last)
            for stride in STRIDES
        ]
        at4, at8, at16, at32 = levels
        nothing = torch.empty(0)
        return FrameFeatures(at4, at8, at16, at32, nothing, nothing, nothing)

    def masks(self, index: int) -> Array:
        """(N, 104, 104) float32 in [0, 1]: the annotated objects of a view."""
        count = len(self.rows[index].categories)
        masks: Array = self.arrays["masks"][index][:count].astype(np.float32) / 255
        return masks

    def detected(self, index: int) -> Array:
        """(M, 4) the detector's boxes of a view that may hold an object."""
        likely = self.arrays["objectness"][index] > MIN_OBJECTNESS
        boxes: Array = self.arrays["boxes"][index][likely]
        return boxes


def mask_boxes(masks: Array, stride: int = 4) -> Array:
    """(N, 4) centre x, y, width, height [px] around each of (N, m, m) masks in [0, 1]."""
    found = np.zeros((len(masks), 4), np.float32)
    for index, mask in enumerate(masks):
        inside = mask * 255 > IS_IN_MASK if (mask * 255 > IS_IN_MASK).any() else mask > 0
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if len(rows):
            top, bottom = rows[0], rows[-1] + 1
            left, right = columns[0], columns[-1] + 1
            found[index] = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    return found * stride


@dataclass(frozen=True)
class Jitter:
    """How far boxes are moved in training, as shares of their size, and how often the detector's
    own box is taken instead of the annotation's."""

    shift: float = 0.03
    size: float = 0.06
    detected: float = 0.6


def given_boxes(
    masks: Array, detected: Array, rng: np.random.Generator | None, jitter: Jitter
) -> Array:
    """Boxes to ask masks for: the detector's where one agrees with the annotation.

    Args:
        masks: (N, m, m) annotated objects.
        detected: (M, 4) boxes of the detector.
        rng: Moves them; None: the detector's wherever one agrees, nothing moved.
        jitter: How far.
    """
    boxes = mask_boxes(masks)
    if len(detected) and len(boxes):
        overlap = box_overlap(boxes, detected)
        best = overlap.argmax(axis=1)
        for index in range(len(boxes)):
            taken = rng is None or rng.random() < jitter.detected
            if taken and overlap[index, best[index]] > BOX_AGREES:
                boxes[index] = detected[best[index]]
    if rng is not None and len(boxes):
        boxes[:, :2] += rng.normal(0, jitter.shift, (len(boxes), 2)) * boxes[:, 2:]
        boxes[:, 2:] *= np.exp(rng.normal(0, jitter.size, (len(boxes), 2)))
    return boxes.astype(np.float32)


def split(
    caches: Sequence[CachedViews], held_out: Callable[[Row], bool]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(cache, view) pairs to train on and to measure on; views without an object are left out."""
    train: list[tuple[int, int]] = []
    test: list[tuple[int, int]] = []
    for number, cache in enumerate(caches):
        for view, row in enumerate(cache.rows):
            if row.categories:
                (test if held_out(row) else train).append((number, view))
    return train, test
