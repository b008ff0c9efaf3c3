"""Sentence-conditioned 1x1 filters (paper section 3.3, equations 1 and 2)."""

from typing import Literal

import torch
from torch import Tensor, nn

from actseg_core.errors import ShapeError


class DynamicFilter(nn.Module):
    """Score every location of a feature map against a sentence.

    Args:
        sentence_dim: Width of the sentence vector.
        feature_dim: Channels C of the feature map, coordinates included.
        activation: tanh is equation 1; sigmoid is Li et al.'s choice.

    Shape:
        sentences: (Q, sentence_dim).
        features: (Q, C, H, W), or (1, C, H, W) when all sentences ask about one clip.
        returns: (Q, H, W) logits; positive means the referred actor.

    Raises:
        ShapeError: If the channels or the batch sizes disagree.
    """

    def __init__(
        self, sentence_dim: int, feature_dim: int, activation: Literal["tanh", "sigmoid"] = "tanh"
    ) -> None:
        super().__init__()
        self.to_filter = nn.Linear(sentence_dim, feature_dim)
        self.activation = activation

    def filters(self, sentences: Tensor) -> Tensor:
        """Equation 1: (Q, sentence_dim) to filters (Q, C)."""
        raw = self.to_filter(sentences)
        return torch.tanh(raw) if self.activation == "tanh" else torch.sigmoid(raw)

    def forward(self, sentences: Tensor, features: Tensor) -> Tensor:
        return score(self.filters(sentences), features)


def score(filters: Tensor, features: Tensor) -> Tensor:
    """Equation 2: (Q, C) filters on (Q or 1, C, H, W) features, (Q, H, W) logits.

    Raises:
        ShapeError: If the channels or the batch sizes disagree.
    """
    count, channels = filters.shape
    if features.ndim != 4 or features.shape[1] != channels or features.shape[0] not in (1, count):
        raise ShapeError(
            f"features must be ({count} or 1, {channels}, H, W) for these {count} sentences, "
            f"got {tuple(features.shape)}"
        )
    if features.shape[0] == 1:
        return torch.einsum("qc,chw->qhw", filters, features[0])
    return torch.einsum("qc,qchw->qhw", filters, features)
