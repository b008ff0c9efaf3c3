"""J-HMDB Sentences: 928 videos, one sentence each, masks of one person on all frames."""

import json
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.a2d_layout import read_lines, unquoted
from actseg_core.datasets.clips import evenly_spaced
from actseg_core.datasets.matlab import MatlabReader
from actseg_core.datasets.samples import STRICT, BadData, Sample, require_pixels
from actseg_core.errors import DatasetError

ANNOTATION_HEADER = "video_id,query"
MASK_KEY = "part_mask"
MASK_AXES = "(height, width, frames)"
FRAMES_PER_VIDEO = 3
FRAME_LIST = "jhmdb_sentences_frames.json"
"""Name under which a list of evaluation frames lies beside generated sentences."""
_CACHED_MASKS = 4


class ListedFrame(NamedTuple):
    """An entry of the published frame list: video, frame from 0, frames with masks, sentence."""

    video: str
    frame: int
    frames: int
    query: str


class JHMDBSentences:
    """Three frames of every video, all for testing (paper section 5.2).

    Which three is open in the paper ("uniformly"). With `frame_list`, those of the list that
    MTTR and later papers publish; without, first, middle and last of the frames with a mask
    [ours]. Frames behind the last mask are never used, also not as context.

    Args:
        root: Folder with jhmdb_annotation.txt, Rename_Images/ and puppet_mask/.
        frame_list: JSON list of [video, image path, mask path, frames with masks, sentence].
        skip_bad: Leave lines, entries and videos out that cannot be read, and count them in `bad`.
        matlab: Reads the masks; None: a reader, and with it a process, of its own.

    Attributes:
        samples: In the order of jhmdb_annotation.txt, or of the list.

    Raises:
        DatasetError: If a file is missing or damaged, or the list belongs to other sentences.
    """

    name = "J-HMDB Sentences"

    def __init__(
        self,
        root: str | Path,
        *,
        frame_list: str | Path | None = None,
        skip_bad: bool = False,
        matlab: MatlabReader | None = None,
    ) -> None:
        self.root = Path(root)
        self.bad = BadData(skip_bad)
        self.samples: list[Sample] = []
        self._lengths: dict[str, int] = {}
        self._matlab = matlab or MatlabReader()
        self._cache: OrderedDict[str, NDArray[np.bool_]] = OrderedDict()
        self._queries = read_annotation(self.root / "jhmdb_annotation.txt", self.bad)
        self._classes = self._find_classes()
        if frame_list is None:
            for video in self._queries:
                with self.bad.tolerated():
                    self._add_even(video)
        else:
            for item in read_frame_list(Path(frame_list), self.bad):
                with self.bad.tolerated():
                    self._add_listed(item, Path(frame_list))

    def _find_classes(self) -> dict[str, str]:
        """Folder of every video; the sentences do not name it."""
        folder = self.root / "Rename_Images"
        found = {path.name: path.parent.name for path in folder.glob("*/*") if path.is_dir()}
        if not found:
            raise DatasetError(f"{folder} holds no <class>/<video>/ folders; check the path")
        return found

    def _add_even(self, video: str) -> None:
        self._lengths[video] = length = self._count(video)
        self.samples += [
            Sample(self._queries[video], video, frame)
            for frame in evenly_spaced(length, min(FRAMES_PER_VIDEO, length))
        ]

    def _add_listed(self, item: ListedFrame, path: Path) -> None:
        if self._queries.get(item.video) != item.query:
            raise DatasetError(
                f"{path} says {item.query!r} of {item.video}, jhmdb_annotation.txt "
                f"{self._queries.get(item.video)!r}; are both of the same release?"
            )
        self._check_images(item.video, item.frames)
        self._lengths[item.video] = item.frames
        self.samples.append(Sample(item.query, item.video, item.frame))

    def _folder(self, video: str) -> Path:
        if video not in self._classes:
            raise DatasetError(
                f"{self.root / 'Rename_Images'} has no folder of {video}, which "
                "jhmdb_annotation.txt names; is the download complete?"
            )
        return self.root / "Rename_Images" / self._classes[video] / video

    def _mask_path(self, video: str) -> Path:
        self._folder(video)
        return self.root / "puppet_mask" / self._classes[video] / video / "puppet_mask.mat"

    def _count(self, video: str) -> int:
        """Frames that have both an image and a mask."""
        path = self._mask_path(video)
        shape = self._matlab.shape(path, MASK_KEY)
        if len(shape) not in (2, 3):
            raise DatasetError(f"{path} has {MASK_KEY} of shape {shape}; wanted {MASK_AXES}")
        images = sum(1 for _ in self._folder(video).glob("[!.]*.png"))
        count = min(shape[2] if len(shape) == 3 else 1, images)
        self._check_images(video, max(count, 1))
        return count

    def _check_images(self, video: str, count: int) -> None:
        """A missing image would shift all frames behind it."""
        folder = self._folder(video)
        there = {path.name for path in folder.glob("[!.]*.png")}
        for number in range(1, count + 1):
            if f"{number:05d}.png" not in there:
                raise DatasetError(
                    f"{folder} lacks {number:05d}.png, one of its {count} annotated frames; "
                    "is the download complete?"
                )

    def video(self, sample: Sample) -> Path:
        """The folder of frames, 00001.png and so on."""
        return self._folder(sample.video)

    def length(self, sample: Sample) -> int | None:
        """Number of leading frames that have a mask."""
        return self._lengths[sample.video]

    def annotation(self, sample: Sample) -> Path:
        """The puppet_mask.mat of the video."""
        return self._mask_path(sample.video)

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        """(H, W) bool, true on the person.

        Raises:
            DatasetError: If the masks are missing, damaged, too few or empty.
        """
        masks = self._masks(sample.video)
        if sample.frame >= masks.shape[2]:
            raise DatasetError(
                f"{self._mask_path(sample.video)} has masks of {masks.shape[2]} frames, "
                f"frame {sample.frame} was asked for"
            )
        where = f"frame {sample.frame} of {self._mask_path(sample.video)}"
        return require_pixels(masks[:, :, sample.frame], where)

    def _masks(self, video: str) -> NDArray[np.bool_]:
        if video not in self._cache:
            path = self._mask_path(video)
            masks = self._matlab.read(path, MASK_KEY)
            if masks.ndim not in (2, 3):
                raise DatasetError(
                    f"{path} has {MASK_KEY} of shape {masks.shape}; wanted {MASK_AXES}"
                )
            self._cache[video] = np.atleast_3d(masks) > 0
            while len(self._cache) > _CACHED_MASKS:
                self._cache.popitem(last=False)
        self._cache.move_to_end(video)
        return self._cache[video]

    def close(self) -> None:
        """End the process that reads MATLAB files; it starts again when needed."""
        self._matlab.close()


def read_annotation(path: Path, bad: BadData = STRICT) -> dict[str, str]:
    """Sentence of every video, in the file's order.

    Args:
        path: Of the file.
        bad: Whether to leave lines out that cannot be read.

    Raises:
        DatasetError: If the file or one of its lines cannot be read.
    """
    lines = read_lines(path)
    if not lines or lines[0].strip() != ANNOTATION_HEADER:
        raise DatasetError(f"{path} must begin with the line {ANNOTATION_HEADER}")
    queries = {}
    for number, line in enumerate(lines[1:], start=2):
        video, comma, query = line.partition(",")
        with bad.tolerated():
            if not (comma and video.strip() and unquoted(query)):
                raise DatasetError(
                    f"line {number} of {path} must be {ANNOTATION_HEADER}; got {line[:100]!r}"
                )
            queries[video.strip()] = unquoted(query)
    return queries


def read_frame_list(path: Path, bad: BadData = STRICT) -> list[ListedFrame]:
    """The published list of evaluation frames, 2,784 entries.

    Args:
        path: Of the file.
        bad: Whether to leave entries out that cannot be read.

    Raises:
        DatasetError: If the file or one of its entries cannot be read.
    """
    try:
        content = json.loads("\n".join(read_lines(path)))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, list):
        raise DatasetError(f"{path} must hold a list, got {type(content).__name__}")
    listed: list[ListedFrame] = []
    for number, entry in enumerate(content):
        with bad.tolerated():
            listed.append(_listed(path, number, entry))
    return listed


def _listed(path: Path, number: int, entry: Any) -> ListedFrame:
    try:
        video, image, _, frames, query = entry
        frame = int(PurePosixPath(image).stem) - 1  # images count from 1
        if not (isinstance(video, str) and isinstance(query, str) and type(frames) is int):
            raise TypeError
        if not 0 <= frame < frames:
            raise ValueError
        return ListedFrame(video, frame, frames, query.strip())
    except (ValueError, TypeError):
        raise DatasetError(
            f"entry {number} of {path} must be [video, image path, mask path, number of frames "
            f"with a mask, sentence] with the image among these frames; got {str(entry)[:200]}"
        ) from None
