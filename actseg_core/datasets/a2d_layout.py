"""Where A2D and A2D Sentences keep what, and their text files."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from actseg_core.datasets.samples import STRICT, BadData
from actseg_core.errors import DatasetError
from actseg_core.video.frames import MAX_PIXELS

Split = Literal["train", "test"]
SPLITS: tuple[Split, Split] = ("train", "test")
ANNOTATION_HEADER = "video_id,instance_id,query"
TEXT_FILE_LIMIT_BYTES = 100_000_000
_CLIP_FOLDERS = ("clips320H", "CLIPS320H", "clips320", "CLIPS320")
_COPY = re.compile(r"\d+ \(copy\)")
_INSTANCE = re.compile(r"[0-9]{1,9}")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class VideoEntry(NamedTuple):
    """A row of videoset.csv.

    Attributes:
        video: Id.
        label: A2D label of the video as a whole.
        height: Of its frames [px].
        width: Of its frames [px].
        frames: Number of frames.
        annotated: Number of annotated frames.
        split: As published.
    """

    video: str
    label: int
    height: int
    width: int
    frames: int
    annotated: int
    split: Split


class AnnotationRow(NamedTuple):
    """A row of a2d_annotation.txt; `instance` is None for the stray copy of a row."""

    video: str
    instance: int | None
    query: str


@dataclass(frozen=True)
class A2DLayout:
    """Paths below the folder that holds Release/ and text_annotations/."""

    root: Path

    @property
    def videoset(self) -> Path:
        """List of all videos."""
        return self.root / "Release" / "videoset.csv"

    @property
    def annotation(self) -> Path:
        """All sentences."""
        return self.root / "text_annotations" / "a2d_annotation.txt"

    @property
    def missed(self) -> Path:
        """Ids of videos without sentences."""
        return self.root / "text_annotations" / "a2d_missed_videos.txt"

    @cached_property
    def clips(self) -> Path:
        """Folder of the videos; its name varies between copies of the dataset.

        Raises:
            DatasetError: If there is none.
        """
        release = self.root / "Release"
        for name in _CLIP_FOLDERS:
            if (release / name).is_dir():
                return release / name
        raise DatasetError(f"{release} has no folder {_CLIP_FOLDERS[0]} with the videos")

    def clip(self, video: str) -> Path:
        """Video file."""
        return self.clips / f"{video}.mp4"

    def instances(self, video: str) -> Path:
        """Folder of the masks per instance, one HDF5 file per annotated frame."""
        return self.root / "text_annotations" / "a2d_annotation_with_instances" / video

    def colours(self, video: str) -> Path:
        """Folder of the label maps, one PNG per annotated frame."""
        return self.root / "Release" / "Annotations" / "col" / video


def read_lines(path: Path) -> list[str]:
    """Lines of a text file, with or without a newline at its end.

    UTF-8 or, with its mark at the beginning, UTF-16, as spreadsheets write "Unicode text".

    Raises:
        DatasetError: If it is missing, too large or no such text.
    """
    try:
        if path.stat().st_size > TEXT_FILE_LIMIT_BYTES:
            raise DatasetError(f"{path} is larger than {TEXT_FILE_LIMIT_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"cannot read {path}: {error.strerror}; is the download complete?"
        ) from error
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"cannot read {path}: it is no UTF-8 text; save it as such (a spreadsheet's 'CSV "
            "UTF-8'), or download it again"
        ) from error
    # Not splitlines(): a sentence may hold the rarer signs at which that splits, too.
    return re.split(r"\r\n|\n|\r", text) if text else []


def read_videoset(path: Path, bad: BadData = STRICT) -> dict[str, VideoEntry]:
    """All videos by id, in the file's order.

    Args:
        path: Of the file.
        bad: Whether to leave lines out that cannot be read.

    Raises:
        DatasetError: If the file or one of its lines cannot be read.
    """
    entries = {}
    for number, line in enumerate(read_lines(path), start=1):
        with bad.tolerated():
            entry = _video_entry(path, number, line)
            entries[entry.video] = entry
    return entries


def _video_entry(path: Path, number: int, line: str) -> VideoEntry:
    try:
        return _checked_entry([cell.strip().strip('"') for cell in line.split(",")])
    except (ValueError, TypeError):
        raise DatasetError(
            f"line {number} of {path} must be video,label,start,end,height,width,frames,"
            f"annotated frames,0 or 1 for train or test; got {line[:100]!r}"
        ) from None


def _checked_entry(cells: list[str]) -> VideoEntry:
    """A row of videoset.csv.

    Raises:
        ValueError, TypeError: If a number is none or out of range, or there are more or fewer.
    """
    video, label, _, _, *numbers, split = cells
    height, width, frames, annotated = (int(number) for number in numbers)
    if min(height, width, frames) < 1 or annotated < 0 or height * width > MAX_PIXELS:
        raise ValueError
    if not video or PurePosixPath(video).name != video or "\0" in video:
        raise ValueError  # it becomes the name of files
    split_name = SPLITS[("0", "1").index(split)]
    return VideoEntry(video, int(label), height, width, frames, annotated, split_name)


def read_annotation(path: Path, bad: BadData = STRICT) -> list[AnnotationRow]:
    """All sentences, in the file's order.

    Args:
        path: Of the file.
        bad: Whether to leave lines out that cannot be read.

    Raises:
        DatasetError: If the file or one of its lines cannot be read.
    """
    lines = read_lines(path)
    if not lines or lines[0].strip() != ANNOTATION_HEADER:
        raise DatasetError(f"{path} must begin with the line {ANNOTATION_HEADER}")
    rows: list[AnnotationRow] = []
    for number, line in enumerate(lines[1:], start=2):
        with bad.tolerated():
            rows.append(_annotation_row(path, number, line))
    return rows


def _annotation_row(path: Path, number: int, line: str) -> AnnotationRow:
    cells = line.split(",", 2)
    instance = cells[1].strip() if len(cells) == 3 else ""
    query = unquoted(cells[-1])
    is_number = _INSTANCE.fullmatch(instance) is not None
    if len(cells) != 3 or not query or not (is_number or _COPY.fullmatch(instance)):
        raise DatasetError(
            f"line {number} of {path} must be {ANNOTATION_HEADER} with a whole number in the "
            f"middle; got {line[:100]!r}"
        )
    return AnnotationRow(cells[0].strip(), int(instance) if is_number else None, query)


def unquoted(cell: str) -> str:
    """The text of a last cell that may hold commas, without the quotes that a spreadsheet adds."""
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"').strip()
    return text


def read_missed(path: Path) -> frozenset[str]:
    """Ids of the videos without sentences.

    Raises:
        DatasetError: If the file cannot be read.
    """
    return frozenset(line.strip() for line in read_lines(path) if line.strip())


def frame_of(path: Path) -> int:
    """The frame, counted from 0, of an annotation file named by its number, counted from 1.

    Raises:
        DatasetError: If the name is no such number.
    """
    if not path.stem.isdecimal() or int(path.stem) < 1:
        raise DatasetError(
            f"{path} must be named by its frame number, counted from 1, such as 00025{path.suffix}"
        )
    return int(path.stem) - 1


def annotation_files(folder: Path, suffix: str) -> list[Path]:
    """The annotation files of a video, by frame.

    Raises:
        DatasetError: If there is no such folder, or nothing in it.
    """
    # Not the hidden files that other systems put beside those of a name, such as ._00025.h5.
    found = folder.glob(f"[!.]*{suffix}") if folder.is_dir() else []
    files = sorted(found, key=frame_of)
    if not files:
        raise DatasetError(
            f"there is no {suffix} file in {folder}; is the download complete, and is the video "
            "rightly absent from a2d_missed_videos.txt?"
        )
    return files
