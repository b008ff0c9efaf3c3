"""Outlined things of a folder of photographs: what they are, and pictures of each alone.

The folder holds `instances.json` in COCO's instance format, and `images/`.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.samples import STRICT, Sample
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.generator.cutouts import CATEGORIES, in_part
from actseg_core.generator.settings import CutoutPart
from actseg_core.labels import ACTORS

LEAST_SIDE_PX = 20
MARGIN = 1.2
"""Side of the square around a thing, relative to the thing's longer side."""
ZOOM, SHIFT = 0.25, 0.12
"""At random the square's side is changed by up to this share, and the square moved by it."""


class PhotographedThings:
    """The outlined things of a folder of photographs, as a dataset without sentences.

    `Sample.sentence` is the class: an actor, or the category's name; `Sample.video` is the
    picture, `Sample.instance` the place of the thing in the list of boxes.

    Args:
        folder: Holds instances.json (COCO format) and images/.
        part: Which of the photographs, by their ids.

    Raises:
        DatasetError: If the folder does not have that form.
    """

    def __init__(self, folder: Path, part: CutoutPart) -> None:
        self.name = f"{folder} ({part})"
        self.bad = STRICT
        self._images = folder / "images"
        index = folder / "instances.json"
        try:
            content = json.loads(index.read_text(encoding="utf-8-sig"))
            found = list(_things(content, part))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{index} is no COCO annotation file ({error!r}); a folder of photographs needs "
                "one beside images/"
            ) from error
        self.boxes = [box for _, _, box in found]
        """Left, top, width and height [px] of each thing."""
        self.samples = [
            Sample(kind, picture, 0, place) for place, (kind, picture, _) in enumerate(found)
        ]

    def video(self, sample: Sample) -> Path:
        """The picture's file."""
        return self._images / sample.video

    def annotation(self, sample: Sample) -> Path:
        """The same."""
        return self.video(sample)

    def length(self, sample: Sample) -> int | None:
        """A picture is one frame."""
        return 1

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        """No mask is read."""
        return np.zeros((0, 0), np.bool_)

    def picture(self, sample: Sample) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB.

        Raises:
            DatasetError: If the file is missing or no picture.
        """
        path = self.video(sample)
        image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
        if image is None:
            raise DatasetError(
                f"{path} is named in instances.json but is missing or no image; restore it or "
                "take it out of instances.json"
            )
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _things(
    content: dict[str, Any], part: CutoutPart
) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """(class, file name, box) of every thing that is large enough."""
    names = {item["id"]: item["name"] for item in content["categories"]}
    pictures = {
        item["id"]: str(item["file_name"])
        for item in content["images"]
        if in_part(item["id"], part)
    }
    for item in content["annotations"]:
        box = tuple(float(value) for value in item["bbox"])
        is_large = min(box[2:]) >= LEAST_SIDE_PX
        if is_large and item["image_id"] in pictures and not item.get("iscrowd"):
            name = names[item["category_id"]]
            yield CATEGORIES.get(name, (name, ""))[0], pictures[item["image_id"]], box


def image_classes(photographs: PhotographedThings, most: int) -> tuple[str, ...]:
    """The seven actors, then the most frequent other categories.

    Args:
        photographs: Those that are trained on.
        most: Classes in all.

    Raises:
        ConfigError: If not even the actors fit.
    """
    if most < len(ACTORS):
        raise ConfigError(f"the seven actors need as many classes, got {most}")
    counts = Counter(item.sentence for item in photographs.samples if item.sentence not in ACTORS)
    others = sorted(counts, key=lambda name: (-counts[name], name))
    return (*ACTORS, *others[: most - len(ACTORS)])


def square_picture(
    picture: NDArray[np.uint8],
    box: tuple[float, ...],
    side_px: int,
    rng: np.random.Generator | None,
) -> NDArray[np.uint8]:
    """(side_px, side_px, 3) uint8: the surroundings of a box; black where there is no picture.

    Args:
        picture: (H, W, 3) uint8.
        box: Left, top, width and height [px].
        side_px: Of the result.
        rng: Moves and resizes the square and mirrors the result at random; None: not.
    """
    left, top, width, height = box
    side = MARGIN * max(width, height)
    centre = np.array([left + width / 2, top + height / 2])
    if rng is not None:
        side *= float(np.exp(rng.uniform(-ZOOM, ZOOM)))
        centre = centre + rng.uniform(-SHIFT, SHIFT, 2) * side
    scale = side_px / side
    # From the picture's pixel centres to those of the square.
    offset = side_px / 2 - scale * centre + (scale - 1) / 2
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    if scale < 1:  # or what is small would flicker
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.5 / scale), np.uint8)
    square = cv2.warpAffine(picture, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    if rng is not None and rng.random() < 0.5:
        square = square[:, ::-1]
    return np.ascontiguousarray(square, np.uint8)
