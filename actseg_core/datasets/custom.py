"""Your own data: videos or frame folders, a table of sentences, mask pictures or COCO files.

The format is described in docs/custom_dataset.md.
"""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets import coco
from actseg_core.datasets.a2d_layout import read_lines
from actseg_core.datasets.mask_picture import png_mask
from actseg_core.datasets.samples import STRICT, BadData, Sample
from actseg_core.errors import DatasetError

SENTENCES_FILE = "sentences.csv"
REQUIRED = ("video", "frame", "sentence", "mask")
OPTIONAL = ("split",)
SEPARATORS = ",;\t"
WHOLE_NUMBER = re.compile(r"([0-9]{1,9})([.,]0*)?")
"""Of a frame: spreadsheets write 12 as 12.0 or 12,0 as well."""


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
        self._masks: dict[int, tuple[str, str]] = {}
        self._table = self.root / SENTENCES_FILE
        for number, row in read_table(self._table, self.bad):
            if split is None or row.get("split", "") == split:
                with self.bad.tolerated():
                    self._add(number, row)
        if not self.samples and not self.bad:
            raise DatasetError(
                f"{self._table} has no row" + (f" of split {split!r}" if split else "")
            )

    def _add(self, number: int, row: dict[str, str]) -> None:
        where = f"line {number} of {self._table}"
        frame = WHOLE_NUMBER.fullmatch(row["frame"])
        if not frame:
            raise DatasetError(f"{where}: frame must count from 0, got {row['frame'][:40]!r}")
        if not row["sentence"]:
            raise DatasetError(f"{where} has no sentence")
        for column in ("video", "mask"):
            path = PurePosixPath(row[column].replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts:
                raise DatasetError(
                    f"{where}: {column} must be a path inside {self.root}, got {row[column]!r}"
                )
        video = self._find(row["video"], Path.exists)
        if not video:
            raise DatasetError(f"{where}: there is no video {self.root / row['video'][:200]}")
        mask = self._find_mask(row["mask"])
        if row["mask"] and not mask[0]:
            raise DatasetError(f"{where}: there is no mask file {self.root / row['mask'][:200]}")
        self._masks[number] = mask
        self.samples.append(Sample(row["sentence"], video, int(frame[1]), number))

    def _find_mask(self, cell: str) -> tuple[str, str]:
        """File and value of a mask; the name itself may hold a #."""
        whole = self._find(cell, Path.is_file)
        if whole:
            return whole, ""
        name, _, value = cell.rpartition("#")
        return self._find(name, Path.is_file), value

    def _find(self, name: str, is_there: Callable[[Path], bool]) -> str:
        """The name as the file has it: other systems part folders and write accents otherwise.

        Empty if there is none.
        """
        names = (name, name.replace("\\", "/"))
        forms = [*names, *(normalize(form, item) for item in names for form in ("NFC", "NFD"))]
        for candidate in forms if name else ():
            try:
                if is_there(self.root / candidate):
                    return candidate
            except (OSError, ValueError):  # a name that no file can have
                continue
        return ""

    def video(self, sample: Sample) -> Path:
        """The video file or frame folder."""
        return self.root / sample.video

    def length(self, sample: Sample) -> int | None:
        """All frames of the video may be used."""
        return None

    def annotation(self, sample: Sample) -> Path:
        """The mask file; sentences.csv where the row says that the actor is absent."""
        return self.root / (self._masks[sample.instance][0] or SENTENCES_FILE)

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        """(H, W) bool; (0, 0) where the row says that the described actor is absent.

        Raises:
            DatasetError: If the mask file is damaged, or marks no pixel as it is named.
        """
        name, value = self._masks[sample.instance]
        path = self.root / name
        if not name:
            return np.zeros((0, 0), np.bool_)
        if path.suffix.lower() == ".json":
            return coco.annotation_mask(path, value)
        return png_mask(path, value)


def read_table(path: Path, bad: BadData = STRICT) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of sentences.csv with their line numbers, cells stripped.

    As spreadsheets write it: separated by commas, semicolons or tabs, in UTF-8 or UTF-16, with
    empty rows and empty columns at the end.

    Args:
        path: Of the file.
        bad: Whether to leave rows out that have more or fewer cells than columns.

    Raises:
        DatasetError: If the file is missing, or a column is missing, double or unknown.
    """
    lines = read_lines(path)
    if lines and lines[0].strip().lower().startswith("sep="):  # what Excel reads it by
        lines[0] = ""
    reader = csv.reader((line + "\n" for line in lines), strict=True, delimiter=_separator(lines))
    try:
        header = next((row for row in reader if any(_stripped(row))), [])
        columns = [name.lower() for name in _stripped(header)]
        while columns and not columns[-1]:
            columns.pop()
        if not set(REQUIRED) <= set(columns) <= {*REQUIRED, *OPTIONAL} or len(columns) != len(
            set(columns)
        ):
            raise DatasetError(
                f"{path} must begin with the line {','.join(REQUIRED)} (and ,split if wanted), "
                f"got {','.join(columns)[:200]!r}"
            )
        for row in reader:
            cells = _stripped(row)
            if not any(cells):
                continue
            # As many as the header has, with its own empty ones behind the last column.
            if len(cells) in (len(columns), len(header)) and not any(cells[len(columns) :]):
                yield reader.line_num, dict(zip(columns, cells, strict=False))
                continue
            with bad.tolerated():
                raise DatasetError(
                    f"line {reader.line_num} of {path} must have {len(columns)} cells; put a "
                    "sentence with commas into double quotes"
                )
    except csv.Error as error:
        raise DatasetError(f"{path} after line {reader.line_num}: {error}") from error


def _separator(lines: list[str]) -> str:
    """What stands between the columns of the header."""
    header = next((line for line in lines if line.strip()), "")
    return max(SEPARATORS, key=header.count)


def _stripped(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]
