"""Photographs with instance polygons, and random views of them at the network's size."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.coco import polygons, sides
from actseg_core.errors import DatasetError

SIZE = 416
MASK_SIZE = SIZE // 4
PERMISSIVE = frozenset((4, 5, 7, 8, 101))
"""Licences of photographs that allow commercial use: CC BY, BY-SA, no known restrictions, US
government work, public domain."""


@dataclass(frozen=True)
class Photo:
    """One photograph and what is annotated in it.

    Attributes:
        path: The picture.
        height: Its rows.
        width: Its columns.
        complete: Whether everything of COCO's 80 categories is annotated.
        whole: Whether each annotation is one instance; not if several are joined in one mask.
        categories: Category of each annotation.
        polygons: Polygons [px] of each annotation, each (V, 2) float32.
        garments: Label, share and median RGB of each garment of the person, if given.
    """

    path: Path
    height: int
    width: int
    complete: bool
    whole: bool
    categories: tuple[str, ...]
    polygons: tuple[tuple[NDArray[np.float32], ...], ...]
    garments: tuple[dict[str, Any], ...] = ()

    @property
    def number(self) -> int:
        """The number in the file name; COCO's id for its photographs."""
        return int(self.path.stem)


def read_photos(folder: Path, permissive_only: bool = False) -> list[Photo]:
    """All annotated photographs of a folder with instances.json and images/ in COCO's format.

    Raises:
        DatasetError: If instances.json is missing or not COCO-like.
    """
    path = folder / "instances.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {item["id"]: item["name"] for item in content["categories"]}
        of: dict[int, list[dict[str, Any]]] = {}
        for item in content["annotations"]:
            of.setdefault(item["image_id"], []).append(item)
        return [
            _photo(folder, item, of[item["id"]], names)
            for item in content["images"]
            if item["id"] in of and (not permissive_only or item.get("license") in PERMISSIVE)
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} is not a readable COCO instances file: {error}") from error


def _photo(
    folder: Path, item: dict[str, Any], found: list[dict[str, Any]], names: dict[int, str]
) -> Photo:
    annotated = str(item.get("annotated", "full"))
    size = sides(item["height"], item["width"])
    outlines = tuple(
        tuple(part.astype(np.float32) for part in polygons(a["segmentation"], *size))
        for a in found
    )
    garments = item.get("garments") or ()
    return Photo(
        folder / "images" / str(item["file_name"]),
        *size,
        annotated == "full",
        "joined" not in annotated,
        tuple(names[a["category_id"]] for a in found),
        outlines,
        tuple(garments),
    )


@dataclass(frozen=True, eq=False)
class PhotoView:
    """A photograph as the network sees it once.

    Attributes:
        image: (416, 416, 3) uint8 RGB; black outside the photograph.
        masks: (N, 104, 104) uint8, share of each cell that belongs to the instance, 255 all.
        instances: Which annotation of the photograph each mask is; those of a second photograph
            that was pasted count on from the first's. Empty: as they come.
    """

    image: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    instances: tuple[int, ...] = ()


def random_view(photo: Photo, rng: np.random.Generator) -> PhotoView:
    """The photograph scaled, moved, maybe mirrored, in another light.

    Raises:
        DatasetError: If the picture is missing or damaged.
    """
    read = cv2.imread(str(photo.path), cv2.IMREAD_COLOR)  # in RGB not before OpenCV 4.11
    if read is None:
        raise DatasetError(f"{photo.path} is missing or not a readable image")
    image = np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)
    height, width = image.shape[:2]
    scale = SIZE / max(height, width) * float(np.exp(rng.uniform(-0.45, 0.6)))
    room = np.array([SIZE - width * scale, SIZE - height * scale])
    shift = rng.uniform(np.minimum(0, room), np.maximum(0, room))
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    if rng.random() < 0.5:
        matrix = np.array([[-scale, 0, SIZE - shift[0]], [0, scale, shift[1]]])
    shown = _warp(image, matrix)
    masks = [_draw(parts, matrix) for parts in photo.polygons]
    return PhotoView(other_light(shown, rng), np.stack(masks))


PASTED_LEAST, PASTED_MOST = 0.004, 0.35  # shares of the view that a pasted object may cover
LEFT = 0.3  # of an object that was hidden by pasted ones, or it is left out


def pasted_view(view: PhotoView, other: PhotoView, rng: np.random.Generator) -> PhotoView:
    """A view with up to three objects of another one pasted into it, where they are there.

    Simple copy-paste (Ghiasi et al., 2021): objects before other grounds, partly hidden, cut off.
    """
    shares = other.masks.reshape(len(other.masks), -1).mean(axis=1) / 255
    fitting = np.flatnonzero((shares > PASTED_LEAST) & (shares < PASTED_MOST))
    if not len(fitting):
        return view
    chosen = rng.permutation(fitting)[: rng.integers(1, 4)]
    image, masks = view.image.astype(np.float32), view.masks.astype(np.float32)
    pasted: list[NDArray[np.float32]] = []
    for mask in other.masks[chosen].astype(np.float32):
        soft = cv2.resize(mask / 255, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        soft = np.clip(2 * soft - 0.5, 0, 1)[..., np.newaxis]
        image = image * (1 - soft) + other.image * soft
        masks = masks * (1 - mask / 255)
        pasted = [earlier * (1 - mask / 255) for earlier in pasted] + [mask]
    left = masks.sum(axis=(1, 2)) / np.maximum(view.masks.sum(axis=(1, 2), dtype=np.float32), 1)
    masks[left < LEFT] = 0
    return PhotoView(
        image.round().astype(np.uint8),
        np.concatenate([masks, np.stack(pasted)]).round().astype(np.uint8),
        (*range(len(masks)), *(len(masks) + int(k) for k in chosen)),
    )


def _warp(image: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    scale = abs(float(matrix[0, 0]))
    if scale < 0.7:  # warpAffine does not average: shrink first
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix = matrix.copy()
        matrix[:, :2] = np.diag(
            [
                matrix[0, 0] * image.shape[1] / small.shape[1],
                matrix[1, 1] * image.shape[0] / small.shape[0],
            ]
        )
        image = np.asarray(small, np.uint8)
    result = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    return result.astype(np.uint8, copy=False)


def _draw(
    polygons: Sequence[NDArray[np.float32]], matrix: NDArray[np.float64]
) -> NDArray[np.uint8]:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    moved = [polygon @ matrix[:, :2].T + matrix[:, 2] for polygon in polygons]
    cv2.fillPoly(mask, [np.round(part).astype(np.int32) for part in moved], 255)
    small = cv2.resize(mask, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def other_light(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Another exposure, contrast and colour of light; sometimes a little blur."""
    gain = np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.05, 3))
    table = np.arange(256, dtype=np.float64)[:, np.newaxis] / 255
    table = np.clip(table ** np.exp(rng.normal(0, 0.15)) * gain, 0, 1) * 255
    lit = cv2.LUT(image, table.round().astype(np.uint8)[np.newaxis])
    if rng.random() < 0.2:
        lit = cv2.GaussianBlur(lit, (0, 0), float(rng.uniform(0.5, 1.5)))
    return lit.astype(np.uint8, copy=False)
