"""Which frames of a video make a clip, and a sample's frames and mask at the video's own size."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import ModelConfig
from actseg_core.datasets.samples import Sample, SentenceDataset
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.types import Clip
from actseg_core.video.reader import ReaderPool


def span(start: int, frames: int, length: int) -> list[int]:
    """Consecutive frame indices from `start`, the first and last frame repeated at the edges.

    Args:
        start: First index, may be negative.
        frames: Number of indices wanted.
        length: Frames of the video.

    Raises:
        ConfigError: If the video or the clip is empty.
    """
    if length < 1 or frames < 1:
        raise ConfigError(
            f"a clip needs at least one frame of a video with at least one, got {frames} frames "
            f"of a video with {length}"
        )
    return [min(max(index, 0), length - 1) for index in range(start, start + frames)]


def clip_indices(target: int, length: int, config: ModelConfig) -> list[int]:
    """The clip around the frame that the mask belongs to: [t-8 ... t+7] for the paper's 16.

    In the mode "newest" the clip ends with the target. Edge frames are repeated, as in MTTR's
    and CMPC-V's readers; the paper is silent.

    Args:
        target: The annotated frame, counted from 0.
        length: Frames of the video.
        config: Number of frames and which of them is labelled.

    Raises:
        ConfigError: If the target is not a frame of the video.
    """
    if not 0 <= target < length:
        raise ConfigError(
            f"frame {target} is not in a video of {length} frames (0 to {length - 1})"
        )
    return span(target - config.label_index, config.frames, length)


def evenly_spaced(length: int, count: int) -> list[int]:
    """`count` frame indices from the first frame to the last at even distances.

    A single one is the middle frame. Halves round down. [ours: the paper only says that frames
    are sampled uniformly]

    Raises:
        ConfigError: If the video has fewer frames than wanted.
    """
    if not 1 <= count <= length:
        raise ConfigError(f"cannot take {count} different frames of a video of {length}")
    if count == 1:
        return [(length - 1) // 2]
    return [index * (length - 1) // (count - 1) for index in range(count)]


@dataclass(frozen=True, eq=False)
class LabelledClip:
    """A clip, the sentence about its labelled frame, and the answer.

    Attributes:
        sample: Sentence and where it comes from.
        clip: T frames (H, W), without flow.
        mask: (H, W) bool of the labelled frame, true on the referred actor.
    """

    sample: Sample
    clip: Clip
    mask: NDArray[np.bool_]


def load_clip(
    dataset: SentenceDataset, sample: Sample, config: ModelConfig, pool: ReaderPool
) -> LabelledClip:
    """Read the frames around a sample, and its mask.

    Args:
        dataset: Where the sample is from.
        sample: One of `dataset.samples`.
        config: How many frames, and which of them is labelled.
        pool: Keeps the videos open.

    Raises:
        VideoError: If the video cannot be read.
        DatasetError: If the annotation cannot be read, lies behind the end of the video, or has
            another size than its frames.
    """
    video = dataset.video(sample)
    reader = pool.get(video)
    there = reader.info.frames
    usable = dataset.length(sample)
    length = there if usable is None else min(there, usable)
    if sample.frame >= length:
        raise DatasetError(
            f"{dataset.annotation(sample)} annotates frame {sample.frame} (counted from 0), but "
            f"{video} has {there} frames; the video is cut short or of another release"
        )
    rgb = reader.read(clip_indices(sample.frame, length, config))
    return LabelledClip(sample, Clip(rgb), load_mask(dataset, sample, rgb.shape[1:3], pool))


def load_mask(
    dataset: SentenceDataset, sample: Sample, size: tuple[int, int], pool: ReaderPool
) -> NDArray[np.bool_]:
    """(H, W) bool: a sample's mask at the size of its frames.

    Masks of a video whose pixels are not square are drawn on its frames as displayed or as
    stored; the latter are stretched as the frames are.

    Args:
        dataset: Where the sample is from.
        sample: One of `dataset.samples`.
        size: Height and width [px] of its frames as displayed.
        pool: Keeps the videos open.

    Raises:
        VideoError: If the video cannot be read.
        DatasetError: If the mask cannot be read, or has another size than the frames.
    """
    mask = dataset.mask(sample)
    if not mask.size:
        return np.zeros(size, np.bool_)
    if mask.shape == size:  # without opening the video
        return mask
    video = dataset.video(sample)
    if mask.shape != pool.get(video).info.stored:
        raise DatasetError(
            f"the mask in {dataset.annotation(sample)} is {mask.shape[1]}x{mask.shape[0]}, the "
            f"frames of {video} are {size[1]}x{size[0]}; both must be of one release"
        )
    return stretched(mask, size)


def stretched(labels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A mask or label map (h, w) at another height and width, each pixel that of its centre."""
    if labels.shape == size:
        return labels
    rows, columns = (
        ((np.arange(wanted) + 0.5) * there / wanted).astype(np.intp)
        for wanted, there in zip(size, labels.shape, strict=True)
    )
    return np.ascontiguousarray(labels[rows][:, columns])
