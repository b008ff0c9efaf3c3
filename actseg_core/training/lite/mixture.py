"""The endless stream of training samples: sources in fixed shares, flow, word vectors."""

from collections.abc import Callable, Iterator
from typing import TypedDict

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from actseg_core.config import ModelConfig
from actseg_core.flow import make_estimator
from actseg_core.flow.field import clip_flow
from actseg_core.text.sentence import SentenceReader
from actseg_core.training.lite.clip import TrainingClip, flip, recolour

MakeClip = Callable[[np.random.Generator], TrainingClip]


class Sample(TypedDict):
    """One training sample with K questions; a batch adds a first dimension B."""

    rgb: Tensor  # (T, S, S, 3) uint8
    flow: Tensor  # (T, S, S, 2) float16 [px]; (0,) where no stream reads flow
    words: Tensor  # (K, L, D) float32
    mask: Tensor  # (K, S, S) bool


class Mixture(IterableDataset[Sample]):
    """Draws a source by its share, then a clip, and prepares it for the network.

    Args:
        sources: Name to (share, maker of clips).
        config: Of the network that is trained.
        reader: Its vocabulary.
        seed: Same seed, same worker count: same samples.
    """

    def __init__(
        self,
        sources: dict[str, tuple[float, MakeClip]],
        config: ModelConfig,
        reader: SentenceReader,
        seed: int,
    ) -> None:
        self._makers = [maker for _, maker in sources.values()]
        shares = np.array([share for share, _ in sources.values()])
        self._shares = shares / shares.sum()
        self._config = config
        self._reads_flow = "flow" in config.streams
        self._reader = reader
        self._seed = seed

    def __iter__(self) -> Iterator[Sample]:
        info = get_worker_info()
        worker = info.id if info else 0
        cv2.setNumThreads(1)
        estimator = make_estimator(self._config.flow)
        rng = np.random.default_rng((self._seed, worker))
        while True:
            clip = self._makers[rng.choice(len(self._makers), p=self._shares)](rng)
            if rng.random() < 0.5:
                clip = flip(clip)
            rgb = recolour(rng, clip.rgb)
            flow = clip_flow(rgb, estimator) if self._reads_flow else np.empty(0, np.float32)
            words = [self._reader.read(item.sentence).vectors for item in clip.questions]
            yield {
                "rgb": torch.from_numpy(rgb),
                "flow": torch.from_numpy(flow).half(),
                "words": torch.from_numpy(np.stack(words)),
                "mask": torch.from_numpy(np.stack([item.mask for item in clip.questions])),
            }


class Replay:
    """Gives every clip of a costly source several times, well apart ("data echoing").

    Args:
        make: The source.
        times: How often each clip is given on average.
        kept: Clips in memory.
    """

    def __init__(self, make: MakeClip, times: int, kept: int = 48) -> None:
        self._make = make
        self._times = times
        self._kept = kept
        self._clips: list[TrainingClip] = []

    def __call__(self, rng: np.random.Generator) -> TrainingClip:
        """A fresh clip, or one of those given before."""
        if self._clips and rng.random() >= 1 / self._times:
            return self._clips[rng.integers(len(self._clips))]
        clip = self._make(rng)
        if len(self._clips) < self._kept:
            self._clips.append(clip)
        else:
            self._clips[rng.integers(self._kept)] = clip
        return clip
