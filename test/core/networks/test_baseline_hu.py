from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from actseg_core.networks.baselines import HuSegmenter


def coordinates(height: int, width: int) -> Tensor:
    """The 8 channels cell by cell, as the public code defines them."""
    cells = torch.zeros(8, height, width)
    for row in range(height):
        for column in range(width):
            left, right = column / width * 2 - 1, (column + 1) / width * 2 - 1
            upper, lower = row / height * 2 - 1, (row + 1) / height * 2 - 1
            middle = ((left + right) / 2, (upper + lower) / 2)
            values = [left, upper, right, lower, *middle, 1 / width, 1 / height]
            cells[:, row, column] = torch.tensor(values)
    return cells


def tiled_reference(network: HuSegmenter, scores: Tensor, sentences: Tensor) -> Tensor:
    """Tile, concatenate, two 1x1 convolutions: one sentence and one map of fc8 at a time."""
    state = network.state_dict()
    maps = []
    for vector, image in zip(sentences, scores, strict=True):
        _, height, width = image.shape
        tiled = (vector / vector.norm()).view(-1, 1, 1).expand(-1, height, width)
        joined = torch.cat((tiled, image / image.norm(dim=0), coordinates(height, width)))
        weight, bias = state["first.weight"][:, :, 0, 0], state["first.bias"]
        hidden = torch.einsum("oc,chw->ohw", weight, joined) + bias.view(-1, 1, 1)
        weight, bias = state["second.weight"][:, :, 0, 0], state["second.bias"]
        maps.append(torch.einsum("oc,chw->ohw", weight, hidden.clamp(min=0))[0] + bias)
    return torch.stack(maps)


def test_equals_the_convolutions_of_the_tiled_concatenation(
    make: Callable[..., HuSegmenter], clip: Tensor, words: Tensor
) -> None:
    network = make("hu")
    with torch.no_grad():
        network.first.bias.normal_()
        network.second.bias.normal_()
        low, high = network(clip, words)
        expected = tiled_reference(
            network, network.image_encoder(clip[:, :, 0]), network.encode_sentences(words)
        )
    torch.testing.assert_close(low, expected, atol=1e-5, rtol=1e-4)
    kernel = network.state_dict()["upsample.deconvolution.weight"]
    enlarged = functional.conv_transpose2d(expected.unsqueeze(1), kernel, stride=32, padding=16)
    torch.testing.assert_close(high, enlarged[:, 0], atol=1e-5, rtol=1e-4)


def test_a_response_worked_out_by_hand(make: Callable[..., HuSegmenter]) -> None:
    network = make("hu")
    sentence = torch.zeros(1, 8)
    sentence[0, 0], sentence[0, 1] = 3.0, 4.0  # normalised: 0.6 and 0.8
    with torch.no_grad():
        network.first.weight.zero_()
        network.first.weight[0, 1] = 10.0  # 10 * 0.8 = 8
        network.first.weight[1, 0] = -1.0  # -0.6, cut off by the ReLU
        network.first.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 2.0]))
        network.second.weight.fill_(1.0)
        network.second.bias.fill_(-0.5)
        features = network.encode(torch.zeros(1, 3, 1, 64, 64))
        low, _ = network.respond(features, sentence)
    torch.testing.assert_close(low, torch.full((1, 2, 2), 8.0 + 1.0 + 2.0 - 0.5))


def test_the_length_of_sentence_and_fc8_vectors_does_not_matter(
    make: Callable[..., HuSegmenter], clip: Tensor
) -> None:
    network = make("hu")
    sentences = torch.randn((3, 8), generator=torch.manual_seed(3))
    with torch.no_grad():
        expected = network.respond(network.encode(clip), sentences)[0]
        last = network.image_encoder.classifier[-1]
        last.weight.mul_(7.0)
        last.bias.mul_(7.0)
        actual = network.respond(network.encode(clip), 5.0 * sentences)[0]
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)
