"""Where a cell lies: the 8 coordinate channels of Hu et al., which the paper follows."""

import torch
from torch import Tensor

COORDINATE_CHANNELS = 8


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
