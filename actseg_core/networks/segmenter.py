"""What every network of this package can do: encode a clip once, answer many sentences."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Segmenter(nn.Module, ABC):
    """One input stream from clip and sentences to response maps.

    Text touches only the dynamic filters, so `encode` runs once per clip and `respond` once per
    sentence. Shapes: B clips, Q sentences, S input side, r side of a response map.
    """

    @property
    @abstractmethod
    def pretrained(self) -> nn.Module:
        """The encoder that begins with public weights: an I3D or a VGG16."""

    def encode(self, clip: Tensor) -> list[Tensor]:
        """Sentence-independent features of a (B, C, T, S, S) clip in [-1, 1], coarse to fine."""
        return self.encode_from_frozen(self.encode_frozen(clip))

    @abstractmethod
    def encode_frozen(self, clip: Tensor) -> Tensor:
        """The output of the layers that no training changes; the clip itself if there are none.

        It is the same in training and evaluation mode, so that it can be computed once and kept.
        """

    @abstractmethod
    def encode_from_frozen(self, frozen: Tensor) -> list[Tensor]:
        """The features of `encode` from the output of `encode_frozen`, of any float type."""

    @abstractmethod
    def frozen_state(self) -> dict[str, Tensor]:
        """Weights and statistics by name that `encode_frozen` depends on; empty if none are."""

    @abstractmethod
    def encode_sentences(self, words: Tensor) -> Tensor:
        """Sentence vectors (Q, D) of word vectors (Q, L, W); zero rows are padding."""

    @abstractmethod
    def respond(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        """Response maps, a list of (Q, r, r) logits, coarse to fine.

        The batch of the features is Q (each sentence has its own clip) or 1 (all sentences ask
        about one clip). Positive means the referred actor.
        """

    def dynamic_filters(self, sentences: Tensor) -> list[Tensor]:
        """What `filter_features` wants of sentence vectors (Q, D); each has Q rows.

        It depends on the sentences alone, so a stream of clips is asked with the same filters.
        """
        return [sentences]

    def filter_features(self, features: list[Tensor], filters: list[Tensor]) -> list[Tensor]:
        """The response maps of `respond` from filters that are already made."""
        return self.respond(features, filters[0])

    def in_own_type(self, frozen: Tensor) -> Tensor:
        """Kept features, usually float16, in the type of the weights."""
        return frozen.to(next(self.parameters()).dtype)

    def forward(self, clip: Tensor, words: Tensor) -> list[Tensor]:
        """Response maps of B clips, each with its own sentence."""
        return self.respond(self.encode(clip), self.encode_sentences(words))


def presence_score(responses: list[Tensor]) -> Tensor:
    """How strongly the sentence is answered anywhere, (Q,) in logit units. [ours]

    The mean of the highest 1 % of the finest map: a maximum alone would follow single noisy
    pixels.
    """
    finest = responses[-1].flatten(1)
    count = max(1, finest.shape[1] // 100)
    return torch.topk(finest, count, dim=1).values.mean(dim=1)
