"""Fusion of the streams."""

import pytest
import torch

from actseg_core.errors import ShapeError
from actseg_core.networks.fusion import fuse


def test_rgb_counts_twice_as_much_as_flow() -> None:
    rgb = torch.tensor([[[3.0, -1.0]]])
    flow = torch.tensor([[[0.0, 5.0]]])

    fused = fuse({"rgb": rgb, "flow": flow}, {"rgb": 2.0, "flow": 1.0})

    torch.testing.assert_close(fused, torch.tensor([[[2.0, 1.0]]]))


def test_only_the_ratio_of_the_weights_matters() -> None:
    responses = {"rgb": torch.randn(2, 3, 3), "flow": torch.randn(2, 3, 3)}

    torch.testing.assert_close(
        fuse(responses, {"rgb": 2.0, "flow": 1.0}), fuse(responses, {"rgb": 0.5, "flow": 0.25})
    )


def test_a_single_stream_is_itself() -> None:
    flow = torch.randn(2, 3, 3)

    torch.testing.assert_close(fuse({"flow": flow}, {"rgb": 2.0, "flow": 1.0}), flow)


def test_maps_of_two_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"one shape .* got \[\(1, 2, 2\), \(1, 4, 4\)\]"):
        fuse(
            {"rgb": torch.zeros(1, 2, 2), "flow": torch.zeros(1, 4, 4)}, {"rgb": 2.0, "flow": 1.0}
        )


def test_weights_that_sum_to_nothing_are_refused() -> None:
    with pytest.raises(ShapeError, match="a positive sum of weights, got .* and 0.0"):
        fuse({"rgb": torch.zeros(1, 2, 2)}, {"rgb": 0.0, "flow": 1.0})
