"""Batches for training and evaluation, the same whatever the number of worker processes."""

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.context import BaseContext
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from typing_extensions import Self

from actseg_core.config import ModelConfig, Stream
from actseg_core.datasets.clips import LabelledClip, load_clip
from actseg_core.datasets.samples import Sample, SentenceDataset
from actseg_core.errors import ActSegError
from actseg_core.flow import FlowEstimator, make_estimator
from actseg_core.flow.field import clip_flow
from actseg_core.image import Placement, resize_and_pad
from actseg_core.networks.tensors import flow_input, network_input
from actseg_core.text.sentence import SentenceReader
from actseg_core.video.reader import ReaderPool

Draw = tuple[int, int]  # epoch, index of the sample


@dataclass(frozen=True, eq=False)
class Batch:
    """B samples as the network reads them, and what the evaluation needs beside.

    Attributes:
        frames: (B, T, S, S, 3) uint8, resized and padded RGB; empty where `frozen` stands for it.
        flow: (B, T, S, S, 2) float32 [px] between them; None if no stream reads flow.
        masks: (B, S, S) bool, the referred actor at the network's size.
        words: (B, L, D) float32 word vectors; None without a sentence reader.
        samples: Sentences and where they come from.
        placements: Where each image lies in its square.
        truths: (H, W) bool masks at the videos' own sizes.
        errors: Of the samples that could not be read and are not in the batch.
        frozen: Per stream the kept output (B, ...) float16 of the network's frozen layers, in
            place of frames and flow (training/features.py); empty without such a cache.
    """

    frames: Tensor
    flow: Tensor | None
    masks: Tensor
    words: Tensor | None
    samples: tuple[Sample, ...]
    placements: tuple[Placement, ...]
    truths: tuple[NDArray[np.bool_], ...]
    errors: tuple[ActSegError, ...] = ()
    frozen: Mapping[Stream, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.samples)

    def to(self, device: torch.device | str) -> Self:
        """The same batch with its tensors on a device."""
        moved = {
            name: None if tensor is None else tensor.to(device, non_blocking=True)
            for name, tensor in self._tensors().items()
        }
        frozen = {name: item.to(device, non_blocking=True) for name, item in self.frozen.items()}
        return replace(self, **moved, frozen=frozen)  # type: ignore[arg-type]

    def pin_memory(self) -> Self:
        """Called by the loader before a copy to a GPU."""
        pinned = {
            name: None if tensor is None else tensor.pin_memory()
            for name, tensor in self._tensors().items()
        }
        frozen = {name: item.pin_memory() for name, item in self.frozen.items()}
        return replace(self, **pinned, frozen=frozen)  # type: ignore[arg-type]

    def _tensors(self) -> dict[str, Tensor | None]:
        return {
            "frames": self.frames,
            "flow": self.flow,
            "masks": self.masks,
            "words": self.words,
        }

    def inputs(self, config: ModelConfig) -> dict[Stream, Tensor]:
        """Network inputs per stream: (B, C, T, S, S) float32 in [-1, 1]."""
        inputs: dict[Stream, Tensor] = {}
        if "rgb" in config.streams:
            inputs["rgb"] = network_input(self.frames)
        if "flow" in config.streams and self.flow is not None:
            inputs["flow"] = flow_input(self.flow, config.flow.clip_px)
        return inputs


class ClipDataset(Dataset[Batch]):
    """Samples of a reader as batches of one.

    Args:
        dataset: Any reader.
        config: The model's: frames, size, streams, flow.
        reader: Looks words up; None leaves `Batch.words` empty.
        seed: Of what is random in a subclass; here nothing is, as in the paper.
        open_videos: Most videos that one process keeps open.
    """

    def __init__(
        self,
        dataset: SentenceDataset,
        config: ModelConfig,
        *,
        reader: SentenceReader | None = None,
        seed: int = 0,
        open_videos: int = 8,
    ) -> None:
        self.dataset = dataset
        self.config = config
        self.reader = reader
        self.seed = seed
        self._pool = ReaderPool(open_videos)
        self._estimator: FlowEstimator | None = None

    def __len__(self) -> int:
        return len(self.dataset.samples)

    def __getitem__(self, draw: int | Draw) -> Batch:
        """One sample; it is the same in every epoch.

        Raises:
            ActSegError: If it cannot be read.
        """
        _, index = draw if isinstance(draw, tuple) else (0, draw)
        return self._prepare(
            load_clip(self.dataset, self.dataset.samples[index], self.config, self._pool)
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_estimator": None}  # OpenCV's objects cannot be copied

    def _prepare(self, item: LabelledClip) -> Batch:
        frames = np.stack([resize_and_pad(image, self.config.size)[0] for image in item.clip.rgb])
        answer = self.answer(item.sample, item.mask)
        return replace(answer, frames=torch.from_numpy(frames)[None], flow=self._flow(frames))

    def answer(self, sample: Sample, mask: NDArray[np.bool_]) -> Batch:
        """The sentence and its mask (H, W) as a batch of one without pixels."""
        # Majority of area: a cell is inside where more than half of it is.
        square, placement = resize_and_pad(mask.astype(np.uint8) * 255, self.config.size)
        words = None
        if self.reader is not None:
            words = torch.from_numpy(self.reader.read(sample.sentence).vectors)[None]
        return Batch(
            frames=torch.empty(1, 0, dtype=torch.uint8),
            flow=None,
            masks=torch.from_numpy(square > 127)[None],
            words=words,
            samples=(sample,),
            placements=(placement,),
            truths=(mask,),
        )

    def _flow(self, frames: NDArray[np.uint8]) -> Tensor | None:
        if "flow" not in self.config.streams:
            return None
        if self._estimator is None:
            self._estimator = make_estimator(self.config.flow)
        return torch.from_numpy(clip_flow(frames, self._estimator))[None]


class _Guarded(Dataset["Batch | ActSegError"]):
    """Hands errors on as values: raised in a worker they would arrive with its traceback."""

    def __init__(self, dataset: ClipDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, draw: Draw) -> Batch | ActSegError:
        try:
            return self._dataset[draw]
        except ActSegError as error:
            return error


class ClipLoader:
    """Iterates over batches; damaged samples raise here, or are counted in `dataset.bad`.

    With workers, the dataset must be picklable, and a script must start behind
    `if __name__ == "__main__":`.

    Args:
        clips: What to load.
        batch_size: Samples per batch; the last one, and one with damaged samples, is smaller.
        sampler: The order, with a length; None: as the samples are listed.
        workers: Processes that read; 0 reads in this one.
        drop_last: Leave an incomplete last batch out.
        pin_memory: For copies to a GPU.
    """

    def __init__(
        self,
        clips: ClipDataset,
        batch_size: int,
        *,
        sampler: Iterable[Draw] | None = None,
        workers: int = 0,
        drop_last: bool = False,
        pin_memory: bool = False,
    ) -> None:
        self.clips = clips
        self._loader: DataLoader[Any] = DataLoader(
            _Guarded(clips),
            batch_size,
            sampler=[(0, index) for index in range(len(clips))] if sampler is None else sampler,
            num_workers=workers,
            collate_fn=collate,
            drop_last=drop_last,
            pin_memory=pin_memory,
            worker_init_fn=one_thread,
            persistent_workers=workers > 0,
            multiprocessing_context=clean_processes() if workers else None,
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._loader:
            for error in batch.errors:
                if not self.clips.dataset.bad.skip:
                    raise error
                self.clips.dataset.bad.add(str(error))
            if len(batch):
                yield batch


def clean_processes() -> BaseContext:
    """How workers start: never forked from this process.

    OpenCV's threads do not survive a fork: the first flow field in the worker would wait for them
    forever. Workers are forked from a clean process that has the imports done.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def one_thread(_: int) -> None:
    """For `worker_init_fn`: processes already use all cores."""
    cv2.setNumThreads(1)


def collate(items: Sequence[Batch | ActSegError]) -> Batch:
    """Batches of one, and errors, as one batch; without any good sample its tensors are empty."""
    errors = tuple(item for item in items if isinstance(item, ActSegError))
    good = [item for item in items if isinstance(item, Batch)]
    if not good:
        nothing = torch.empty(0)
        return Batch(nothing, None, nothing, None, (), (), (), errors)
    return Batch(
        frames=torch.cat([item.frames for item in good]),
        flow=_cat([item.flow for item in good]),
        masks=torch.cat([item.masks for item in good]),
        words=_cat([item.words for item in good]),
        samples=tuple(sample for item in good for sample in item.samples),
        placements=tuple(place for item in good for place in item.placements),
        truths=tuple(truth for item in good for truth in item.truths),
        errors=errors,
        frozen={name: torch.cat([item.frozen[name] for item in good]) for name in good[0].frozen},
    )


def _cat(tensors: Sequence[Tensor | None]) -> Tensor | None:
    present = [tensor for tensor in tensors if tensor is not None]
    return torch.cat(present) if present else None
