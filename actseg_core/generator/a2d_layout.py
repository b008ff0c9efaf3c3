"""A2D Sentences' layout, quirk for quirk.

Release/videoset.csv, Release/clips320H/<video>.mp4, Release/Annotations/{mat,col}/<video>/<n>.*,
text_annotations/a2d_annotation.txt, a2d_missed_videos.txt and
a2d_annotation_with_instances/<video>/<n>.h5. Frame numbers count from 1, arrays lie transposed as
MATLAB leaves them, and the instance axis is missing where there is one instance only. True flow
is an extra: Release/Flow/<video>/<n>.png leads from frame n to frame n+1.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.a2d_pairs import paint
from actseg_core.generator.clip import ActorRecord, GeneratedClip
from actseg_core.generator.records import (
    VideoRecord,
    replacing_folder,
    write_flow,
    write_png,
    write_text,
)
from actseg_core.generator.settings import DatasetConfig
from actseg_core.video.writer import VideoWriter

MATLAB_HEADER = b"MATLAB 7.3 MAT-file, written by actseg".ljust(124) + b"\x00\x02IM"


def write_video(root: Path, name: str, clip: GeneratedClip, config: DatasetConfig) -> None:
    """Write one video with its annotation; each file or folder appears only when complete.

    Raises:
        VideoError: If the video cannot be written.
        DatasetError: If a picture cannot be written.
    """
    release = root / "Release"
    clips = release / "clips320H"
    clips.mkdir(parents=True, exist_ok=True)
    with VideoWriter(clips / f"{name}.mp4", config.fps, crf=config.crf) as writer:
        for frame in clip.frames:
            writer.write(frame)
    numbers = annotated_frames(clip, config.annotated_frames)
    instances = root / "text_annotations" / "a2d_annotation_with_instances" / name
    with (
        replacing_folder(release / "Annotations" / "mat" / name) as mat,
        replacing_folder(release / "Annotations" / "col" / name) as col,
        replacing_folder(instances) as with_instances,
    ):
        for t in numbers:
            present = actors_in(clip, t)
            labels = label_map(clip, t)
            _write_masks(with_instances / f"{t + 1:05d}.h5", clip, t, present, labels, False)
            _write_masks(mat / f"{t + 1:05d}.mat", clip, t, present, labels, True)
            write_png(col / f"{t + 1:05d}.png", paint(labels))
    _write_flow(release / "Flow" / name, clip, numbers, config)


def _write_flow(
    place: Path, clip: GeneratedClip, numbers: Sequence[int], config: DatasetConfig
) -> None:
    if config.flow == "none":
        shutil.rmtree(place, ignore_errors=True)
        return
    wanted = range(len(clip)) if config.flow == "all" else numbers
    with replacing_folder(place) as folder:
        for t in wanted:
            if t < len(clip.flow):
                write_flow(folder / f"{t + 1:05d}.png", clip.flow[t])


def annotated_frames(clip: GeneratedClip, count: int) -> list[int]:
    """0-based numbers of up to `count` frames, evenly spread over those that show an actor."""
    shown = sorted({t for actor in clip.actors for t in actor.visible_frames})
    if not shown:
        return []
    count = min(count, len(shown))
    places = (np.arange(count) + 0.5) * len(shown) / count
    return [shown[int(place)] for place in places.tolist()]


def actors_in(clip: GeneratedClip, t: int) -> list[ActorRecord]:
    """The actors that can be seen in a frame."""
    return [actor for actor in clip.actors if t in actor.visible_frames]


def label_map(clip: GeneratedClip, t: int) -> NDArray[np.uint8]:
    """(H, W) uint8 of A2D labels, 0 = background."""
    table = np.zeros(256, np.uint8)
    for actor in actors_in(clip, t):
        table[actor.instance_id] = actor.pair.label
    return np.asarray(table[clip.instances[t]], np.uint8)


def _write_masks(
    place: Path,
    clip: GeneratedClip,
    t: int,
    present: Sequence[ActorRecord],
    labels: NDArray[np.uint8],
    matlab: bool,
) -> None:
    """One annotated frame as HDF5; MATLAB 7.3 files are HDF5 behind a 512-byte header."""
    masks = [(clip.instances[t] == actor.instance_id).T.astype(np.uint8) for actor in present]
    boxes = [cv2.boundingRect(np.ascontiguousarray(mask.T)) for mask in masks]
    corners = np.array([(x, y, x + w - 1, y + h - 1) for x, y, w, h in boxes], np.float64)
    stack = np.stack(masks) if masks else np.zeros((0, *labels.T.shape), np.uint8)
    with h5py.File(place, "w", userblock_size=512 if matlab else 0) as file:
        options = {"compression": "gzip", "compression_opts": 3} if stack.size else {}
        file.create_dataset("reMask", data=stack[0] if len(stack) == 1 else stack, **options)
        file.create_dataset("reBBox", data=corners.reshape(-1, 4).T)
        file.create_dataset("reS_id", data=labels.T, compression="gzip", compression_opts=3)
        if not matlab:
            ids = [actor.instance_id - 1 for actor in present]
            file.create_dataset("instance", data=np.array(ids, np.int64))
    if matlab:
        with place.open("r+b") as raw:
            raw.write(MATLAB_HEADER)


def write_index(root: Path, records: Sequence[VideoRecord]) -> None:
    """Write videoset.csv, a2d_annotation.txt and a2d_missed_videos.txt over all videos."""
    videoset, rows = [], ["video_id,instance_id,query"]
    for record in records:
        seconds = round(record.frames / record.fps)
        ends = f"00:00:00,00:{seconds // 60:02d}:{seconds % 60:02d}"
        size = f"{record.height},{record.width},{record.frames},{record.annotated}"
        videoset.append(f"{record.name},{record.label},{ends},{size},{record.split}")
        rows += [f"{record.name},{item.instance_id - 1},{item.query}" for item in record.queries]
    missed = [record.name for record in records if not record.queries]
    write_text(root / "Release" / "videoset.csv", "\n".join(videoset) + "\n")
    texts = root / "text_annotations"
    write_text(texts / "a2d_annotation.txt", "\n".join(rows) + "\n")
    write_text(texts / "a2d_missed_videos.txt", "\n".join(missed))


def queries(clip: GeneratedClip, config: DatasetConfig) -> list[tuple[int, str]]:
    """(instance id, sentence) of every actor that is seen in an annotated frame."""
    numbers = annotated_frames(clip, config.annotated_frames)
    return [
        (actor.instance_id, actor.sentences[0])
        for actor in clip.actors
        if actor.sentences and any(t in actor.visible_frames for t in numbers)
    ]
