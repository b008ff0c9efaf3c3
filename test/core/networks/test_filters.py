"""Dynamic filters against responses worked out by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.errors import ShapeError
from actseg_core.networks.filters import (
    DynamicFilter,
    UpsampleBlock,
    append_coordinates,
    coordinate_channels,
)


def fixed_filter(activation: str = "tanh") -> DynamicFilter:
    """Three channels, before the activation s, -2s and 0.5 for the sentence (s)."""
    layer = DynamicFilter(1, 3, activation)
    with torch.no_grad():
        layer.to_filter.weight.copy_(torch.tensor([[1.0], [-2.0], [0.0]]))
        layer.to_filter.bias.copy_(torch.tensor([0.0, 0.0, 0.5]))
    return layer


def test_the_response_is_the_filter_dotted_with_each_location() -> None:
    features = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]], [[2.0, 2.0]]]])  # (1, 3, 1, 2)

    # tanh(1) = 0.76159, tanh(-2) = -0.96403, tanh(0.5) = 0.46212.
    torch.testing.assert_close(
        fixed_filter()(torch.tensor([[1.0]]), features),
        torch.tensor([[[0.76159 + 0.92423, -0.96403 + 0.92423]]]),
        atol=1e-4,
        rtol=0,
    )


def test_sigmoid_filters_are_those_of_li_et_al() -> None:
    # sigmoid(1) = 0.73106, sigmoid(-2) = 0.11920, sigmoid(0.5) = 0.62246.
    torch.testing.assert_close(
        fixed_filter("sigmoid").filters(torch.tensor([[1.0]])),
        torch.tensor([[0.73106, 0.11920, 0.62246]]),
        atol=1e-4,
        rtol=0,
    )


def test_many_sentences_about_one_clip_equal_a_clip_for_each() -> None:
    torch.manual_seed(0)
    layer, sentences, features = DynamicFilter(4, 6), torch.randn(5, 4), torch.randn(1, 6, 3, 7)

    torch.testing.assert_close(
        layer(sentences, features), layer(sentences, features.expand(5, -1, -1, -1))
    )


def test_each_sentence_is_answered_about_its_own_clip() -> None:
    torch.manual_seed(0)
    layer, sentences, features = DynamicFilter(4, 6), torch.randn(3, 4), torch.randn(3, 6, 2, 2)

    alone = [layer(sentences[i : i + 1], features[i : i + 1]) for i in range(3)]

    torch.testing.assert_close(layer(sentences, features), torch.cat(alone))


@pytest.mark.parametrize("shape", [(1, 5, 2, 2), (2, 6, 2, 2), (6, 2, 2)])
def test_features_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ShapeError, match=r"must be \(3 or 1, 6, H, W\) for these 3 sentences, got"
    ):
        DynamicFilter(4, 6)(torch.zeros(3, 4), torch.zeros(shape))


def test_a_map_of_two_by_four_cells() -> None:
    channels = coordinate_channels(2, 4)

    assert channels.shape == (8, 2, 4)
    # Cells are half a unit wide and one high; first row, third cell: x 0 to 0.5, y -1 to 0.
    torch.testing.assert_close(
        channels[:, 0, 2], torch.tensor([0.0, -1.0, 0.5, 0.0, 0.25, -0.5, 0.25, 0.5])
    )
    # Second row, first cell.
    torch.testing.assert_close(
        channels[:, 1, 0], torch.tensor([-1.0, 0.0, -0.5, 1.0, -0.75, 0.5, 0.25, 0.5])
    )


def test_a_single_cell_is_the_whole_image() -> None:
    torch.testing.assert_close(
        coordinate_channels(1, 1)[:, 0, 0], torch.tensor([-1.0, -1, 1, 1, 0, 0, 1, 1])
    )


@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_cells_touch_and_cover_the_image(height: int, width: int) -> None:
    left, top, right, bottom, x, y, per_width, per_height = coordinate_channels(height, width)

    torch.testing.assert_close(left[:, 1:], right[:, :-1])
    torch.testing.assert_close(top[1:], bottom[:-1])
    for first, last in ((left[:, 0], right[:, -1]), (top[0], bottom[-1])):
        torch.testing.assert_close(first, -torch.ones_like(first))
        torch.testing.assert_close(last, torch.ones_like(last))
    torch.testing.assert_close(x, (left + right) / 2)
    torch.testing.assert_close(y, (top + bottom) / 2)
    torch.testing.assert_close(per_width, (right - left) / 2)
    torch.testing.assert_close(per_height, (bottom - top) / 2)


def test_channels_follow_the_features_of_every_clip() -> None:
    features = torch.randn(3, 5, 2, 4)

    located = append_coordinates(features)

    assert located.shape == (3, 13, 2, 4)
    torch.testing.assert_close(located[:, :5], features)
    for item in located:
        torch.testing.assert_close(item[5:], coordinate_channels(2, 4))


def test_the_features_precision_is_kept() -> None:
    assert (
        append_coordinates(torch.zeros(1, 1, 2, 2, dtype=torch.bfloat16)).dtype == torch.bfloat16
    )


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
