"""A2D Sentences: 6,655 sentences about actors in 3,754 videos, with masks per instance."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.a2d_layout import (
    A2DLayout,
    AnnotationRow,
    Split,
    VideoEntry,
    annotation_files,
    frame_of,
    read_annotation,
    read_missed,
    read_videoset,
)
from actseg_core.datasets.hdf5 import read_arrays
from actseg_core.datasets.samples import BadData, Sample, require_pixels
from actseg_core.errors import DatasetError

MAX_ID = 2**31


@dataclass(frozen=True, eq=False)
class Instances:
    """The actors annotated in one frame.

    Attributes:
        ids: (N,) int64, as in a2d_annotation.txt.
        masks: (N, H, W) bool.
        boxes: (N, 4) float64 [px]: left, top, right, bottom.
    """

    ids: NDArray[np.int64]
    masks: NDArray[np.bool_]
    boxes: NDArray[np.float64]


class A2DSentences:
    """Every (sentence, annotated frame in which its actor is) of one split.

    Args:
        root: Folder with Release/ and text_annotations/.
        split: "train" or "test" of videoset.csv; videos without sentences are left out.
        skip_bad: Leave lines and annotation files out that cannot be read, and count them in
            `bad`.

    Attributes:
        samples: By video and sentence, in the order of a2d_annotation.txt, then by frame.
        dropped: Rows with a broken instance id ("1 (copy)" in the published file).
        unseen: (video, instance) of sentences whose actor is in none of the annotated frames.

    Raises:
        DatasetError: If a file is missing or damaged.
    """

    name = "A2D Sentences"

    def __init__(self, root: str | Path, split: Split, *, skip_bad: bool = False) -> None:
        self.layout = A2DLayout(Path(root))
        self.split = split
        self.bad = BadData(skip_bad)
        self.dropped: list[AnnotationRow] = []
        self.unseen: list[tuple[str, int]] = []
        self.samples: list[Sample] = []
        for video, rows in self._rows().items():
            self._add(video, rows)

    def _rows(self) -> dict[str, list[AnnotationRow]]:
        videos = read_videoset(self.layout.videoset, self.bad)
        missed = read_missed(self.layout.missed)
        rows = defaultdict(list)
        for row in read_annotation(self.layout.annotation, self.bad):
            with self.bad.tolerated():
                if self._split(videos, row) != self.split or row.video in missed:
                    continue
                if row.instance is None:
                    self.dropped.append(row)
                else:
                    rows[row.video].append(row)
        return rows

    def _split(self, videos: dict[str, VideoEntry], row: AnnotationRow) -> Split:
        if row.video not in videos:
            raise DatasetError(
                f"{self.layout.annotation} has a sentence about {row.video}, which is not in "
                f"{self.layout.videoset}; are both of the same release?"
            )
        return videos[row.video].split

    def _add(self, video: str, rows: list[AnnotationRow]) -> None:
        present: dict[int, list[int]] = defaultdict(list)
        with self.bad.tolerated():
            for path in annotation_files(self.layout.instances(video), ".h5"):
                with self.bad.tolerated():
                    for instance in set(read_ids(path).tolist()):
                        present[instance].append(frame_of(path))
        for _, instance, query in rows:
            assert instance is not None
            if instance not in present:
                self.unseen.append((video, instance))
            self.samples += [Sample(query, video, frame, instance) for frame in present[instance]]

    def video(self, sample: Sample) -> Path:
        """The video file."""
        return self.layout.clip(sample.video)

    def length(self, sample: Sample) -> int | None:
        """All frames of the video may be used."""
        return None

    def annotation(self, sample: Sample) -> Path:
        """The HDF5 file of the frame; its number counts from 1."""
        return self.layout.instances(sample.video) / f"{sample.frame + 1:05d}.h5"

    def mask(self, sample: Sample) -> NDArray[np.bool_]:
        """(H, W) bool, true on the referred actor.

        Raises:
            DatasetError: If the annotation is missing, damaged, or without a pixel of the actor.
        """
        path = self.annotation(sample)
        instances = read_instances(path)
        chosen = instances.masks[instances.ids == sample.instance]
        if not len(chosen):
            raise DatasetError(
                f"{path} has no instance {sample.instance}, only {instances.ids.tolist()}"
            )
        return require_pixels(chosen.any(axis=0), f"instance {sample.instance} of {path}")


def read_ids(path: Path) -> NDArray[np.int64]:
    """(N,) instance ids of an annotated frame.

    Raises:
        DatasetError: If the file is missing or damaged.
    """
    return _ids(path, read_arrays(path, ["instance"])["instance"])


def _ids(path: Path, values: NDArray[np.generic]) -> NDArray[np.int64]:
    """(N,) whole numbers.

    Raises:
        DatasetError: If one is none, or negative.
    """
    given = values.reshape(-1).astype(np.float64)
    if not ((given >= 0) & (given < MAX_ID) & (given == np.rint(given))).all():
        raise DatasetError(
            f"the instance ids of {path} must be whole numbers from 0 on, got {given[:8].tolist()}"
        )
    return given.astype(np.int64)


def read_instances(path: Path) -> Instances:
    """All actors of an annotated frame.

    The arrays lie as MATLAB left them: reMask is (N, width, height), or (width, height) for a
    single instance; reBBox is (4, N), or (4,).

    Raises:
        DatasetError: If the file is missing or damaged, its arrays disagree, or a number is not
            finite.
    """
    arrays = read_arrays(path, ["instance", "reMask", "reBBox"])
    ids = _ids(path, arrays["instance"])
    if not ids.size:
        return Instances(ids, np.zeros((0, 0, 0), np.bool_), np.zeros((0, 4)))
    masks, boxes = arrays["reMask"], arrays["reBBox"]
    masks = masks[None] if masks.ndim == 2 else masks
    boxes = boxes[:, None] if boxes.ndim == 1 else boxes
    if masks.ndim != 3 or len(masks) != len(ids) or boxes.shape != (4, len(ids)):
        raise DatasetError(
            f"{path} has {len(ids)} instances, but reMask of shape {arrays['reMask'].shape} and "
            f"reBBox of shape {arrays['reBBox'].shape}; wanted (N, width, height) and (4, N)"
        )
    if any(item.dtype.kind == "f" and not np.isfinite(item).all() for item in (masks, boxes)):
        raise DatasetError(f"reMask or reBBox of {path} holds NaN or infinity; export it again")
    return Instances(ids, np.swapaxes(masks, 1, 2) > 0, boxes.T.astype(np.float64))
