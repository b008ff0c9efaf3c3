"""Dynamic filters against responses worked out by hand."""

import pytest
import torch

from actseg_core.errors import ShapeError
from actseg_core.networks.filters import DynamicFilter


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
