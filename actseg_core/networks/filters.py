"""Dynamic filters, and what is around them: coordinate channels and upsampling (section 3.2)."""

from typing import Literal

import torch
from torch import Tensor, nn

from actseg_core.errors import ShapeError

COORDINATE_CHANNELS = 8


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


def coordinate_channels(
    height: int, width: int, device: torch.device | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """Left, top, right, bottom, centre x, centre y in [-1, 1], then 1/W and 1/H, per cell.

    Returns:
        (8, H, W) tensor.
    """
    x = torch.linspace(-1, 1, width + 1, device=device, dtype=dtype)
    y = torch.linspace(-1, 1, height + 1, device=device, dtype=dtype)
    left, right = x[:-1].expand(height, -1), x[1:].expand(height, -1)
    top, bottom = y[:-1, None].expand(-1, width), y[1:, None].expand(-1, width)
    return torch.stack(
        (
            left,
            top,
            right,
            bottom,
            (left + right) / 2,
            (top + bottom) / 2,
            torch.full_like(left, 1 / width),
            torch.full_like(left, 1 / height),
        )
    )


def append_coordinates(features: Tensor) -> Tensor:
    """(B, C, H, W) features with the coordinate channels behind: (B, C + 8, H, W)."""
    batch, _, height, width = features.shape
    extra = coordinate_channels(height, width, features.device, features.dtype)
    return torch.cat((features, extra.expand(batch, -1, -1, -1)), dim=1)


class UpsampleBlock(nn.Sequential):
    """Deconvolution 8x8 of stride 4, then convolution 3x3: exactly four times the side.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        activation: "relu" adds one after each of the two layers; the default is linear. [ours]

    Shape:
        (B, inputs, H, W) to (B, outputs, 4H, 4W).
    """

    def __init__(self, inputs: int, outputs: int, activation: Literal["none", "relu"]) -> None:
        layers: list[nn.Module] = []
        for layer in (
            nn.ConvTranspose2d(inputs, outputs, 8, stride=4, padding=2),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        ):
            layers.append(layer)
            if activation == "relu":
                layers.append(nn.ReLU())
        super().__init__(*layers)
