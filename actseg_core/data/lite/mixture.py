"""The endless stream of training samples: sources in fixed shares, flow, word vectors."""

from collections.abc import Callable, Iterator
from typing import TypedDict

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from actseg_core.config import ModelConfig
from actseg_core.data.lite.clip import TrainingClip, flip, recolour
from actseg_core.flow import make_estimator
from actseg_core.flow.encode import clip_flow
from actseg_core.text.sentence import SentenceReader

MakeClip = Callable[[np.random.Generator], TrainingClip]


class Sample(TypedDict):
    """One training sample; a batch adds a first dimension B."""

    rgb: Tensor  # (T, S, S, 3) uint8
    flow: Tensor  # (T, S, S, 2) float16 [px]
    words: Tensor  # (L, D) float32
    mask: Tensor  # (S, S) bool


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
            yield {
                "rgb": torch.from_numpy(rgb),
                "flow": torch.from_numpy(clip_flow(rgb, estimator)).half(),
                "words": torch.from_numpy(self._reader.read(clip.sentence).vectors),
                "mask": torch.from_numpy(np.ascontiguousarray(clip.mask)),
            }
