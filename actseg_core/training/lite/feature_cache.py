"""Features of random views of photographs, computed once and kept on disk.

A cache is a folder of plain .npy arrays with one row per view, so that training maps them into
memory and reads only what a step needs. Training on it costs no trunk, no decoding, no drawing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from actseg_core.networks.object_features import FEATURE_CHANNELS, FrameTrunk
from actseg_core.networks.tensors import network_input
from actseg_core.training.lite.photos import MASK_SIZE, SIZE, Photo, pasted_view, random_view

BOXES = 48
MAX_MASKS = 32
LEAST_AREA = 6 * 255
STRIDES = (4, 8, 16, 32)


@dataclass(frozen=True)
class Row:
    """What is known of one view besides its arrays."""

    photo: str
    number: int
    complete: bool
    whole: bool
    categories: tuple[str, ...]


def layout(views: int) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Shape and type of each array of a cache."""
    arrays: dict[str, tuple[tuple[int, ...], Any]] = {
        f"stride{stride}": ((views, channels, SIZE // stride, SIZE // stride), np.float16)
        for stride, channels in zip(STRIDES, FEATURE_CHANNELS, strict=True)
    }
    return arrays | {
        "image": ((views, MASK_SIZE, MASK_SIZE, 3), np.uint8),
        "boxes": ((views, BOXES, 4), np.float32),
        "objectness": ((views, BOXES), np.float16),
        "classes": ((views, BOXES, 80), np.float16),
        "masks": ((views, MAX_MASKS, MASK_SIZE, MASK_SIZE), np.uint8),
    }


def build(
    photos: Sequence[Photo],
    trunk: FrameTrunk,
    folder: Path,
    views: int,
    seed: int,
    log: Any,
    pasted: float = 0.0,
) -> None:
    """Write the features of `views` random views of each photograph, in random order.

    A cache that was begun is gone on with; each view depends on the seed and its number alone.
    Into a share `pasted` of them objects of another photograph are pasted.
    """
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    count = views * len(photos)
    order = np.random.default_rng(seed).permutation(count)
    arrays = {}
    for name, (shape, kind) in layout(count).items():
        path = folder / f"{name}.npy"
        arrays[name] = np.lib.format.open_memmap(
            path, "r+" if path.exists() else "w+", dtype=kind, shape=shape
        )
    rows_path = folder / "rows.jsonl"
    done = len(rows_path.read_text().splitlines()) if rows_path.exists() else 0
    with rows_path.open("a", encoding="utf-8") as rows:
        for index in range(done, count):
            rng = np.random.default_rng((seed, index))
            photo = photos[order[index] % len(photos)]
            view, categories = random_view(photo, rng), photo.categories
            if rng.random() < pasted:
                other = photos[int(rng.integers(len(photos)))]
                view = pasted_view(view, random_view(other, rng), rng)
                of_both = categories + other.categories
                categories = tuple(of_both[k] for k in view.instances) or categories
            kept = largest_masks(view.masks)
            for name, value in features_of(trunk, view.image).items():
                arrays[name][index] = value
            arrays["image"][index] = cv2.resize(
                view.image, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA
            )
            arrays["masks"][index, : len(kept)] = view.masks[kept]
            row = Row(
                str(photo.path.parent.parent.name),
                photo.number,
                photo.complete,
                photo.whole,
                tuple(categories[k] for k in kept),
            )
            rows.write(json.dumps(row.__dict__) + "\n")
            if index % 50 == 49:
                rows.flush()
                log(f"{index + 1} of {count} views")


def largest_masks(masks: NDArray[np.uint8]) -> list[int]:
    """Indices of the largest of (N, m, m) masks; those below six cells are left out."""
    areas = masks.sum(axis=(1, 2), dtype=np.int64)
    return [int(k) for k in np.argsort(-areas)[:MAX_MASKS] if areas[k] >= LEAST_AREA]


@torch.inference_mode()
def features_of(trunk: FrameTrunk, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """The arrays that a cache keeps of one (416, 416, 3) uint8 picture."""
    found = trunk(network_input(torch.from_numpy(image[np.newaxis])))
    score = found.objectness[0].sigmoid() * found.classes[0].amax(1).sigmoid()
    best = top_boxes(found.boxes[0], score, BOXES)
    result: dict[str, NDArray[Any]] = {
        f"stride{stride}": getattr(found, f"stride{stride}")[0].half().numpy()
        for stride in STRIDES
    }
    boxes = np.zeros((BOXES, 4), np.float32)
    objectness = np.full(BOXES, -20, np.float16)
    classes = np.full((BOXES, 80), -20, np.float16)
    boxes[: len(best)] = found.boxes[0, best].numpy()
    objectness[: len(best)] = found.objectness[0, best].half().numpy()
    classes[: len(best)] = found.classes[0, best].half().numpy()
    return result | {"boxes": boxes, "objectness": objectness, "classes": classes}


def top_boxes(boxes: torch.Tensor, score: torch.Tensor, count: int) -> list[int]:
    """Indices of the best boxes, best first, those left out that overlap a better one by 0.65."""
    import cv2

    candidates = torch.topk(score, min(400, len(score))).indices
    values = boxes[candidates].numpy()
    corners = np.concatenate([values[:, :2] - values[:, 2:] / 2, values[:, 2:]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), score[candidates].tolist(), 0.01, 0.65, top_k=count)
    return [int(candidates[k]) for k in np.array(kept).ravel()]
