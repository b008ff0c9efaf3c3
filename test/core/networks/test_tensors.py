"""Pictures and flow as the networks take them."""

import pytest
import torch

from actseg_core.networks.tensors import flow_input, network_input


def test_pictures_cover_minus_one_to_one() -> None:
    clips = torch.zeros(1, 2, 4, 5, 3, dtype=torch.uint8)
    clips[:, 1] = 255
    tensor = network_input(clips)
    assert tensor.shape == (1, 3, 2, 4, 5)
    assert tensor[0, :, 0].unique().tolist() == [-1.0]
    assert tensor[0, :, 1].unique().tolist() == [1.0]


def test_channels_come_after_the_batch_whatever_lies_between() -> None:
    frame = torch.arange(3, dtype=torch.uint8).expand(2, 4, 5, 3)  # red 0, green 1, blue 2
    tensor = network_input(frame)
    assert tensor.shape == (2, 3, 4, 5)
    assert [float(tensor[1, k, 3, 4]) for k in range(3)] == pytest.approx(
        [-1, 1 / 127.5 - 1, 2 / 127.5 - 1]
    )


def test_channels_stay_last_in_memory() -> None:
    frames = network_input(torch.zeros(2, 4, 5, 3, dtype=torch.uint8))
    clips = network_input(torch.zeros(2, 6, 4, 5, 3, dtype=torch.uint8))
    assert frames.is_contiguous(memory_format=torch.channels_last)
    assert clips.is_contiguous(memory_format=torch.channels_last_3d)


def test_flow_is_clipped_then_scaled() -> None:
    flow = torch.tensor([-50.0, 10.0]).reshape(1, 1, 1, 1, 2)
    torch.testing.assert_close(flow_input(flow, 20.0).flatten(), torch.tensor([-1.0, 0.5]))
