from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from actseg_core.networks.baselines import LiSegmenter


def test_equals_a_sum_over_channels_cell_by_cell(
    make: Callable[..., LiSegmenter], clip: Tensor, words: Tensor
) -> None:
    network = make("li")
    with torch.no_grad():
        network.filter.to_filter.bias.normal_()
        low, high = network(clip, words)
        scores = network.image_encoder(clip[:, :, 0])
        sentences = network.encode_sentences(words)
    state = network.state_dict()
    for number in range(3):
        activation = (
            state["filter.to_filter.weight"] @ sentences[number] + state["filter.to_filter.bias"]
        )
        filter_ = 1 / (1 + torch.exp(-activation))
        for row in range(2):
            for column in range(2):
                x, y = column - 1.0, row - 1.0  # two cells of width 1 from -1 to 1
                place = torch.tensor([x, y, x + 1, y + 1, x + 0.5, y + 0.5, 0.5, 0.5])
                expected = filter_ @ torch.cat((scores[number, :, row, column], place))
                assert low[number, row, column].item() == pytest.approx(expected.item(), abs=1e-4)
    kernel = state["upsample.deconvolution.weight"]
    enlarged = functional.conv_transpose2d(low.unsqueeze(1), kernel, stride=32, padding=16)
    torch.testing.assert_close(high, enlarged[:, 0])


def test_a_filter_of_one_half_is_half_the_sum_of_all_channels(
    make: Callable[..., LiSegmenter],
) -> None:
    network = make("li")
    with torch.no_grad():
        network.filter.to_filter.weight.zero_()  # sigmoid(0) = 0.5
        features = torch.arange(18.0).view(1, 18, 1, 1).expand(1, 18, 2, 2)
        low, _ = network.respond([features], torch.zeros(2, 8))
    torch.testing.assert_close(low, torch.full((2, 2, 2), 0.5 * 153))


def test_fc8_is_not_normalised(make: Callable[..., LiSegmenter], clip: Tensor) -> None:
    network = make("li")
    with torch.no_grad():
        scores = network.image_encoder(clip[:, :, 0])
        (features,) = network.encode(clip)
    torch.testing.assert_close(features[:, :10], scores)
    assert features.shape == (3, 18, 2, 2)
