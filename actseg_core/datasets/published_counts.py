"""The published counts of the datasets: a wrong one names the file that is not as published."""

from dataclasses import dataclass
from pathlib import Path

from actseg_core.datasets.a2d_layout import (
    SPLITS,
    A2DLayout,
    annotation_files,
    read_annotation,
    read_missed,
    read_videoset,
)
from actseg_core.datasets.jhmdb_sentences import (
    FRAMES_PER_VIDEO,
    read_frame_list,
)
from actseg_core.datasets.jhmdb_sentences import (
    read_annotation as read_jhmdb_annotation,
)
from actseg_core.errors import DatasetError

A2D_ROWS = 6655
A2D_MISSED = 28
A2D_LISTED = {"train": 3036, "test": 746}
A2D_VIDEOS = {"train": 3017, "test": 737}
A2D_SENTENCES = {"train": 5360, "test": 1295}
A2D_FRAMES = {"train": 9561, "test": 2365}
JHMDB_SENTENCES = 928


@dataclass(frozen=True)
class Count:
    """One count of a dataset.

    Attributes:
        what: Of what.
        path: The file or folder that it comes from.
        found: Number there.
        published: Number that it should be.
    """

    what: str
    path: Path
    found: int
    published: int


def count_a2d_texts(videoset: Path, annotation: Path, missed: Path) -> list[Count]:
    """What the three text files of A2D Sentences hold.

    The stray "1 (copy)" row counts as the published numbers do.

    Raises:
        DatasetError: If one cannot be read.
    """
    videos = read_videoset(videoset)
    without = read_missed(missed)
    rows = read_annotation(annotation)
    counts = [
        Count("missed videos", missed, len(without), A2D_MISSED),
        Count("sentences", annotation, len(rows), A2D_ROWS),
    ]
    for split in SPLITS:
        own = {name: entry for name, entry in videos.items() if entry.split == split}
        said = sum(row.video in own for row in rows)
        frames = sum(entry.annotated for entry in own.values())
        left = len(own.keys() - without)
        counts += [
            Count(f"{split} videos", videoset, len(own), A2D_LISTED[split]),
            Count(f"{split} videos with sentences", missed, left, A2D_VIDEOS[split]),
            Count(f"{split} sentences", annotation, said, A2D_SENTENCES[split]),
            Count(f"annotated {split} frames", videoset, frames, A2D_FRAMES[split]),
        ]
    return counts


def check_a2d(root: str | Path, *, frames: bool = True) -> list[Count]:
    """Compare a copy of A2D Sentences with what was published.

    Args:
        root: Folder with Release/ and text_annotations/.
        frames: Also look for every video, and count its annotation files.

    Raises:
        DatasetError: If a file is missing, damaged, or not as published.
    """
    layout = A2DLayout(Path(root))
    counts = count_a2d_texts(layout.videoset, layout.annotation, layout.missed)
    require(counts)
    return counts + (count_a2d_frames(layout) if frames else [])


def count_a2d_frames(layout: A2DLayout) -> list[Count]:
    """Annotation files of every video against videoset.csv.

    Raises:
        DatasetError: If a video or its annotation is missing or has another number of frames.
    """
    missed = read_missed(layout.missed)
    counts = []
    for entry in read_videoset(layout.videoset).values():
        if not layout.clip(entry.video).is_file():
            raise DatasetError(f"there is no video {layout.clip(entry.video)}")
        folders = {layout.colours(entry.video): ".png"}
        if entry.video not in missed:
            folders[layout.instances(entry.video)] = ".h5"
        counts += [
            Count("annotated frames", folder, len(annotation_files(folder, kind)), entry.annotated)
            for folder, kind in folders.items()
        ]
    require(counts)
    return counts


def check_jhmdb(annotation: Path, frame_list: Path | None = None) -> list[Count]:
    """Compare the text files of J-HMDB Sentences with what was published.

    Args:
        annotation: jhmdb_annotation.txt.
        frame_list: The list of evaluation frames, if there is one.

    Raises:
        DatasetError: If a file is missing, damaged, or not as published.
    """
    queries = read_jhmdb_annotation(annotation)
    counts = [Count("sentences", annotation, len(queries), JHMDB_SENTENCES)]
    if frame_list is not None:
        listed = read_frame_list(frame_list)
        wanted = JHMDB_SENTENCES * FRAMES_PER_VIDEO
        counts.append(Count("evaluation frames", frame_list, len(listed), wanted))
        agree = sum(queries.get(item.video) == item.query for item in listed)
        counts.append(Count("frames with the video's sentence", frame_list, agree, wanted))
    require(counts)
    return counts


def require(counts: list[Count]) -> None:
    """Compare found and published.

    Raises:
        DatasetError: Naming every file that is not as published.
    """
    wrong = [
        f"{item.path} has {item.found} {item.what}, {item.published} are published"
        for item in counts
        if item.found != item.published
    ]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise DatasetError("; ".join(wrong[:5]) + more + "; download the dataset again")
