"""Actors cut out of the user's photographs, and those photographs as backgrounds.

The folder holds `instances.json` in COCO's instance format with polygon outlines, and `images/`.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError
from actseg_core.generator.looks import Look
from actseg_core.generator.palette import COLOURS, pick
from actseg_core.generator.settings import CutoutPart, SceneConfig

CATEGORIES: dict[str, tuple[str, str]] = {
    "person": ("adult", "photo"),
    "sports ball": ("ball", "photo"),
    "bird": ("bird", "photo"),
    "car": ("car", "photo"),
    "truck": ("car", "truck"),
    "cat": ("cat", "photo"),
    "dog": ("dog", "photo"),
}
"""COCO category -> actor and kind."""

LEAST_AREA_PX = {"ball": 300.0, "bird": 1200.0}
STANDING = (1.5, 4.0)
"""Height over width of a person who may be standing."""
SURE_SHARE, SEEN_SHARE = 0.5, 0.12
HELD_OUT = 5
"""Every fifth photograph is held out, of those every other one for validation."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """One actor out of a photograph.

    Attributes:
        image: (h, w, 4) uint8, RGB and alpha, not multiplied.
        look: Its kind and colours as far as they can be told.
    """

    image: NDArray[np.uint8]
    look: Look


def open_cutouts(config: SceneConfig) -> "CutoutFolder":
    """The index of a configuration's folder, read once per process."""
    return _open(config.cutouts, config.cutout_licenses, config.cutout_part)


@lru_cache(maxsize=4)
def _open(folder: str, licenses: tuple[int, ...], part: CutoutPart) -> "CutoutFolder":
    return CutoutFolder(Path(folder), licenses, part)


def in_part(image_id: int, part: CutoutPart) -> bool:
    """Whether a photograph belongs to a part, by its id."""
    if image_id % HELD_OUT:
        return part in ("all", "train")
    return part in ("all", "validation" if image_id // HELD_OUT % 2 else "test")


class CutoutFolder:
    """Index of a folder of photographs with instance outlines; pixels are read when needed.

    Args:
        folder: Holds instances.json and images/.
        licenses: License ids of images that may be used; empty for all.
        part: Which of the photographs.

    Raises:
        DatasetError: If the folder does not have that form.
    """

    def __init__(self, folder: Path, licenses: tuple[int, ...], part: CutoutPart = "all") -> None:
        self._images_folder = folder / "images"
        content = _read(folder / "instances.json")
        allowed = {
            item["id"]: item
            for item in content["images"]
            if (not licenses or item.get("license") in licenses) and in_part(item["id"], part)
        }
        names = {item["id"]: item["name"] for item in content["categories"]}
        self._actors: dict[str, list[tuple[dict[str, Any], dict[str, Any], str]]] = defaultdict(
            list
        )
        taken = set()
        for item in content["annotations"]:
            actor, kind = CATEGORIES.get(names[item["category_id"]], ("", ""))
            image = allowed.get(item["image_id"])
            if not actor or image is None:
                continue
            taken.add(item["image_id"])
            if _usable(item, image, actor):
                self._actors[actor].append((item, image, kind))
        self._photos = [
            item
            for key, item in allowed.items()
            if key not in taken and item.get("annotated", "full") == "full"
        ]

    def offers(self, actor: str) -> bool:
        """Whether there is at least one cut-out of this actor."""
        return bool(self._actors.get(actor))

    @property
    def has_photos(self) -> bool:
        """Whether there is a photograph without any of the seven actors."""
        return bool(self._photos)

    def cutout(self, actor: str, rng: np.random.Generator) -> Cutout:
        """A random cut-out of an actor that the folder offers."""
        item, image, kind = pick(rng, self._actors[actor])
        picture = self._picture(image)
        x, y, w, h = (int(value) for value in item["bbox"])
        box = slice(max(0, y - 1), y + h + 2), slice(max(0, x - 1), x + w + 2)
        mask = np.zeros(picture.shape[:2], np.uint8)
        outlines = [np.array(p, np.float64).reshape(-1, 2) for p in item["segmentation"]]
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32) for outline in outlines], 255)
        soft = cv2.GaussianBlur(mask, (3, 3), 0)
        cut = np.dstack([picture, np.minimum(soft, mask)])[box]
        return Cutout(np.ascontiguousarray(cut), _look(actor, kind, cut))

    def photo(self, height: int, width: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A random photograph without actors, scaled and cropped to (height, width, 3) uint8."""
        picture = self._picture(pick(rng, self._photos))
        grow = max(height / picture.shape[0], width / picture.shape[1]) * rng.uniform(1.0, 1.3)
        size = (
            max(width, round(picture.shape[1] * grow)),
            max(height, round(picture.shape[0] * grow)),
        )
        method = cv2.INTER_AREA if grow < 1 else cv2.INTER_LINEAR
        scaled = cv2.resize(picture, size, interpolation=method)
        top = int(rng.integers(scaled.shape[0] - height + 1))
        left = int(rng.integers(scaled.shape[1] - width + 1))
        return np.ascontiguousarray(scaled[top : top + height, left : left + width], np.uint8)

    def _picture(self, image: dict[str, Any]) -> NDArray[np.uint8]:
        path = self._images_folder / image["file_name"]
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
        if picture is None:
            raise DatasetError(
                f"{path} is named in instances.json but is missing or no image; restore it or "
                "take it out of instances.json"
            )
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"a cut-out folder needs a COCO-format instances.json beside images/; reading {path} "
            f"failed: {error}"
        ) from None
    missing = [key for key in ("images", "annotations", "categories") if key not in content]
    if missing:
        raise DatasetError(f"{path} is not in COCO format: it has no {', '.join(missing)}")
    return dict(content)


def _usable(item: dict[str, Any], image: dict[str, Any], actor: str) -> bool:
    """Large enough, whole, and a person upright."""
    if item.get("iscrowd") or not isinstance(item["segmentation"], list):
        return False
    x, y, w, h = item["bbox"]
    inside = x > 2 and y > 2 and x + w < image["width"] - 2 and y + h < image["height"] - 2
    upright = actor != "adult" or STANDING[0] <= h / max(w, 1.0) <= STANDING[1]
    return bool(inside and upright and item["area"] >= LEAST_AREA_PX.get(actor, 2500.0))


def _look(actor: str, kind: str, cut: NDArray[np.uint8]) -> Look:
    """Colour words as far as the pixels are sure of them."""
    height = cut.shape[0]
    everything = colour_shares(cut)
    seen = tuple(word for word, share in everything.items() if share >= SEEN_SHARE)
    if actor != "adult":
        return Look(actor, kind, _sure(everything), also=seen)
    shirt = _sure(colour_shares(cut[int(0.2 * height) : int(0.48 * height)]))
    trousers = _sure(colour_shares(cut[int(0.58 * height) : int(0.82 * height)]))
    return Look(actor, kind, shirt, second=trousers, also=seen)


def _sure(shares: dict[str, float]) -> str:
    word = max(shares, key=lambda name: shares[name])
    return word if shares[word] >= SURE_SHARE else ""


def colour_shares(cut: NDArray[np.uint8]) -> dict[str, float]:
    """Colour word -> share of the opaque pixels that it names, by nearest swatch in CIELAB.

    Args:
        cut: (h, w, 4) uint8, RGB and alpha.
    """
    words = [word for word, swatches in COLOURS.items() for _ in swatches]
    swatches = np.array([rgb for swatches in COLOURS.values() for rgb in swatches], np.uint8)
    pixels = cut[cut[..., 3] > 127][:, :3]
    if not len(pixels):
        return dict.fromkeys(COLOURS, 0.0)
    pixels = pixels[:: max(1, len(pixels) // 600)]
    lab = cv2.cvtColor(np.concatenate([swatches, pixels])[None], cv2.COLOR_RGB2LAB)[0]
    away = np.linalg.norm(
        lab[len(swatches) :, None].astype(np.float32) - lab[None, : len(swatches)], axis=2
    )
    nearest = np.bincount(away.argmin(axis=1), minlength=len(words)) / len(pixels)
    shares = dict.fromkeys(COLOURS, 0.0)
    for word, share in zip(words, nearest.tolist(), strict=True):
        shares[word] += share
    return shares
