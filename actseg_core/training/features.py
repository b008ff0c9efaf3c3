"""Kept outputs of the frozen layers, so that a clip runs through them once and not in every step.

In the paper everything before Mixed_4f is frozen: with kept features a training step costs one
inception block and the decoder. `cached_dataset` gives the same samples as its `ClipDataset` with
`Batch.frozen` in place of pixels; training goes on from there:

    frozen = batch.frozen["rgb"]  # (B, C, T/4, S/16, S/16) float16
    features = model.stream("rgb").encode_from_frozen(frozen)  # what `encode` makes of the clip

On disk: ROOT/STREAM-WEIGHTS/CLIP.safetensors, one file per stream and clip, shared by all
sentences about the clip and by all runs whose frozen weights and clip settings are the same.
WEIGHTS is a digest of those, CLIP one of the video file and the frame, so that a file is never
taken for what it is not; what is no longer asked for can be deleted at any time.
"""

import fcntl
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from actseg_core.checkpoints.tensor_file import write_tensors
from actseg_core.config import ModelConfig, Stream
from actseg_core.datasets.clips import load_mask
from actseg_core.datasets.kept_clips import DIGEST_DIGITS, clip_key
from actseg_core.datasets.loading import Batch, ClipDataset, ClipLoader, Draw
from actseg_core.datasets.samples import Part, Sample, SentenceDataset
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.networks.two_stream import Network

logger = logging.getLogger(__name__)
VERSION = 2  # raise it when clips are prepared or layers computed differently
TENSOR = "frozen"
SPARE_BYTES = 200_000_000
"""Room that is left on the disk for checkpoints and logs."""
Announce = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FeatureStore:
    """The kept features of one stream.

    Attributes:
        folder: Where they lie; its name says of which weights and settings they are.
    """

    folder: Path

    def path(self, key: str) -> Path:
        """The file of a clip."""
        return self.folder / f"{key}.safetensors"

    def write(self, key: str, features: Tensor, height: int, width: int) -> None:
        """Keep the features of one clip.

        Args:
            key: As `clip_key` gives it.
            features: (1, ...) float.
            height: Of the video's frames [px].
            width: Of the video's frames [px].

        Raises:
            DatasetError: If they do not fit into float16.
            CheckpointError: If the file cannot be written.
        """
        kept = features.detach().to("cpu", torch.float16).contiguous()
        if not torch.isfinite(kept).all():
            raise DatasetError(
                "the output of the frozen layers is beyond float16 (65504) or not a number; "
                "train without the feature cache, or give other pretrained weights"
            )
        write_tensors(self.path(key), {TENSOR: kept}, {"height": str(height), "width": str(width)})

    def read(self, key: str) -> tuple[Tensor, int, int]:
        """Features (1, ...) float16 of a clip, height and width of its video's frames [px].

        Raises:
            DatasetError: If the file is missing or damaged.
        """
        path = self.path(key)
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata()
                return file.get_tensor(TENSOR), int(facts["height"]), int(facts["width"])
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                f"the kept features {path} are missing or damaged ({error}); delete the file if "
                "there is one and start again: it is computed anew"
            ) from error


class FrozenDataset(ClipDataset):
    """The samples of a `ClipDataset` with kept features in place of pixels.

    Args:
        clips: Samples, sentences and masks.
        stores: Kept features of every stream.
    """

    def __init__(self, clips: ClipDataset, stores: Mapping[Stream, FeatureStore]) -> None:
        super().__init__(clips.dataset, clips.config, reader=clips.reader, seed=clips.seed)
        self.stores = dict(stores)

    def __getitem__(self, draw: int | Draw) -> Batch:
        """One sample; the epoch changes nothing.

        Raises:
            ActSegError: If its features or its mask cannot be read.
        """
        index = draw[1] if isinstance(draw, tuple) else draw
        sample = self.dataset.samples[index]
        key = clip_key(self.dataset, sample)
        frozen: dict[Stream, Tensor] = {}
        for stream, store in self.stores.items():
            frozen[stream], height, width = store.read(key)
        mask = load_mask(self.dataset, sample, (height, width), self._pool)
        return replace(self.answer(sample, mask), frozen=frozen)


def cached_dataset(
    clips: ClipDataset,
    model: Network,
    root: Path,
    *,
    batch_size: int = 4,
    workers: int = 0,
    announce: Announce = logger.info,
    progress: Progress | None = None,
) -> FrozenDataset:
    """The same samples with kept features; what is not kept yet is computed first.

    Interrupted at any moment, it goes on with the next clip. Several processes may ask for the
    same features: one computes, the others wait.

    Args:
        clips: Samples; without augmentation, which would change the clips.
        model: With its pretrained weights; where it runs, the features are computed.
        root: Folder for all caches.
        batch_size: Clips that are computed together.
        workers: Processes that read clips while features are computed.
        announce: Told, before it starts, what will be computed and how large it gets.
        progress: Called with (clips done, clips wanted), stream after stream.

    Raises:
        ConfigError: If a stream has no frozen layer.
        DatasetError: If the disk has too little room, or a clip cannot be read and the dataset
            does not skip bad ones.
        CheckpointError: If a file cannot be written.
    """
    stores = {stream: open_store(model, stream, root) for stream in model.config.streams}
    for stream, store in stores.items():
        with _alone(store.folder):
            missing = _missing(clips.dataset, store)
            if missing:
                filler = _Filler(model, stream, store, announce, progress)
                filler.fill(Part(clips.dataset, missing), batch_size, workers)
    return FrozenDataset(clips, stores)


def open_store(model: Network, stream: Stream, root: Path) -> FeatureStore:
    """The store of a stream's frozen weights and clip settings, its folder made.

    Raises:
        ConfigError: If the stream has no frozen layer.
        DatasetError: If the folder cannot be made.
    """
    state = model.stream(stream).frozen_state()
    if not state:
        raise ConfigError(
            f"every layer of {model.config.name}'s {stream} stream trains, so there is nothing to "
            "keep; set cache_features: false, or freeze layers (video.trainable: last_block)"
        )
    folder = root / f"{stream}-{_digest(model.config, stream, state)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"cannot make the folder {folder} for features: {error}") from error
    return FeatureStore(folder)


def _digest(config: ModelConfig, stream: Stream, state: Mapping[str, Tensor]) -> str:
    """Of the frozen weights and of all settings that clips and layers depend on."""
    settings = config.model_dump(mode="json", include={"kind", "frames", "label_frame", "size"})
    if stream == "flow":
        settings["flow"] = config.flow.model_dump(mode="json")
    facts = {"version": VERSION, "stream": stream, "settings": settings, "names": sorted(state)}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:DIGEST_DIGITS]


def _missing(dataset: SentenceDataset, store: FeatureStore) -> list[Sample]:
    """One sample of every clip that is not kept yet, in the order of the dataset."""
    first: dict[str, Sample] = {}
    for sample in dataset.samples:
        with dataset.bad.tolerated():
            first.setdefault(clip_key(dataset, sample), sample)
    return [sample for key, sample in first.items() if not store.path(key).is_file()]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time, also if it is killed."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class _Filler:
    """Computes and writes the features of one stream."""

    model: Network
    stream: Stream
    store: FeatureStore
    announce: Announce
    progress: Progress | None

    def fill(self, part: Part, batch_size: int, workers: int) -> None:
        config = self.model.config.model_copy(update={"streams": (self.stream,)})
        device = next(self.model.parameters()).device
        done, wanted = 0, len(part.samples)
        for batch in ClipLoader(ClipDataset(part, config), batch_size, workers=workers):
            clip = batch.inputs(config)[self.stream].to(device)
            with torch.no_grad(), torch.autocast(device.type, enabled=False):
                features = self.model.stream(self.stream).encode_frozen(clip)
            if not done:
                self._check_room(wanted, features[0].numel() * torch.float16.itemsize)
            for index, sample in enumerate(batch.samples):
                height, width = batch.truths[index].shape
                key = clip_key(part, sample)
                self.store.write(key, features[index : index + 1], height, width)
            done += len(batch)
            if self.progress:
                self.progress(done, wanted)

    def _check_room(self, clips: int, bytes_each: int) -> None:
        needed, free = clips * bytes_each, shutil.disk_usage(self.store.folder).free
        self.announce(
            f"{self.stream}: the frozen layers are computed for {clips} clips and kept in "
            f"{self.store.folder}, {_gigabytes(needed)} (free: {_gigabytes(free)})"
        )
        if needed + SPARE_BYTES > free:
            raise DatasetError(
                f"the features of {clips} clips need {_gigabytes(needed)} in {self.store.folder} "
                f"and {_gigabytes(SPARE_BYTES)} to spare, but {_gigabytes(free)} are free; make "
                "room, give another folder, or set cache_features: false"
            )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count >= 1e8 else f"{count / 1e6:.3g} MB"
