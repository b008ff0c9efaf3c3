"""Clips of whole videos, for the classifier of actor-action pairs (paper section 5.3)."""

import numpy as np
import torch

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.loading import Batch, ClipDataset, Draw
from actseg_core.datasets.pair_clips import augment, prepare_video, random_clip, take
from actseg_core.datasets.samples import Part, Sample, sample_rng
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.flow import make_estimator


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
