"""What the generator knows of a written video, one JSON file each, written last; whole files."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError
from actseg_core.generator.clip import ActorRecord, GeneratedClip

FLOW_SCALE, FLOW_ZERO = 64.0, 32768.0


@contextmanager
def replacing_folder(place: Path) -> Iterator[Path]:
    """A folder to write into that takes its place when the block ends without an exception."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        shutil.rmtree(place, ignore_errors=True)
        part.replace(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_text(place: Path, text: str) -> None:
    """Write a text file beside its place, then rename it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    part.write_text(text)
    part.replace(place)


def write_png(place: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write a PNG; colour images are given as RGB.

    Raises:
        DatasetError: If the disk does not take it.
    """
    bgr = image[..., ::-1] if image.ndim == 3 else image
    if not cv2.imwrite(str(place), np.ascontiguousarray(bgr), [cv2.IMWRITE_PNG_COMPRESSION, 3]):
        raise DatasetError(f"cannot write {place}; is the disk full or read-only?")


def write_flow(place: Path, flow: NDArray[np.float32]) -> None:
    """Write a flow field as KITTI does: 16-bit PNG of 64 u + 2^15, 64 v + 2^15, valid.

    Args:
        place: Of the .png file.
        flow: (H, W, 2) float32 [px]; beyond +-512 px a pixel is marked invalid.
    """
    coded = np.rint(flow.astype(np.float64) * FLOW_SCALE + FLOW_ZERO)
    valid = ((coded >= 0) & (coded <= 65535)).all(axis=2)
    clipped = np.clip(coded, 0, 65535).astype(np.uint16)
    write_png(place, np.dstack([clipped, valid.astype(np.uint16)]))


def read_flow(place: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read what `write_flow` or KITTI wrote: (H, W, 2) float32 [px] and (H, W) bool validity.

    Raises:
        DatasetError: If there is no such picture.
    """
    image = cv2.imread(str(place), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16 or image.ndim != 3:
        raise DatasetError(f"{place} is no 16-bit flow PNG; was it written by actseg or KITTI?")
    flow = (image[..., :0:-1].astype(np.float32) - FLOW_ZERO) / FLOW_SCALE
    return flow.astype(np.float32), np.asarray(image[..., 0] > 0)


@dataclass(frozen=True)
class Query:
    """A sentence about an instance (id from 1)."""

    instance_id: int
    query: str


@dataclass(frozen=True)
class VideoRecord:
    """A written video.

    Attributes:
        name: Video id.
        index: Its place in the data set.
        seed: Of the clip.
        label: A2D label of the actor that covers most pixels.
        height: Of its frames [px].
        width: Of its frames [px].
        frames: Number of frames.
        fps: Frames per second.
        annotated: Number of annotated frames.
        split: 0 train, 1 test.
        background: Kind of place.
        queries: Its sentences.
        distractors: Kind and text of sentences that are false of everyone in it.
        actors: All that is known of its actors.
    """

    name: str
    index: int
    seed: int
    label: int
    height: int
    width: int
    frames: int
    fps: float
    annotated: int
    split: int
    background: str
    queries: tuple[Query, ...]
    distractors: tuple[tuple[str, str], ...]
    actors: tuple[dict[str, Any], ...]

    def write(self, folder: Path) -> None:
        """Write it as JSON; its presence says that the video is complete."""
        write_text(folder / f"{self.name}.json", json.dumps(asdict(self), indent=1) + "\n")


def read_record(path: Path) -> VideoRecord:
    """Read a record.

    Raises:
        DatasetError: If it is damaged.
    """
    try:
        content = json.loads(path.read_text())
        content["queries"] = tuple(Query(**item) for item in content["queries"])
        content["distractors"] = tuple(tuple(item) for item in content["distractors"])
        content["actors"] = tuple(content["actors"])
        return VideoRecord(**content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path} is damaged ({error}); delete it and generate again: its video is remade"
        ) from None


def actor_facts(clip: GeneratedClip, actor: ActorRecord) -> dict[str, Any]:
    """All that is known of an actor, as plain values, with its boxes per frame."""
    facts = asdict(actor)
    facts["pair"] = actor.pair.label
    facts["boxes"] = clip.boxes(actor.instance_id).tolist()
    return facts
