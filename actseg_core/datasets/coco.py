"""COCO's annotation files: outlines and run-length codes, checked before native code sees them.

pycocotools and OpenCV trust what they are given: a coordinate of 1e9 takes all memory, a code that
is too short is filled up with whatever lies in memory.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from actseg_core.datasets.a2d_layout import read_lines
from actseg_core.errors import DatasetError
from actseg_core.video.frames import MAX_PIXELS

LONGEST_RUN_BITS = 40
LEAST_POINTS = 3


def annotation_mask(path: Path, identity: str) -> NDArray[np.bool_]:
    """(H, W) bool: one annotation of a COCO file, as RLE (both kinds) or polygons.

    Args:
        path: Of the file.
        identity: Of the annotation.

    Raises:
        DatasetError: If the file is damaged, or the annotation is missing, none or without pixels.
    """
    annotations, images = _read(path)
    if identity not in annotations:
        raise DatasetError(f"{path} has no annotation with id {identity!r}; name it as file#id")
    item = annotations[identity]
    try:
        segmentation = item["segmentation"]
        if isinstance(segmentation, dict):
            mask = decode_rle(segmentation)
        else:
            height, width = _image_size(images, item.get("image_id"))
            outlines = polygons(segmentation, height, width)
            flat = [outline.reshape(-1).tolist() for outline in outlines]
            codes = coco_mask.frPyObjects(flat, height, width)
            mask = decode_rle(coco_mask.merge(codes))
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"annotation {identity} of {path} is no RLE and no polygon of a known image: {error}"
        ) from error
    if not mask.any():
        raise DatasetError(
            f"annotation {identity} of {path} marks no pixel; where the described actor is "
            "absent, name no mask"
        )
    return mask


def polygons(segmentation: object, height: int, width: int) -> list[NDArray[np.float64]]:
    """The outlines of an annotation, each (N, 2) float64 [px], x and y.

    Args:
        segmentation: As in the file: lists of x and y in turn.
        height: Of the image [px].
        width: Of the image [px].

    Raises:
        ValueError: If it is no such list, an outline has fewer than three points, or a coordinate
            is not finite or lies farther outside the image than the image is large.
    """
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError("wanted a list of polygons, got " + _shown(segmentation))
    return [_polygon(part, height, width) for part in segmentation]


def _polygon(part: object, height: int, width: int) -> NDArray[np.float64]:
    if (
        not isinstance(part, list)
        or len(part) % 2
        or len(part) < 2 * LEAST_POINTS
        or not all(type(value) in (int, float) for value in part)
    ):
        raise ValueError(
            f"a polygon must be x and y of at least {LEAST_POINTS} points in turn, got "
            + _shown(part)
        )
    # Compared before they are converted: JSON knows integers of any length, and NaN.
    for values, side in ((part[0::2], width), (part[1::2], height)):
        for value in values:
            if not -side <= value <= 2 * side:
                raise ValueError(
                    f"the coordinate {_shown(value)} is not within reach of an image of "
                    f"{width}x{height}"
                )
    return np.array(part, np.float64).reshape(-1, 2)


def decode_rle(rle: dict[str, Any]) -> NDArray[np.bool_]:
    """(H, W) bool from COCO's run-length code, compressed (text) or plain (list of counts).

    Raises:
        ValueError: If size and counts disagree, or are no whole numbers.
        KeyError: If one of them is missing.
    """
    size, counts = rle["size"], rle["counts"]
    if not isinstance(size, list) or len(size) != 2:
        raise ValueError("wanted a size of height and width, got " + _shown(size))
    height, width = sides(*size)
    runs = counts if isinstance(counts, list) else _runs(counts)
    if not all(type(run) is int and 0 <= run <= height * width for run in runs):
        raise ValueError(f"a run must be a whole number of 0 to {height * width} pixels")
    if sum(runs) != height * width:
        raise ValueError(f"the runs cover {sum(runs)} pixels of {height}x{width}")
    # Runs of zeros and ones in turn, column by column. pycocotools' decode hands NumPy an array
    # in a way that NumPy will drop.
    columns = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height)
    return np.ascontiguousarray(columns.T)


def _runs(counts: object) -> Sequence[int]:
    """Run lengths of COCO's compressed text: 5 bits a character, differences from the third on."""
    if not isinstance(counts, (str, bytes)):
        raise ValueError("counts must be a list or a text, got " + _shown(counts))
    runs: list[int] = []
    value = shift = 0
    for character in counts.encode("ascii") if isinstance(counts, str) else counts:
        bits = character - 48
        if not 0 <= bits < 64 or shift > LONGEST_RUN_BITS:
            raise ValueError(f"{character!r} is no character of a run-length code")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs


def sides(height: object, width: object) -> tuple[int, int]:
    """Height and width of an image [px].

    Raises:
        ValueError: If they are no whole numbers, less than 1, or too large.
    """
    rows, columns = _side(height), _side(width)
    if rows * columns > MAX_PIXELS:
        raise ValueError(f"the size {rows}x{columns} is not within 1 and {MAX_PIXELS} pixels")
    return rows, columns


def _side(value: object) -> int:
    if type(value) in (int, float):
        assert isinstance(value, (int, float))
        if 1 <= value <= MAX_PIXELS and value == int(value):
            return int(value)
    raise ValueError(
        f"a side of an image must be 1 to {MAX_PIXELS} whole pixels, got {_shown(value)}"
    )


def _image_size(images: dict[str, dict[str, Any]], identity: object) -> tuple[int, int]:
    image = None if identity is None else images.get(str(identity))
    if image is None:
        raise ValueError(f"there is no image {_shown(identity)}")
    return sides(image.get("height"), image.get("width"))


def _read(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Annotations and images by id; read again when the file changes.

    Raises:
        DatasetError: If it is missing or no COCO file, or two annotations have one id.
    """
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    return _parsed(path, changed_ns)


@lru_cache(maxsize=4)
def _parsed(path: Path, _: int) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    try:
        content = json.loads("\n".join(read_lines(path)))
        annotations = {str(item["id"]): dict(item) for item in content["annotations"]}
        images = {str(item["id"]): dict(item) for item in content.get("images", [])}
        if len(annotations) < len(content["annotations"]):
            raise ValueError("two annotations have the same id")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(f"{path} is no COCO annotation file: {error!r}") from error
    return annotations, images


def _shown(value: object) -> str:
    return repr(value)[:60]
