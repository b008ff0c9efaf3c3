"""Per-pixel actor-action labels: the classifier's picks as queries, the strongest response wins.

Paper section 5.3. How background wins is left open there: here, where no response passes the
threshold that the network's masks have.
"""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actseg_core.config import ModelConfig
from actseg_core.errors import ShapeError
from actseg_core.image import Placement, restore
from actseg_core.labels import BACKGROUND, PAIRS, Pair
from actseg_core.text.sentence import SentenceReader

Features = TypeVar("Features")
FeaturesIn = TypeVar("FeaturesIn", contravariant=True)
Sentences = TypeVar("Sentences")


class Answerer(Protocol[FeaturesIn, Sentences]):
    """A network that answers sentences about features, one stream or several fused."""

    def encode_sentences(self, words: Tensor) -> Sentences:
        """Sentence vectors of word vectors (Q, L, W)."""

    def respond(self, features: FeaturesIn, sentences: Sentences) -> list[Tensor]:
        """Response maps (Q, r, r), coarse to fine."""


class PairSegmenter(Generic[Features, Sentences]):
    """A2D's label map of a frame, from a network that was trained on the 43 pair names.

    Args:
        network: In evaluation mode.
        words: (43, L, W) word vectors of the pair names, as `pair_words` gives them.
        threshold: Pairs with a confidence above this are asked for.
        config: Its threshold tells actors from background.
    """

    def __init__(
        self,
        network: Answerer[Features, Sentences],
        words: Tensor,
        threshold: float,
        config: ModelConfig,
    ) -> None:
        if words.shape[0] != len(PAIRS):
            raise ShapeError(
                f"words must be ({len(PAIRS)}, L, W), one row per valid pair, "
                f"got {tuple(words.shape)}"
            )
        self.network = network
        self.words = words
        self.threshold = threshold
        self.config = config

    @torch.inference_mode()
    def segment(
        self, features: Features, confidences: NDArray[np.float32], placement: Placement
    ) -> NDArray[np.uint8]:
        """A2D ids of every pixel of the labelled frame.

        Args:
            features: Of one clip, as the network's `encode` gives them.
            confidences: (43,) scores of the video, in the order of `labels.PAIRS`.
            placement: Where the frame lies in the network's input.

        Returns:
            (H, W) uint8 at the frame's own size; 10 * actor + action, 0 is background.
        """
        picks = pick_pairs(confidences, self.threshold)
        if not picks:
            return np.full((placement.height, placement.width), BACKGROUND, np.uint8)
        words = self.words[[PAIRS.index(pair) for pair in picks]]
        responses = self.network.respond(features, self.network.encode_sentences(words))[-1]
        maps = np.stack([restore(item, placement) for item in responses.float().cpu().numpy()])
        return label_map(maps, picks, background_limit(maps, self.config))


def pair_words(reader: SentenceReader) -> Tensor:
    """Word vectors (43, L, W) float32 of the names of all valid pairs, "dog running"."""
    return torch.from_numpy(np.stack([reader.read(pair.text).vectors for pair in PAIRS]))


def pick_pairs(confidences: NDArray[np.float32], threshold: float) -> tuple[Pair, ...]:
    """The valid pairs whose confidence exceeds the threshold.

    Raises:
        ShapeError: If there is not one confidence per valid pair.
    """
    if confidences.shape != (len(PAIRS),):
        raise ShapeError(f"confidences must be ({len(PAIRS)},), got {confidences.shape}")
    return tuple(pair for pair, score in zip(PAIRS, confidences, strict=True) if score > threshold)


def background_limit(responses: NDArray[np.float32], config: ModelConfig) -> float:
    """The logit that a response must exceed to be no background.

    Args:
        responses: (P, H, W) logits of one frame.
        config: `threshold_mode` absolute: its threshold; relative_max: half of the greatest
            probability in the frame.
    """
    if config.threshold_mode == "absolute":
        return config.threshold
    half = 0.5 / (1.0 + np.exp(-float(responses.max())))
    return float(np.log(half / (1.0 - half)))


def label_map(
    responses: NDArray[np.float32], pairs: Sequence[Pair], limit: float = 0.0
) -> NDArray[np.uint8]:
    """The pair with the strongest response at every pixel, background where none is above `limit`.

    Args:
        responses: (P, H, W) float32 logits, P at least 1.
        pairs: The P pairs; of equal responses the first wins.
        limit: A logit.

    Returns:
        (H, W) uint8, A2D's ids.

    Raises:
        ShapeError: If there is not one response map per pair, or none at all.
    """
    if responses.ndim != 3 or len(pairs) != responses.shape[0] or not pairs:
        raise ShapeError(
            f"responses must be ({len(pairs)}, H, W), one map per pair and at least one, "
            f"got {responses.shape}"
        )
    ids = np.array([pair.label for pair in pairs], np.uint8)
    strongest = ids[responses.argmax(axis=0)]
    return np.where(responses.max(axis=0) > limit, strongest, np.uint8(BACKGROUND))
