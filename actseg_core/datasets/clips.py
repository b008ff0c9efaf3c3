"""From a sample to frames and mask at the video's own size."""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import ModelConfig
from actseg_core.datasets.samples import Sample, SentenceDataset
from actseg_core.datasets.sampling import clip_indices
from actseg_core.errors import DatasetError
from actseg_core.types import Clip
from actseg_core.video.reader import ReaderPool

_SIDES = re.compile(r"\b(left|right)", re.IGNORECASE)


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
    mask = dataset.mask(sample)
    if not mask.size:
        mask = np.zeros(rgb.shape[1:3], np.bool_)
    if mask.shape != rgb.shape[1:3]:
        raise DatasetError(
            f"the mask in {dataset.annotation(sample)} is {mask.shape[1]}x{mask.shape[0]}, the "
            f"frames of {video} are {rgb.shape[2]}x{rgb.shape[1]}; both must be of one release"
        )
    return LabelledClip(sample, Clip(rgb), mask)


def mirrored(item: LabelledClip) -> LabelledClip:
    """The clip flipped left to right; the words left and right of the sentence change places.

    The paper's segmentation network trains without; for other recipes. [ours]
    """
    sentence = _SIDES.sub(_other_side, item.sample.sentence)
    return LabelledClip(
        replace(item.sample, sentence=sentence),
        Clip(np.ascontiguousarray(item.clip.rgb[:, :, ::-1])),
        np.ascontiguousarray(item.mask[:, ::-1]),
    )


def random_mirror(item: LabelledClip, rng: np.random.Generator) -> LabelledClip:
    """An augmentation for `loading.ClipDataset`: every other clip mirrored, at random. [ours]"""
    return mirrored(item) if rng.random() < 0.5 else item


def _other_side(match: re.Match[str]) -> str:
    word = match[1]
    other = "right" if word.lower() == "left" else "left"
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other
