"""Clips as a network reads them, decoded, resized and with their flow, once and for all.

Reading a video, resizing its frames and estimating their flow takes as long as a training step of
a small network. What was made once lies on the disk as NumPy arrays, which later passes map into
memory:

    ROOT/frames-SETTINGS/CLIP.npy  (T, S, S, 3) uint8
    ROOT/flow-SETTINGS/CLIP.npy    (T, S, S, 2) float16 [px]
    ROOT/masks/MASK.npy            (H, W) bool, at the video's own size

SETTINGS is a digest of what the arrays depend on beside the video, CLIP one of the video file and
the frame, MASK one of the annotation, too, so that a file is never taken for what it is not. Old
folders can be deleted at any time.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import ModelConfig
from actseg_core.datasets.samples import Sample, SentenceDataset
from actseg_core.errors import DatasetError

VERSION = 1  # raise it when clips are prepared differently
DIGEST_DIGITS = 16

Make = Callable[[], NDArray[Any]]


class KeptClips:
    """The arrays of the clips of one model configuration below a folder.

    Args:
        root: For all settings; made when the first array is kept.
        config: Frames, label frame, size, and the settings of the flow.
    """

    def __init__(self, root: Path, config: ModelConfig) -> None:
        seen = config.model_dump(mode="json", include={"frames", "label_frame", "size"})
        flow = seen | {"flow": config.flow.model_dump(mode="json")}
        self._frames = root / f"frames-{_digest(seen)}"
        self._flow = root / f"flow-{_digest(flow)}"
        self._masks = root / "masks"

    def frames(self, key: str, make: Make) -> NDArray[np.uint8]:
        """(T, S, S, 3) uint8 of a clip, made now if they are not kept yet.

        Args:
            key: As `clip_key` gives it.
            make: Gives them.

        Raises:
            DatasetError: If the file is damaged or cannot be written.
        """
        return np.asarray(_kept(self._frames / f"{key}.npy", make, np.uint8))

    def flow(self, key: str, make: Make) -> NDArray[np.float32]:
        """(T, S, S, 2) float32 [px] of a clip, rounded to float16; otherwise as `frames`."""
        return _kept(self._flow / f"{key}.npy", make, np.float16).astype(np.float32)

    def mask(self, key: str, make: Make) -> NDArray[np.bool_]:
        """(H, W) bool of a sample, its key that of `mask_key`; otherwise as `frames`."""
        return np.asarray(_kept(self._masks / f"{key}.npy", make, np.bool_))


def _kept(path: Path, make: Make, kind: type[np.generic]) -> NDArray[Any]:
    if not path.is_file():
        _write(path, np.ascontiguousarray(make(), kind))
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"the kept clip {path} is damaged ({error}); delete the file and start again: it is "
            "made anew"
        ) from error
    return found


def _write(path: Path, values: NDArray[Any]) -> None:
    """Several processes may write the same clip; each beside its place first."""
    partial = path.with_name(f"{path.stem}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                np.save(file, values, allow_pickle=False)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(
            f"cannot keep the clip {path}: {error.strerror}; make room or give another folder"
        ) from error


def _digest(facts: dict[str, Any]) -> str:
    text = json.dumps(facts | {"version": VERSION}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


def clip_key(dataset: SentenceDataset, sample: Sample) -> str:
    """What tells a clip from all others: video file, frame, and how much of the video is used.

    A video file is known by its path, size and time of change.

    Raises:
        DatasetError: If the video is missing.
    """
    video = dataset.video(sample)
    facts = [*_file_facts(video), sample.frame, dataset.length(sample)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[: 2 * DIGEST_DIGITS]


def mask_key(dataset: SentenceDataset, sample: Sample) -> str:
    """What tells a sample's mask from all others: its clip, the annotation file, the instance.

    Raises:
        DatasetError: If the video or the annotation is missing.
    """
    annotation = Path(dataset.annotation(sample))
    facts = [clip_key(dataset, sample), *_file_facts(annotation), sample.instance]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[: 2 * DIGEST_DIGITS]


def _file_facts(place: Path) -> list[Any]:
    """Path of a file or folder, and name, size and time of change of every file in it."""
    try:
        files = sorted(place.glob("[!.]*")) if place.is_dir() else [place]
        stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    except OSError as error:
        raise DatasetError(f"cannot read {place}: {error}; is the download complete?") from error
    return [str(place.resolve()), stats]
