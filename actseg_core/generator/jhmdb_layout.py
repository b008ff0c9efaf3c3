"""J-HMDB Sentences' layout: numbered PNG frames, puppet masks over time, one sentence a video.

Rename_Images/<class>/<video>/<n>.png counting from 1, puppet_mask/<class>/<video>/puppet_mask.mat
with part_mask (H, W, T), jhmdb_annotation.txt, and jhmdb_sentences_frames.json, a list of frames
to evaluate on as MTTR and later papers publish one. The class is the referred actor's action. True
flow is an extra: flow/<class>/<video>/<n>.png leads from frame n to frame n+1.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from actseg_core.datasets.jhmdb_sentences import FRAME_LIST, FRAMES_PER_VIDEO
from actseg_core.generator.clip import ActorRecord, GeneratedClip
from actseg_core.generator.records import (
    VideoRecord,
    replacing_folder,
    write_flow,
    write_png,
    write_text,
)
from actseg_core.generator.settings import DatasetConfig


def referred_actor(clip: GeneratedClip) -> ActorRecord:
    """The actor that covers most pixels among those that can be named."""
    named = [actor for actor in clip.actors if actor.sentences] or list(clip.actors)
    return max(named, key=lambda actor: int((clip.instances == actor.instance_id).sum()))


def action_class(actor: ActorRecord) -> str:
    """Name of the class folder; "stand" for doing nothing."""
    name = actor.pair.action_name
    return "stand" if name == "none" else name


def write_video(root: Path, name: str, clip: GeneratedClip, config: DatasetConfig) -> None:
    """Write one video with the masks of its referred actor.

    Raises:
        DatasetError: If a picture cannot be written.
    """
    actor = referred_actor(clip)
    under = Path(action_class(actor)) / name
    with replacing_folder(root / "Rename_Images" / under) as folder:
        for t, frame in enumerate(clip.frames):
            write_png(folder / f"{t + 1:05d}.png", frame)
    mask = np.moveaxis(clip.masks(actor.instance_id), 0, 2).astype(np.uint8)
    with replacing_folder(root / "puppet_mask" / under) as folder:
        savemat(folder / "puppet_mask.mat", {"part_mask": mask}, do_compression=True)
    if config.flow != "none":
        with replacing_folder(root / "flow" / under) as folder:
            for t, field in enumerate(clip.flow):
                write_flow(folder / f"{t + 1:05d}.png", field)


def queries(clip: GeneratedClip, config: DatasetConfig) -> list[tuple[int, str]]:
    """(instance id, sentence) of the referred actor."""
    actor = referred_actor(clip)
    return [(actor.instance_id, sentence) for sentence in actor.sentences[:1]]


def write_index(root: Path, records: Sequence[VideoRecord]) -> None:
    """Write jhmdb_annotation.txt and the list of evaluation frames over all videos."""
    rows = [f"{record.name},{item.query}" for record in records for item in record.queries]
    write_text(root / "jhmdb_annotation.txt", "\n".join(["video_id,query", *rows]) + "\n")
    listed = [entry for record in records for entry in _listed_frames(root, record)]
    write_text(root / FRAME_LIST, json.dumps(listed, indent=0) + "\n")


def _listed_frames(root: Path, record: VideoRecord) -> list[list[str | int]]:
    """Three random frames of a video, in the form and by the rule of MTTR's list."""
    (folder,) = (root / "Rename_Images").glob(f"*/{record.name}")
    under = f"{folder.parent.name}/{record.name}"
    rng = np.random.default_rng([record.seed, record.index])
    count = min(FRAMES_PER_VIDEO, record.frames)
    frames = sorted(rng.choice(record.frames, count, replace=False).tolist())
    mask = f"puppet_mask/{under}/puppet_mask.mat"
    return [
        [record.name, f"Rename_Images/{under}/{t + 1:05d}.png", mask, record.frames, item.query]
        for item in record.queries
        for t in frames
    ]
