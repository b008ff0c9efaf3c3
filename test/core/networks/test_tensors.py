"""Pictures and flow as the networks take them."""

import numpy as np
import torch

from actseg_core.networks.tensors import flow_to_tensor, rgb_to_tensor


def test_rgb_covers_minus_one_to_one() -> None:
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    frames[1] = 255
    tensor = rgb_to_tensor(frames)
    assert tensor.shape == (1, 3, 2, 4, 4)
    assert tensor[0, :, 0].unique().tolist() == [-1.0]
    assert tensor[0, :, 1].unique().tolist() == [1.0]


def test_flow_is_clipped_then_scaled() -> None:
    flow = np.array([-50.0, 10.0], np.float32).reshape(1, 1, 1, 2)
    tensor = flow_to_tensor(flow, clip_px=20.0)
    torch.testing.assert_close(tensor.flatten(), torch.tensor([-1.0, 0.5]))
