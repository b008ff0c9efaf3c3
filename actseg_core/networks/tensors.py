"""Pictures and flow as the networks take them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def rgb_to_tensor(frames: NDArray[np.uint8]) -> Tensor:
    """(T, S, S, 3) uint8 to (1, 3, T, S, S) float32 in [-1, 1], I3D's RGB range."""
    return torch.from_numpy(frames).permute(3, 0, 1, 2).unsqueeze(0).float().div(127.5).sub(1.0)


def flow_to_tensor(flow: NDArray[np.float32], clip_px: float) -> Tensor:
    """(T, S, S, 2) float32 [px] to (1, 2, T, S, S) float32, clipped and scaled to [-1, 1]."""
    tensor = torch.from_numpy(flow).permute(3, 0, 1, 2).unsqueeze(0)
    return tensor.clamp(-clip_px, clip_px).div(clip_px)
