"""Sentence encoders, against numbers worked out by hand and against plain loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actseg_core.config import TextConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.sentence_encoder import (
    ConvSentenceEncoder,
    LstmSentenceEncoder,
    build_sentence_encoder,
)

ENCODERS = ("conv", "lstm", "bilstm")


def build(encoder: str, dim: int = 3, out: int = 4) -> torch.nn.Module:
    torch.manual_seed(0)
    return build_sentence_encoder(TextConfig(encoder=encoder, word_dim=dim, sentence_dim=out))


def sentence(count: int, length: int, dim: int = 3, seed: int = 1) -> Tensor:
    """(1, length, dim) with `count` words and zeros after them."""
    words = torch.zeros(1, length, dim)
    words[0, :count] = torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))
    return words


def test_conv_is_the_largest_rectified_response_over_time() -> None:
    encoder = ConvSentenceEncoder(word_dim=1, sentence_dim=2, kernel=2)
    with torch.no_grad():
        encoder.convolution.weight.copy_(torch.tensor([[[1.0, 10.0]], [[-1.0, -1.0]]]))
        encoder.convolution.bias.copy_(torch.tensor([0.5, 0.25]))
    words = torch.tensor([[[1.0], [2.0], [3.0]]])

    # Windows (1,2), (2,3), (3,pad): 21.5, 32.5, 3.5 in the first channel, all negative in the
    # second, where the rectifier leaves 0.
    torch.testing.assert_close(encoder(words), torch.tensor([[32.5, 0.0]]))


def test_windows_without_a_word_do_not_count() -> None:
    encoder = ConvSentenceEncoder(word_dim=1, sentence_dim=1, kernel=2)
    with torch.no_grad():
        encoder.convolution.weight.fill_(-1.0)
        encoder.convolution.bias.fill_(5.0)

    # (1, 2): 2, (2, pad): 3; a window of padding alone would give 5.
    words = torch.tensor([[[1.0], [2.0], [0.0], [0.0], [0.0]]])
    torch.testing.assert_close(encoder(words), torch.tensor([[3.0]]))


def test_conv_of_a_sentence_without_known_words_is_zero() -> None:
    torch.testing.assert_close(build("conv")(torch.zeros(2, 5, 3)), torch.zeros(2, 4))


def lstm_by_hand(words: Tensor, layer: torch.nn.LSTM, suffix: str = "") -> Tensor:
    """Last hidden state of one direction, gate by gate (input, forget, cell, output)."""
    w_in, w_rec = (getattr(layer, f"weight_{kind}_l0{suffix}") for kind in ("ih", "hh"))
    bias = getattr(layer, f"bias_ih_l0{suffix}") + getattr(layer, f"bias_hh_l0{suffix}")
    hidden = cell = torch.zeros(layer.hidden_size)
    for word in words:
        i, f, g, o = (w_in @ word + w_rec @ hidden + bias).chunk(4)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        hidden = torch.sigmoid(o) * torch.tanh(cell)
    return hidden


def test_lstm_returns_the_state_after_the_last_word() -> None:
    encoder = build("lstm")
    words = sentence(3, 7)

    torch.testing.assert_close(encoder(words)[0], lstm_by_hand(words[0, :3], encoder.lstm))


def test_bilstm_joins_the_last_states_of_both_directions() -> None:
    encoder = build("bilstm")
    words = sentence(3, 7)
    read, reversed_ = words[0, :3], words[0, :3].flip(0)

    expected = torch.cat(
        [lstm_by_hand(read, encoder.lstm), lstm_by_hand(reversed_, encoder.lstm, "_reverse")]
    )
    torch.testing.assert_close(encoder(words)[0], expected)


def test_an_unknown_word_inside_a_sentence_is_a_step_of_the_lstm() -> None:
    encoder = build("lstm")
    words = sentence(4, 6)
    words[0, 1] = 0

    torch.testing.assert_close(encoder(words)[0], lstm_by_hand(words[0, :4], encoder.lstm))


@pytest.mark.parametrize("encoder", ENCODERS)
@settings(max_examples=15, deadline=None)
@given(count=st.integers(0, 6), padding=st.integers(0, 9))
def test_padding_never_changes_a_sentence(encoder: str, count: int, padding: int) -> None:
    module = build(encoder)
    shortest = max(count, 1)

    torch.testing.assert_close(
        module(sentence(count, shortest + padding)), module(sentence(count, shortest))
    )


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_sentence_is_encoded_the_same_alone_and_in_a_batch(encoder: str) -> None:
    module = build(encoder)
    words = torch.cat([sentence(2, 5), sentence(5, 5, seed=2), sentence(0, 5)])

    torch.testing.assert_close(module(words), torch.cat([module(item[None]) for item in words]))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_word_order_matters(encoder: str) -> None:
    module = build(encoder)
    words = sentence(4, 4)

    assert (module(words) - module(words.flip(1))).abs().max() > 1e-3


@pytest.mark.parametrize("encoder", ENCODERS)
def test_gradients_reach_every_parameter(encoder: str) -> None:
    module = build(encoder)
    module(torch.cat([sentence(3, 5, seed=seed) for seed in range(8)])).sum().backward()

    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


@pytest.mark.parametrize("encoder", ENCODERS)
def test_bfloat16_stays_within_two_percent(encoder: str) -> None:
    module = build(encoder, dim=16, out=8)
    words = sentence(4, 6, dim=16)
    exact = module(words)

    rounded = module.bfloat16()(words.bfloat16()).float()

    assert (rounded - exact).abs().max() < 0.02 * max(1.0, float(exact.detach().abs().max()))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_words_of_another_width_are_refused(encoder: str) -> None:
    with pytest.raises(
        ShapeError, match=r"\(Q, L, 3\) with L >= 1, got \(1, 5, 2\); do the word vectors fit"
    ):
        build(encoder)(torch.zeros(1, 5, 2))


def test_paper_dimensions() -> None:
    text = TextConfig(word_dim=300, sentence_dim=1000, encoder="lstm")

    assert isinstance(build_sentence_encoder(text), LstmSentenceEncoder)
    assert build_sentence_encoder(text)(sentence(20, 20, dim=300)).shape == (1, 1000)


def test_two_directions_need_an_even_width() -> None:
    with pytest.raises(ShapeError, match="must be even for two directions, got 5"):
        build("bilstm", out=5)
