"""Your own data: videos or frame folders, a CSV of sentences, PNG or COCO masks.

The format is described in docs/custom_dataset.md.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from actseg_core.datasets.a2d_layout import read_lines
from actseg_core.datasets.samples import BadData, Sample
from actseg_core.errors import DatasetError
from actseg_core.video.frames import MAX_PIXELS

SENTENCES_FILE = "sentences.csv"
REQUIRED = ("video", "frame", "sentence", "mask")
OPTIONAL = ("split",)


class CustomDataset:
    """Sentences about frames of your own videos.

    Args:
        root: Folder with sentences.csv; all paths in it are relative to this folder.
        split: Only rows of this split; None: all rows.
        skip_bad: Leave bad rows out and count them in `bad`.

    Attributes:
        samples: In the order of sentences.csv; `instance` is the row's line number.

    Raises:
        DatasetError: If sentences.csv or a row of it cannot be read.
    """

    name = "custom"

    def __init__(
        self, root: str | Path, split: str | None = None, *, skip_bad: bool = False
    ) -> None:
        self.root = Path(root)
        self.bad = BadData(skip_bad)
        self.samples: list[Sample] = []
        self._masks: dict[int, str] = {}
        self._table = self.root / SENTENCES_FILE
        for number, row in read_table(self._table):
            if split is None or row.get("split", "") == split:
                with self.bad.tolerated():
                    self._add(number, row)
        if not self.samples and not self.bad:
            raise DatasetError(
                f"{self._table} has no row" + (f" of split {split!r}" if split else "")
            )

    def _add(self, number: int, row: dict[str, str]) -> None:
        where = f"line {number} of {self._table}"
        if not row["frame"].isdecimal():
            raise DatasetError(f"{where}: frame must count from 0, got {row['frame']!r}")
        if not row["sentence"]:
            raise DatasetError(f"{where} has no sentence")
        for column in ("video", "mask"):
            path = PurePosixPath(row[column])
            if path.is_absolute() or ".." in path.parts:
                raise DatasetError(
                    f"{where}: {column} must be a path inside {self.root}, got {row[column]!r}"
                )
        if not row["video"] or not (self.root / row["video"]).exists():
            raise DatasetError(f"{where}: there is no video {self.root / row['video']}")
        if row["mask"] and not (self.root / row["mask"].partition("#")[0]).is_file():
            raise DatasetError(f"{where}: there is no mask file {self.root / row['mask']}")
        self._masks[number] = row["mask"]
        self.samples.append(Sample(row["sentence"], row["video"], int(row["frame"]), number))

    def video(self, sample: Sample) -> Path:
        """The video file or frame folder."""
        return self.root / sample.video

    def length(self, sample: Sample) -> int | None:
        """All frames of the video may be used."""
        return None

    def annotation(self, sample: Sample) -> Path:
        """The mask file; sentences.csv where the row says that the actor is absent."""
        return self.root / (self._masks[sample.instance].partition("#")[0] or SENTENCES_FILE)

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        """(H, W) bool; (0, 0) where the row says that the described actor is absent.

        Raises:
            DatasetError: If the mask file is damaged, or has no such value or annotation.
        """
        name, _, part = self._masks[sample.instance].partition("#")
        path = self.root / name
        if not name:
            return np.zeros((0, 0), np.bool_)
        return coco_annotation(path, part) if path.suffix == ".json" else png_mask(path, part)


def read_table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of sentences.csv with their line numbers, cells stripped.

    Raises:
        DatasetError: If the file is missing, or a column is missing or unknown.
    """
    reader = csv.DictReader(read_lines(path), strict=True)
    columns = tuple(reader.fieldnames or ())
    if not set(REQUIRED) <= set(columns) <= {*REQUIRED, *OPTIONAL}:
        raise DatasetError(
            f"{path} must begin with the line {','.join(REQUIRED)} (and ,split if wanted), "
            f"got {','.join(columns)[:200]!r}"
        )
    try:
        for row in reader:
            if None in row or None in row.values():
                raise DatasetError(
                    f"line {reader.line_num} of {path} must have {len(columns)} cells; put a "
                    "sentence with commas into double quotes"
                )
            yield reader.line_num, {key: value.strip() for key, value in row.items()}
    except csv.Error as error:
        raise DatasetError(f"{path} after line {reader.line_num}: {error}") from error


def png_mask(path: Path, value: str = "") -> NDArray[np.bool_]:
    """(H, W) bool of a PNG: what is not black, or has the given grey value or RGB colour.

    Args:
        path: Of the picture; a palette PNG counts as a colour picture.
        value: "", a grey value such as "3", or a colour as six hexadecimal digits.

    Raises:
        DatasetError: If it is no picture, or the value does not suit it.
    """
    try:
        content = np.fromfile(path, np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise DatasetError(f"cannot read the mask {path}: missing, damaged or no image")
    image = image.reshape(*image.shape[:2], -1)[..., :3]  # an alpha channel says nothing
    if not value:
        return np.asarray(image.any(axis=2))
    wanted = [int(value)] if value.isdecimal() and len(value) < 6 else _hexadecimal(value)
    if len(wanted) != image.shape[2]:
        raise DatasetError(
            f"{path}#{value}: a mask with {image.shape[2]} channel(s) wants "
            + ("a grey value such as #3" if image.shape[2] == 1 else "a colour such as #800000")
        )
    return np.asarray((image == wanted[::-1]).all(axis=2))


def _hexadecimal(value: str) -> list[int]:
    try:
        return list(bytes.fromhex(value))
    except ValueError:
        return []


def coco_annotation(path: Path, identity: str) -> NDArray[np.bool_]:
    """(H, W) bool: one annotation of a COCO file, as RLE (both kinds) or polygons.

    Raises:
        DatasetError: If the file is damaged or has no such annotation.
    """
    annotations, sizes = _coco_file(path, path.stat().st_mtime_ns)
    if identity not in annotations:
        raise DatasetError(f"{path} has no annotation with id {identity!r}; name it as file#id")
    item = annotations[identity]
    try:
        segmentation = item["segmentation"]
        if isinstance(segmentation, dict):
            return decode_rle(segmentation)
        height, width = sizes[item["image_id"]]
        return decode_rle(coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width)))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise DatasetError(
            f"annotation {identity} of {path} is no RLE and no polygon of a known image: {error!r}"
        ) from error


@lru_cache(maxsize=4)
def _coco_file(path: Path, _: int) -> tuple[dict[str, Any], dict[Any, tuple[int, int]]]:
    """Annotations by id and image sizes by id; read again when the file changes."""
    try:
        content = json.loads("\n".join(read_lines(path)))
        annotations = {str(item["id"]): item for item in content["annotations"]}
        images = content.get("images", [])
        return annotations, {item["id"]: (item["height"], item["width"]) for item in images}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(f"{path} is no COCO annotation file: {error!r}") from error


def decode_rle(rle: dict[str, Any]) -> NDArray[np.bool_]:
    """(H, W) bool from COCO's run-length code, compressed (text) or plain (list of counts).

    pycocotools returns uninitialised memory for a code that is too short, so its length is
    compared with the size first.

    Raises:
        ValueError: If size and counts disagree.
        KeyError: If one of them is missing.
    """
    height, width = (int(side) for side in rle["size"])
    counts = rle["counts"]
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise ValueError(f"the size {height}x{width} is not within 1 and {MAX_PIXELS} pixels")
    runs = list(counts) if isinstance(counts, list) else _runs(counts)
    if sum(runs) != height * width or min(runs) < 0:
        raise ValueError(f"the runs cover {sum(runs)} pixels of {height}x{width}")
    code = coco_mask.frPyObjects({"size": [height, width], "counts": runs}, height, width)
    return np.asarray(coco_mask.decode(code), np.bool_)


def _runs(counts: str | bytes) -> Sequence[int]:
    """Run lengths of COCO's compressed text: 5 bits a character, differences from the third on."""
    text = counts.encode("ascii") if isinstance(counts, str) else bytes(counts)
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = character - 48
        if not 0 <= bits < 64:
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
