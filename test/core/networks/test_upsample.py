"""The deconvolution block."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.networks.upsample import UpsampleBlock


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), batch=st.integers(1, 3))
def test_sides_become_exactly_four_times_as_long(height: int, width: int, batch: int) -> None:
    block = UpsampleBlock(3, 2, "none")

    assert block(torch.zeros(batch, 3, height, width)).shape == (batch, 2, 4 * height, 4 * width)


def test_a_location_stays_where_it_is_in_the_image() -> None:
    block = UpsampleBlock(1, 1, "none")
    with torch.no_grad():
        block[0].weight.fill_(1.0)
        block[0].bias.zero_()
        block[1].weight.zero_()
        block[1].weight[0, 0, 1, 1] = 1.0
        block[1].bias.zero_()
    point = torch.zeros(1, 1, 3, 3)
    point[0, 0, 1, 1] = 1.0

    # The middle of 3 cells becomes rows 4 to 7 of 12; the kernel of 8 reaches 2 further.
    expected = torch.zeros(12, 12)
    expected[2:10, 2:10] = 1.0
    torch.testing.assert_close(block(point)[0, 0], expected)


def test_a_linear_block_is_linear_and_one_with_relu_is_not_negative() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(1, 4, 3, 3)
    linear, rectified = UpsampleBlock(4, 4, "none"), UpsampleBlock(4, 4, "relu")

    offset = linear(torch.zeros_like(inputs))
    torch.testing.assert_close(
        linear(3 * inputs) - offset, 3 * (linear(inputs) - offset), atol=1e-5, rtol=1e-5
    )
    assert linear(inputs).min() < 0
    assert rectified(inputs).min() >= 0


@pytest.mark.parametrize(("activation", "count"), [("none", 0), ("relu", 2)])
def test_there_is_an_activation_after_each_layer_or_none(activation: str, count: int) -> None:
    block = UpsampleBlock(2, 2, activation)

    assert sum(isinstance(layer, torch.nn.ReLU) for layer in block) == count
