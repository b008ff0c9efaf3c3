"""Clips for the pair classifier: which frames, which part, mirrored or not; their data set.

Paper section 5.3: random 64-frame clips with a random flip and a random 224x224 crop in training,
32-frame clips over the whole video in testing. Everything random comes from the given generator.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from actseg_core.config import FlowConfig, ModelConfig, Stream
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.loading import Batch, ClipDataset, Draw
from actseg_core.datasets.samples import Part, Sample, sample_rng
from actseg_core.errors import ShapeError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.flow import FlowEstimator, make_estimator
from actseg_core.flow.field import clip_flow
from actseg_core.networks.tensors import flow_input, network_input
from actseg_core.types import Clip


def random_clip(frames: int, length: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """Indices (length,) of consecutive frames from a random place of a video.

    A video shorter than the clip is repeated from its first frame, as I3D's authors do. [ours]
    """
    _check_lengths(frames, length)
    start = int(generator.integers(max(frames - length, 0) + 1))
    return (start + np.arange(length)) % frames


def covering_clips(frames: int, length: int) -> NDArray[np.intp]:
    """Indices (K, length) of the clips that cover a video.

    Clips follow each other without overlap, except that the last ends with the video; a video
    shorter than a clip is repeated from its first frame. [ours]
    """
    _check_lengths(frames, length)
    count = -(-frames // length)
    starts = np.minimum(np.arange(count) * length, max(frames - length, 0))
    return (starts[:, None] + np.arange(length)) % frames


def take(video: Clip, indices: NDArray[np.intp]) -> Clip:
    """The frames, and their flow, at the given indices."""
    return Clip(video.rgb[indices], None if video.flow is None else video.flow[indices])


def prepare_video(
    frames: NDArray[np.uint8], short_side_px: int, estimator: FlowEstimator | None
) -> Clip:
    """Resize frames to a shorter side, then compute their flow (in this order, as for Kinetics).

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        short_side_px: Shorter side of the result [px]; the aspect is kept.
        estimator: None where no stream needs flow.
    """
    resized = resize_short_side(frames, short_side_px)
    return Clip(resized, None if estimator is None else clip_flow(resized, estimator))


def resize_short_side(frames: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """(T, H, W, 3) uint8 resized bilinearly so that the shorter of H and W is `side_px`."""
    height, width = frames.shape[1:3]
    scale = side_px / min(height, width)
    size = (max(side_px, round(height * scale)), max(side_px, round(width * scale)))
    if size == (height, width):
        return frames
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    resized = functional.interpolate(
        images, size=size, mode="bilinear", align_corners=False, antialias=scale < 1
    )
    rounded = resized.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    return np.ascontiguousarray(rounded.numpy())


def flip(clip: Clip) -> Clip:
    """Mirror every frame left to right; flow is mirrored and its x component negated."""
    flow = None
    if clip.flow is not None:
        flow = clip.flow[:, :, ::-1] * np.array([-1.0, 1.0], np.float32)
    return Clip(clip.rgb[:, :, ::-1], flow)


def crop(clip: Clip, top: int, left: int, size: int) -> Clip:
    """The square (T, size, size) whose upper left corner is at (top, left) [px].

    Raises:
        ShapeError: If the square does not lie inside the frames.
    """
    height, width = clip.rgb.shape[1:3]
    if not (0 <= top <= height - size and 0 <= left <= width - size):
        raise ShapeError(
            f"a crop of {size} px at row {top}, column {left} must lie inside the frames, which "
            f"are {height}x{width}; resize the video first"
        )
    window = (slice(None), slice(top, top + size), slice(left, left + size))
    return Clip(clip.rgb[window], None if clip.flow is None else clip.flow[window])


def centre_crop(clip: Clip, size: int) -> Clip:
    """The square in the middle of the frames [px]; for testing. [ours]"""
    height, width = clip.rgb.shape[1:3]
    return crop(clip, (height - size) // 2, (width - size) // 2, size)


def augment(clip: Clip, size: int, generator: np.random.Generator) -> Clip:
    """Flip the whole clip with probability 1/2, then cut one random square out of all frames.

    The paper flips "each frame"; one decision per clip keeps the motion whole. [ours]
    """
    if generator.random() < 0.5:
        clip = flip(clip)
    height, width = clip.rgb.shape[1:3]
    top = int(generator.integers(max(height - size, 0) + 1))
    left = int(generator.integers(max(width - size, 0) + 1))
    return crop(clip, top, left, size)


def clip_tensors(clip: Clip, flow: FlowConfig) -> dict[Stream, Tensor]:
    """Network inputs of one clip, (1, C, T, H, W) float32 in [-1, 1]; flow where it has any."""
    tensors: dict[Stream, Tensor] = {"rgb": network_input(_batch_of_one(clip.rgb))}
    if clip.flow is not None:
        tensors["flow"] = flow_input(_batch_of_one(clip.flow), flow.clip_px)
    return tensors


def _batch_of_one(frames: NDArray[Any]) -> Tensor:
    """With one more axis in front; mirrored clips have strides that torch does not read."""
    return torch.from_numpy(np.ascontiguousarray(frames)).unsqueeze(0)


def covering_tensors(
    video: Clip, config: ClassifierConfig, flow: FlowConfig
) -> Iterable[dict[Stream, Tensor]]:
    """The clips that cover a video, cut out of its middle, one by one.

    Args:
        video: As `prepare_video` gives it.
    """
    for indices in covering_clips(len(video), config.test_frames):
        yield clip_tensors(centre_crop(take(video, indices), config.crop_px), flow)


def _check_lengths(frames: int, length: int) -> None:
    if frames < 1 or length < 1:
        raise ShapeError(
            f"a clip needs at least one frame and one frame of video, got clips of {length} "
            f"frames from {frames}"
        )


class PairClips(ClipDataset):
    """One random clip per video and epoch: random frames, mirrored or not, a random square.

    `Batch.samples` name the videos; there are neither words nor masks (paper section 5.3).

    Args:
        dataset: Its label maps say which videos there are.
        classifier: Frames, sizes, streams.
        config: Estimator and scale of the flow, under `flow`.
        seed: Of all that is random.
    """

    def __init__(
        self, dataset: A2DPairs, classifier: ClassifierConfig, config: ModelConfig, *, seed: int
    ) -> None:
        first: dict[str, Sample] = {}
        for sample in dataset.samples:
            first.setdefault(sample.video, sample)
        super().__init__(Part(dataset, list(first.values())), config, seed=seed)
        self.pairs = dataset
        self.classifier = classifier

    def __getitem__(self, draw: int | Draw) -> Batch:
        """One clip, of epoch 0 or of the given epoch.

        Raises:
            VideoError: If the video cannot be read.
        """
        epoch, index = draw if isinstance(draw, tuple) else (0, draw)
        sample, settings = self.dataset.samples[index], self.classifier
        rng = sample_rng(self.seed, epoch, index)
        reader = self._pool.get(self.dataset.video(sample))
        places = random_clip(reader.info.frames, settings.train_frames, rng)
        first, last = int(places.min()), int(places.max())
        estimator = make_estimator(self.config.flow) if "flow" in settings.streams else None
        # Flow before the crop, as in testing; a short video's repetition has no flow of its own.
        video = prepare_video(
            reader.read(range(first, last + 1)), settings.short_side_px, estimator
        )
        clip = augment(take(video, places - first), settings.crop_px, rng)
        return Batch(
            frames=torch.from_numpy(np.ascontiguousarray(clip.rgb))[None],
            flow=None
            if clip.flow is None
            else torch.from_numpy(np.ascontiguousarray(clip.flow))[None],
            masks=torch.empty(1, 0, dtype=torch.bool),
            words=None,
            samples=(sample,),
            placements=(),
            truths=(),
        )
