"""A whole data set: many clips, several processes, resumable."""

import json
import logging
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from actseg_core.errors import DatasetError
from actseg_core.generator import a2d_layout, jhmdb_layout
from actseg_core.generator.clip import GeneratedClip
from actseg_core.generator.generate import render_clip
from actseg_core.generator.records import (
    Query,
    VideoRecord,
    actor_facts,
    read_record,
    write_text,
)
from actseg_core.generator.settings import DatasetConfig, SceneConfig

logger = logging.getLogger(__name__)
LAYOUTS = {"a2d": a2d_layout, "jhmdb": jhmdb_layout}
SEEDS_PER_DATASET = 1_000_000
Progress = Callable[[int, int], None]


def generate_dataset(
    root: Path, config: DatasetConfig, *, workers: int = 1, progress: Progress | None = None
) -> list[VideoRecord]:
    """Write a data set, or finish one that was interrupted.

    Every video is made from its own seed, so neither the number of workers nor an interruption
    changes a byte of what is written. Complete videos are kept.

    Args:
        root: Folder to write to; made if missing.
        config: What to write.
        workers: Processes.
        progress: Called with (videos done, videos wanted) after each video.

    Returns:
        The records of all videos, in order.

    Raises:
        DatasetError: If the folder holds another data set, or cannot be written.
        ConfigError: If the scene settings leave no room for a scene.
        VideoError: If a video cannot be written.
    """
    _claim(root, config)
    missing = [i for i in range(config.videos) if not _record_path(root, i).exists()]
    done = config.videos - len(missing)
    if progress:
        progress(done, config.videos)
    for _ in _run(partial(make_video, root, config), missing, workers):
        done += 1
        if progress:
            progress(done, config.videos)
    records = [read_record(_record_path(root, i)) for i in range(config.videos)]
    LAYOUTS[config.layout].write_index(root, records)
    return records


def _run(make: Callable[[int], None], indices: list[int], workers: int) -> Iterator[None]:
    if workers <= 1 or len(indices) <= 1:
        yield from map(make, indices)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool:
        try:
            for future in as_completed([pool.submit(make, index) for index in indices]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_thread() -> None:
    """Processes already use all cores."""
    cv2.setNumThreads(1)


def make_video(root: Path, config: DatasetConfig, index: int) -> None:
    """Render and write one video of a data set; its record comes last."""
    split = split_of(index, config)
    scene = scene_of(split, config)
    clip = render_clip(config.seed * SEEDS_PER_DATASET + index, scene)
    layout = LAYOUTS[config.layout]
    layout.write_video(root, video_name(index), clip, config)
    _record(clip, index, split, config).write(root / "records")


def scene_of(split: int, config: DatasetConfig) -> SceneConfig:
    """What the clips of a split may contain; only that of test clips may differ."""
    if split == 0:
        return config.scene
    part = config.test_cutout_part or config.scene.cutout_part
    change = {"held_out_words": config.test_words, "cutout_part": part}
    return config.scene.model_copy(update=change)


def split_of(index: int, config: DatasetConfig) -> int:
    """0 train, 1 test; evenly spread over the indices."""
    share = 1.0 if config.layout == "jhmdb" else config.test_share
    return int(np.floor((index + 1) * share) - np.floor(index * share))


def video_name(index: int) -> str:
    """An id of 11 characters, as long as A2D's."""
    return f"gen{index:08d}"


def _record(clip: GeneratedClip, index: int, split: int, config: DatasetConfig) -> VideoRecord:
    areas = np.bincount(clip.instances.ravel(), minlength=len(clip.actors) + 1)
    main = clip.actors[int(areas[1:].argmax())]
    annotated = len(clip)
    if config.layout == "a2d":
        annotated = len(a2d_layout.annotated_frames(clip, config.annotated_frames))
    return VideoRecord(
        name=video_name(index),
        index=index,
        seed=clip.seed,
        label=main.pair.label,
        height=clip.frames.shape[1],
        width=clip.frames.shape[2],
        frames=len(clip),
        fps=config.fps,
        annotated=annotated,
        split=split,
        background=clip.background,
        queries=tuple(
            Query(instance_id, text)
            for instance_id, text in LAYOUTS[config.layout].queries(clip, config)
        ),
        distractors=tuple((item.kind, item.text) for item in clip.distractor_sentences),
        actors=tuple(actor_facts(clip, actor) for actor in clip.actors),
    )


def _record_path(root: Path, index: int) -> Path:
    return root / "records" / f"{video_name(index)}.json"


def _claim(root: Path, config: DatasetConfig) -> None:
    """Refuse a folder that holds another data set; only the number of videos may change."""
    place = root / "generator.json"
    wanted = config.model_dump(mode="json", exclude={"videos"})
    try:
        if place.exists():
            there = json.loads(place.read_text())
            _check_same(place, there, wanted)
            return
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise DatasetError(
                f"{root} is not empty and was not written by actseg generate; give another folder"
            )
        write_text(place, json.dumps(wanted, indent=1) + "\n")
    except (OSError, ValueError) as error:
        raise DatasetError(f"cannot use {root} for a data set: {error}") from None


def _check_same(place: Path, there: dict[str, object], wanted: dict[str, object]) -> None:
    differing = sorted(key for key in wanted if there.get(key) != wanted[key])
    if differing:
        raise DatasetError(
            f"{place} was made with other settings ({', '.join(differing)} differ); give another "
            "folder, or the same settings to go on with this one"
        )
