"""Actors cut out of the user's photographs, and those photographs as backgrounds.

The folder holds `instances.json` in COCO's instance format with polygon outlines, and `images/`.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.coco import polygons, sides
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
BOX_TOLERANCE_PX = 5.0
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


@dataclass(frozen=True)
class _Photo:
    """An image of instances.json: its name below images/ and its sides [px]."""

    name: str
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class _Outlined:
    """An actor in a photograph: box (left, top, width, height) and outlines (N, 2) [px]."""

    photo: _Photo
    box: tuple[float, ...]
    outlines: list[NDArray[np.float64]]
    kind: str


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
        index = folder / "instances.json"
        content = _read(index)
        self._actors: dict[str, list[_Outlined]] = defaultdict(list)
        try:
            self._photos = self._sort(content, licenses, part)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DatasetError(
                f"{index} is not in COCO format: {type(error).__name__}: {error}; export it again"
            ) from error

    def _sort(
        self, content: dict[str, Any], licenses: tuple[int, ...], part: CutoutPart
    ) -> list["_Photo"]:
        """Put the outlined actors in their places; the photographs that show none."""
        allowed = {
            item["id"]: (_photo(item), item)
            for item in content["images"]
            if (not licenses or item.get("license") in licenses) and in_part(item["id"], part)
        }
        names = {item["id"]: item["name"] for item in content["categories"]}
        taken = set()
        for item in content["annotations"]:
            actor, kind = CATEGORIES.get(names[item["category_id"]], ("", ""))
            photo, _ = allowed.get(item["image_id"], (None, None))
            if not actor or photo is None:
                continue
            taken.add(item["image_id"])
            if item.get("iscrowd") or not isinstance(item["segmentation"], list):
                continue
            outlined = _outlined(item, photo, kind)
            if _usable(outlined, item["area"], actor):
                self._actors[actor].append(outlined)
        return [
            photo
            for key, (photo, item) in allowed.items()
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
        item = pick(rng, self._actors[actor])
        picture = self._picture(item.photo)
        x, y, w, h = (int(value) for value in item.box)
        box = slice(max(0, y - 1), y + h + 2), slice(max(0, x - 1), x + w + 2)
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32) for outline in item.outlines], 255)
        soft = cv2.GaussianBlur(mask, (3, 3), 0)
        cut = np.dstack([picture, np.minimum(soft, mask)])[box]
        return Cutout(np.ascontiguousarray(cut), _look(actor, item.kind, cut))

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

    def _picture(self, photo: "_Photo") -> NDArray[np.uint8]:
        path = self._images_folder / photo.name
        try:
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
        except (OSError, cv2.error):  # a name that no file can have; a size that no picture has
            picture = None
        if picture is None:
            raise DatasetError(
                f"{path} is named in instances.json but is missing or no image; restore it or "
                "take it out of instances.json"
            )
        if picture.shape[:2] != (photo.height, photo.width):
            raise DatasetError(
                f"{path} is {picture.shape[1]}x{picture.shape[0]}, instances.json says "
                f"{photo.width}x{photo.height}; its outlines would be out of place"
            )
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"a cut-out folder needs a COCO-format instances.json beside images/; reading {path} "
            f"failed: {error}"
        ) from None
    wanted = ("images", "annotations", "categories")
    missing = [key for key in wanted if not isinstance(content, dict) or key not in content]
    if missing:
        raise DatasetError(f"{path} is not in COCO format: it has no {', '.join(missing)}")
    return dict(content)


def _photo(item: dict[str, Any]) -> _Photo:
    """An image of instances.json.

    Raises:
        ValueError: If its name leads elsewhere, or its sides are no numbers of pixels.
    """
    name = PurePosixPath(item["file_name"])
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"{item['file_name']!r} is no file below images/")
    return _Photo(item["file_name"], *sides(item["height"], item["width"]))


def _outlined(item: dict[str, Any], photo: _Photo, kind: str) -> _Outlined:
    """An annotation of instances.json.

    Raises:
        ValueError: If its outlines or its box are none, or do not lie on each other.
    """
    outlines = polygons(item["segmentation"], photo.height, photo.width)
    points = np.concatenate(outlines)
    x, y, w, h = box = tuple(float(value) for value in item["bbox"])
    corners = np.array([x, y, x + w, y + h])
    off = np.abs(corners - np.concatenate([points.min(axis=0), points.max(axis=0)])).max()
    if not off <= BOX_TOLERANCE_PX:
        raise ValueError(f"the box of annotation {item.get('id')} is {off} px off its outlines")
    return _Outlined(photo, box, outlines, kind)


def _usable(item: _Outlined, area: float, actor: str) -> bool:
    """Large enough, whole, and a person upright."""
    x, y, w, h = item.box
    inside = x > 2 and y > 2 and x + w < item.photo.width - 2 and y + h < item.photo.height - 2
    upright = actor != "adult" or STANDING[0] <= h / max(w, 1.0) <= STANDING[1]
    return bool(inside and upright and area >= LEAST_AREA_PX.get(actor, 2500.0))


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
