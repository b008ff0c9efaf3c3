"""A2D's 43 actor-action pairs: the colours of its label maps, and each pair as a sentence."""

from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.a2d_layout import (
    A2DLayout,
    Split,
    annotation_files,
    frame_of,
    read_videoset,
)
from actseg_core.datasets.samples import BadData, Sample
from actseg_core.errors import DatasetError, VideoError
from actseg_core.labels import ACTIONS, ACTORS, BACKGROUND, PAIRS
from actseg_core.video.frames import read_image

RGB = tuple[int, int, int]

# A2D's published colour map (Xu et al., CVPR 2015), as listed in Kalogeiton et al.'s public
# evaluation script vic_eval_segmentation.m: one row per actor, one RGB colour per action 1 to 9,
# pairs that A2D does not use included.
_COLOURS = """
52,1,1 103,1,1 154,1,1 205,1,1 255,1,1 255,51,51 255,103,103 255,154,154 255,205,205
52,46,1 103,92,1 154,138,1 205,184,1 255,230,1 255,235,51 255,240,103 255,245,154 255,250,205
11,52,1 21,103,1 31,154,1 41,205,1 52,255,1 92,255,51 133,255,103 174,255,154 215,255,205
1,52,36 1,103,72 1,154,108 1,205,143 1,255,179 51,255,194 103,255,210 154,255,225 205,255,240
1,21,52 1,41,103 1,62,154 1,82,205 1,103,255 51,133,255 103,164,255 154,194,255 205,225,255
26,1,52 52,1,103 77,1,154 103,1,205 128,1,255 154,51,255 179,103,255 205,154,255 230,205,255
52,1,31 103,1,62 154,1,92 205,1,123 255,1,153 255,51,174 255,103,194 255,154,215 255,205,235
"""


@cache
def colours() -> dict[int, RGB]:
    """Label (0, 11 to 79) to RGB colour, 64 entries."""
    table: dict[int, RGB] = {BACKGROUND: (0, 0, 0)}
    for actor, row in enumerate(_COLOURS.split("\n")[1 : len(ACTORS) + 1], start=1):
        for action, cell in enumerate(row.split(), start=1):
            red, green, blue = (int(value) for value in cell.split(","))
            table[10 * actor + action] = (red, green, blue)
    assert len(table) == 1 + len(ACTORS) * len(ACTIONS)
    return table


def colour_of_label(label: int) -> RGB:
    """The colour that A2D paints a label with.

    Args:
        label: 0 for background, or 10 * actor + action.

    Raises:
        DatasetError: If there is no such label.
    """
    if label not in colours():
        raise DatasetError(
            f"{label} is no label of A2D; wanted 0 or 10 * actor (1 to {len(ACTORS)}) + action "
            f"(1 to {len(ACTIONS)})"
        )
    return colours()[label]


@cache
def _codes() -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Colour codes in rising order and the label of each."""
    pairs = sorted((_code(*colour), label) for label, colour in colours().items())
    codes, labels = zip(*pairs, strict=True)
    return np.array(codes, np.int32), np.array(labels, np.uint8)


def _code(red: int, green: int, blue: int) -> int:
    return red << 16 | green << 8 | blue


def label_map(path: str | Path) -> NDArray[np.uint8]:
    """(H, W) uint8 labels of one of A2D's colour images (Annotations/col).

    Labels of pairs that A2D does not use are kept; the evaluation leaves them out.

    Raises:
        DatasetError: If the image cannot be read, or has a colour that stands for nothing.
    """
    path = Path(path)
    try:
        image = read_image(path)
    except VideoError as error:
        raise DatasetError(str(error)) from error
    codes, labels = _codes()
    red, green, blue = np.moveaxis(image.astype(np.int32), 2, 0)
    pixels = red << 16 | green << 8 | blue
    places = np.searchsorted(codes, pixels).clip(max=len(codes) - 1)
    unknown = np.argwhere(codes[places] != pixels)
    if len(unknown):
        row, column = unknown[0]
        raise DatasetError(
            f"{path} has the colour {tuple(image[row, column].tolist())} at row {row}, column "
            f"{column} ({len(unknown)} unknown pixels), which is not in A2D's colour map; "
            "is it a label image of Annotations/col, saved without loss?"
        )
    found: NDArray[np.uint8] = labels[places]
    return found


def paint(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) labels as an (H, W, 3) uint8 RGB image in A2D's colours.

    Raises:
        DatasetError: If a label is unknown.
    """
    table = np.zeros((256, 3), np.uint8)
    for label in np.unique(labels).tolist():
        table[label] = colour_of_label(label)
    return table[labels]


class PairFrame(NamedTuple):
    """An annotated frame: its video, its number from 0, its label image."""

    video: str
    frame: int
    path: Path


class A2DPairs:
    """A2D's label maps; each valid pair in a frame is a sample with the pair's name as sentence.

    The paper's section 5.3 trains its segmentation network so. All videos count, also those
    without sentences: the test split has 2,365 annotated frames.

    Args:
        root: Folder with Release/.
        split: "train" or "test" of videoset.csv.
        skip_bad: Leave lines and label images out that cannot be read, and count them in `bad`.

    Attributes:
        frames: In the order of videoset.csv, then by frame.

    Raises:
        DatasetError: If a file is missing or damaged.
    """

    name = "A2D pairs"

    def __init__(self, root: str | Path, split: Split, *, skip_bad: bool = False) -> None:
        self.layout = A2DLayout(Path(root))
        self.split = split
        self.bad = BadData(skip_bad)
        self.frames: list[PairFrame] = []
        for entry in read_videoset(self.layout.videoset, self.bad).values():
            if entry.split != split:
                continue
            with self.bad.tolerated():
                self.frames += [
                    PairFrame(entry.video, frame_of(path), path)
                    for path in annotation_files(self.layout.colours(entry.video), ".png")
                ]

    @cached_property
    def samples(self) -> list[Sample]:
        """Every (pair, annotated frame that shows it); reads all label images.

        Raises:
            DatasetError: If one of them is damaged.
        """
        return [
            Sample(pair.text, frame.video, frame.frame, pair.label)
            for frame in self.frames
            for pair in PAIRS
            if pair.label in self._labels[frame.path]
        ]

    @cached_property
    def video_labels(self) -> dict[str, list[int]]:
        """Ids of the valid pairs that each video shows in its annotated frames, rising.

        Raises:
            DatasetError: If a label image is damaged.
        """
        found: dict[str, set[int]] = {frame.video: set() for frame in self.frames}
        for frame in self.frames:
            found[frame.video] |= self._labels[frame.path]
        return {video: sorted(labels) for video, labels in found.items()}

    @cached_property
    def _labels(self) -> dict[Path, set[int]]:
        """The valid pairs in every label image; empty where one is damaged and skipped."""
        valid = {pair.label for pair in PAIRS}
        found: dict[Path, set[int]] = {frame.path: set() for frame in self.frames}
        for path in found:
            with self.bad.tolerated():
                found[path] = valid & set(np.unique(label_map(path)).tolist())
        return found

    def video(self, sample: Sample) -> Path:
        """The video file."""
        return self.layout.clip(sample.video)

    def length(self, sample: Sample) -> int | None:
        """All frames of the video may be used."""
        return None

    def annotation(self, sample: Sample) -> Path:
        """The label image of the frame; its number counts from 1."""
        return self.layout.colours(sample.video) / f"{sample.frame + 1:05d}.png"

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        """(H, W) bool, true where the frame shows the pair.

        Raises:
            DatasetError: If the label image is missing or damaged.
        """
        mask: NDArray[np.bool_] = label_map(self.annotation(sample)) == sample.instance
        return mask
