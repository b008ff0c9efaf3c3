"""Clips cut out around one actor each, for learning to classify what it is and does."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.clips import load_clip, load_mask
from actseg_core.datasets.kept_clips import KeptClips, clip_key, mask_key
from actseg_core.datasets.loading import Batch, ClipDataset, Draw
from actseg_core.datasets.pair_clips import crop, flip
from actseg_core.datasets.samples import Sample, sample_rng
from actseg_core.errors import ConfigError
from actseg_core.image import resize_and_pad
from actseg_core.types import Clip

JITTER = 0.2
"""The cut-out square is moved by up to this share of its side."""


class ActionClips(ClipDataset):
    """One sample per actor-action pair in an annotated frame: a square around those pixels.

    `Batch.samples[i].instance` is the A2D id of what is shown; masks are cut out alike, and there
    are no words. The flow is that of the whole frames, as a network sees it that is asked later.

    Args:
        dataset: Label maps say where which pair is.
        config: Frames, size to which videos are resized and padded, streams, flow.
        crop_px: Side of the cut-out square at that size [px].
        random: Whether squares are moved and clips mirrored, with random numbers of their own per
            sample and epoch; otherwise squares are centred.
        seed: Of these random numbers.
        kept: Where clips are kept once they were prepared; None: prepared each time.

    Raises:
        ConfigError: If the square does not fit into the frames.
    """

    def __init__(
        self,
        dataset: A2DPairs,
        config: ModelConfig,
        crop_px: int,
        *,
        random: bool = False,
        seed: int = 0,
        kept: KeptClips | None = None,
    ) -> None:
        super().__init__(dataset, config, seed=seed)
        if crop_px > config.size:
            raise ConfigError(
                f"a crop of {crop_px} px does not fit into frames of {config.size} px; "
                "set crop_px to at most size"
            )
        self._crop = crop_px
        self._random = random
        self._kept = kept

    def __getitem__(self, draw: int | Draw) -> Batch:
        """One sample, of epoch 0 or of the given epoch.

        Raises:
            ActSegError: If it cannot be read.
        """
        epoch, index = draw if isinstance(draw, tuple) else (0, draw)
        sample = self.dataset.samples[index]
        frames, flow = self._prepared(sample)
        whole = self.answer(sample, self._mask(sample))
        inside = whole.masks[0].numpy()
        rng = sample_rng(self.seed, epoch, index) if self._random else None
        top, left = square_around(inside, self._crop, rng)
        clip = crop(Clip(frames, flow), top, left, self._crop)
        mask = inside[top : top + self._crop, left : left + self._crop]
        if rng is not None and rng.random() < 0.5:
            clip, mask = flip(clip), mask[:, ::-1]
        return replace(
            whole,
            frames=_batch_of_one(clip.rgb),
            flow=None if clip.flow is None else _batch_of_one(clip.flow),
            masks=_batch_of_one(mask),
        )

    def _mask(self, sample: Sample) -> NDArray[np.bool_]:
        """(H, W) bool at the video's own size."""

        def load() -> NDArray[np.bool_]:
            info = self._pool.get(self.dataset.video(sample)).info
            return load_mask(self.dataset, sample, (info.height, info.width), self._pool)

        if self._kept is None:
            return load()
        return self._kept.mask(mask_key(self.dataset, sample), load)

    def _prepared(self, sample: Sample) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
        """Whole frames (T, S, S, 3) uint8 and, where it is read, their flow (T, S, S, 2) [px]."""
        reads_flow = "flow" in self.config.streams
        if self._kept is None:
            frames = self._frames(sample)
            return frames, self._estimate(frames) if reads_flow else None
        key = clip_key(self.dataset, sample)
        frames = self._kept.frames(key, lambda: self._frames(sample))
        if not reads_flow:
            return frames, None
        return frames, self._kept.flow(key, lambda: self._estimate(frames))

    def _frames(self, sample: Sample) -> NDArray[np.uint8]:
        clip = load_clip(self.dataset, sample, self.config, self._pool).clip
        return np.stack([resize_and_pad(image, self.config.size)[0] for image in clip.rgb])

    def _estimate(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        flow = self._flow(np.ascontiguousarray(frames))
        assert flow is not None
        fields: NDArray[np.float32] = flow[0].numpy()
        return fields


def _batch_of_one(values: NDArray[Any]) -> Tensor:
    """With one more axis in front, in memory of its own; torch reads no mirrored strides."""
    return torch.from_numpy(np.array(values))[None]


def square_around(
    mask: NDArray[np.bool_], side: int, rng: np.random.Generator | None
) -> tuple[int, int]:
    """Row and column of the corner of a square [px] centred on a mask, inside the image.

    Args:
        mask: (S, S) bool; where it is empty, the square is that of the whole image.
        side: Of the square [px], at most S.
        rng: Moves the square at random; None: not.
    """
    inside = np.argwhere(mask if mask.any() else np.ones_like(mask))
    corner = (inside.min(axis=0) + inside.max(axis=0) + 1 - side) / 2
    if rng is not None:
        corner = corner + rng.uniform(-JITTER * side, JITTER * side, 2)
    top, left = np.rint(corner).astype(int).clip(0, mask.shape[0] - side).tolist()
    return top, left
