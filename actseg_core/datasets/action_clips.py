"""Clips cut out around one actor each, for learning to classify what it is and does."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.clips import load_clip
from actseg_core.datasets.loading import Batch, ClipDataset, Draw
from actseg_core.datasets.samples import sample_rng
from actseg_core.errors import ConfigError
from actseg_core.image import resize_and_pad

JITTER = 0.2
"""The cut-out square is moved by up to this share of its side."""


class ActionClips(ClipDataset):
    """One sample per actor-action pair in an annotated frame: a square around those pixels.

    `Batch.samples[i].instance` is the A2D id of what is shown; masks are cut out alike, and there
    are no words.

    Args:
        dataset: Label maps say where which pair is.
        config: Frames, size to which videos are resized and padded, streams, flow.
        crop_px: Side of the cut-out square at that size [px].
        random: Whether squares are moved and clips mirrored, with random numbers of their own per
            sample and epoch; otherwise squares are centred.
        seed: Of these random numbers.

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
    ) -> None:
        super().__init__(dataset, config, seed=seed)
        if crop_px > config.size:
            raise ConfigError(
                f"a crop of {crop_px} px does not fit into frames of {config.size} px; "
                "set crop_px to at most size"
            )
        self._crop = crop_px
        self._random = random

    def __getitem__(self, draw: int | Draw) -> Batch:
        """One sample, of epoch 0 or of the given epoch.

        Raises:
            ActSegError: If it cannot be read.
        """
        epoch, index = draw if isinstance(draw, tuple) else (0, draw)
        item = load_clip(self.dataset, self.dataset.samples[index], self.config, self._pool)
        whole = self.answer(item.sample, item.mask)
        inside = whole.masks[0].numpy()
        rng = sample_rng(self.seed, epoch, index) if self._random else None
        top, left = square_around(inside, self._crop, rng)
        window = (slice(top, top + self._crop), slice(left, left + self._crop))
        frames = np.stack(
            [resize_and_pad(image, self.config.size)[0][window] for image in item.clip.rgb]
        )
        mask = inside[window]
        if rng is not None and rng.random() < 0.5:
            frames, mask = frames[:, :, ::-1], mask[:, ::-1]
        frames = np.ascontiguousarray(frames)
        return replace(
            whole,
            frames=torch.from_numpy(frames)[None],
            flow=self._flow(frames),
            masks=torch.from_numpy(np.ascontiguousarray(mask))[None],
        )


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
