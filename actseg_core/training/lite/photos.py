"""Photographs with instance polygons (COCO format) as still clips and as moving cut-outs."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.coco import polygons, sides
from actseg_core.errors import DatasetError
from actseg_core.generator.cutouts import in_part
from actseg_core.generator.settings import CutoutPart
from actseg_core.training.lite.clip import Affine, TrainingClip, camera_path, warp
from actseg_core.training.lite.questions import RARE_ACTORS, Asker, Thing, big_enough

MIN_CUTOUT_PX = 2500
_ON_LEGS = ("moving", "walking", "running")
MOVING = {
    **dict.fromkeys(("person", "dog", "cat", "cow", "sheep", "horse"), _ON_LEGS),
    "bird": ("moving", "flying", "walking"),
    "sports ball": ("moving", "rolling", "flying"),
    "car": ("moving", "driving"),
}
"""What a cut-out that is moved may be said to do."""
PERMISSIVE_LICENCES = frozenset((4, 5, 7, 8))


@dataclass(frozen=True)
class Instance:
    """One annotated thing: its category and polygons [px]."""

    category: str
    polygons: tuple[NDArray[np.float32], ...]
    area: float


@dataclass(frozen=True)
class Photo:
    """One photograph and everything annotated in it."""

    path: Path
    height: int
    width: int
    complete: bool
    instances: tuple[Instance, ...]


class PhotoSource:
    """Clips made of the photographs of a COCO-format folder (instances.json, images/).

    Args:
        folder: Holds instances.json and images/.
        part: Which of the photographs; every fifth is left out of training.
        permissive_only: Keep only photographs whose licence allows commercial use.
        questions: Questions per clip.

    Raises:
        DatasetError: If instances.json is missing or not COCO-like.
    """

    def __init__(
        self,
        folder: Path,
        part: CutoutPart = "train",
        permissive_only: bool = False,
        questions: int = 1,
    ) -> None:
        photos = _read(folder, permissive_only)
        self.photos = [p for p in photos if in_part(int(p.path.stem), part) and p.instances]
        self.complete = [photo for photo in self.photos if photo.complete]
        self.categories = sorted({i.category for p in self.complete for i in p.instances})
        self.cutouts = _cutouts(self.photos)
        self._cutout_categories = sorted(self.cutouts)
        self._asker = Asker(self.categories, questions)

    def still(self, rng: np.random.Generator, size: int, frames: int) -> TrainingClip:
        """A photograph under a moving camera, and sentences about what is in it."""
        while True:
            photo = self.complete[rng.integers(len(self.complete))]
            if rng.random() < 0.35:
                photo = self.photos[rng.integers(len(self.photos))]
            image = read_image(photo.path)
            path = camera_path(rng, image.shape[:2], size, frames)
            things = _things(photo, path[-1], size)
            if photo.complete or any(big_enough(thing.mask) for thing in things):
                break
        rgb = np.stack([warp(image, matrix, size) for matrix in path])
        return TrainingClip(rgb, self._asker.ask(rng, rgb[-1], things, photo.complete), "photo")

    def composite(self, rng: np.random.Generator, size: int, frames: int) -> TrainingClip:
        """Cut-outs moving over a photograph."""
        photo = self.complete[rng.integers(len(self.complete))]
        image = read_image(photo.path)
        path = camera_path(rng, image.shape[:2], size, frames)
        rgb = np.stack([warp(image, matrix, size) for matrix in path])
        things = _things(photo, path[-1], size)
        for _ in range(rng.integers(1, 4)):
            category, alpha, action = self._paste(rng, rgb)
            things = [
                Thing(thing.category, thing.mask & (alpha <= 127), thing.action)
                for thing in things
            ]
            things.append(Thing(category, alpha > 127, action))
        return TrainingClip(rgb, self._asker.ask(rng, rgb[-1], things, True), "composite")

    def _paste(
        self, rng: np.random.Generator, rgb: NDArray[np.uint8]
    ) -> tuple[str, NDArray[np.uint8], str]:
        """Move one cut-out through the clip, in place; its category, last alpha, action."""
        category = self._pick_category(rng)
        options = self.cutouts[category]
        photo, instance = options[rng.integers(len(options))]
        patch, alpha = cut(read_image(photo.path), draw(instance, photo))
        if rng.random() < 0.5:
            patch, alpha = patch[:, ::-1], alpha[:, ::-1]
        moving = rng.random() < 0.65
        matrices = _object_path(rng, alpha.shape, rgb.shape[1], len(rgb), moving)
        size = rgb.shape[1]
        cover = np.zeros((size, size), np.uint8)
        for step, matrix in enumerate(matrices):
            cover = warp(np.ascontiguousarray(alpha), matrix, size)
            layer = warp(np.ascontiguousarray(patch), matrix, size)
            weight = cover[..., np.newaxis].astype(np.float32) / 255
            rgb[step] = (rgb[step] * (1 - weight) + layer * weight).astype(np.uint8)
        verbs = MOVING.get(category, ("moving",)) if moving else ("standing still", "still")
        action = verbs[rng.integers(len(verbs))]
        return category, cover, action if rng.random() < 0.35 else ""

    def _pick_category(self, rng: np.random.Generator) -> str:
        draw_ = rng.random()
        rare = [name for name in RARE_ACTORS if name in self.cutouts]
        if draw_ < 0.4 and "person" in self.cutouts:
            return "person"
        if draw_ < 0.8 and rare:
            return rare[rng.integers(len(rare))]
        return self._cutout_categories[rng.integers(len(self._cutout_categories))]


def _things(photo: Photo, camera: Affine, size: int) -> list[Thing]:
    """What a photograph shows, as the camera sees it."""
    return [
        Thing(item.category, warp(draw(item, photo), camera, size) > 127)
        for item in photo.instances
    ]


def _read(folder: Path, permissive_only: bool) -> list[Photo]:
    path = folder / "instances.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {item["id"]: item["name"] for item in content["categories"]}
        sizes = {item["id"]: sides(item["height"], item["width"]) for item in content["images"]}
        instances: dict[int, list[Instance]] = {}
        for item in content["annotations"]:
            outlines = polygons(item["segmentation"], *sizes[item["image_id"]])
            instances.setdefault(item["image_id"], []).append(
                Instance(
                    names[item["category_id"]],
                    tuple(outline.astype(np.float32) for outline in outlines),
                    item["area"],
                )
            )
        return [
            Photo(
                folder / "images" / item["file_name"],
                item["height"],
                item["width"],
                item.get("annotated", "full") == "full",
                tuple(instances.get(item["id"], ())),
            )
            for item in content["images"]
            if not permissive_only or item.get("license") in PERMISSIVE_LICENCES
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} is not a readable COCO instances file: {error}") from error


def _cutouts(photos: list[Photo]) -> dict[str, list[tuple[Photo, Instance]]]:
    """Whole-looking instances by category: large enough and not cut by the picture's border."""
    result: dict[str, list[tuple[Photo, Instance]]] = {}
    for photo in photos:
        for instance in photo.instances:
            points = np.concatenate(instance.polygons)
            inside = (
                points.min() > 2
                and points[:, 0].max() < photo.width - 3
                and points[:, 1].max() < photo.height - 3
            )
            if inside and instance.area >= MIN_CUTOUT_PX and len(instance.polygons) <= 2:
                result.setdefault(instance.category, []).append((photo, instance))
    return result


@lru_cache(maxsize=2000)
def read_image(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, kept in memory.

    Raises:
        DatasetError: If the file is missing or no image.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path} is missing or not a readable image")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def draw(instance: Instance, photo: Photo) -> NDArray[np.uint8]:
    """(H, W) uint8 mask of an instance, 255 inside."""
    mask = np.zeros((photo.height, photo.width), np.uint8)
    cv2.fillPoly(mask, [np.round(p).astype(np.int32) for p in instance.polygons], 255)
    return mask


def cut(
    image: NDArray[np.uint8], mask: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The mask's bounding box of an image, and a soft-edged alpha."""
    rows, columns = np.nonzero(mask)
    box = (
        slice(max(0, rows.min() - 2), rows.max() + 3),
        slice(max(0, columns.min() - 2), columns.max() + 3),
    )
    alpha = cv2.GaussianBlur(cv2.erode(mask[box], np.ones((3, 3), np.uint8)), (3, 3), 0)
    return image[box], alpha.astype(np.uint8, copy=False)


def _object_path(
    rng: np.random.Generator, shape: tuple[int, ...], size: int, frames: int, moving: bool
) -> list[Affine]:
    """Where a cut-out is drawn in each frame: drift, bob, sway, growth; fixed when not moving."""
    height, width = shape[:2]
    scale = size * rng.uniform(0.25, 0.85) / max(height, width)
    end = np.array([rng.uniform(0.12, 0.88), rng.uniform(0.25, 0.8)]) * size
    speed = rng.normal(0, 0.012 * size, 2) * (1.0, 0.35) if moving else np.zeros(2)
    growth = float(np.exp(rng.normal(0, 0.006))) if moving else 1.0
    bob = rng.uniform(0, 0.012) * size if moving else 0.0
    sway = rng.uniform(0, 0.08) if moving else 0.0
    rate = rng.uniform(0.3, 1.2)
    phase = rng.uniform(0, 2 * np.pi)
    matrices = []
    for step in range(frames):
        back = step - (frames - 1)
        zoom = scale * growth**back
        angle = sway * np.sin(rate * step + phase)
        x, y = end + speed * back + (0, bob * np.sin(2 * rate * step + phase))
        cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
        matrices.append(
            np.array(
                [
                    [cosine, -sine, x - cosine * width / 2 + sine * height / 2],
                    [sine, cosine, y - sine * width / 2 - cosine * height / 2],
                ]
            )
        )
    return matrices
