import torch
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import BaselineConfig, ModelConfig, TextConfig
from actseg_core.networks.baselines import EmbeddedLstm

EMBED_DIM, SENTENCE_DIM, VOCABULARY = 4, 5, 6
CONFIG = ModelConfig(
    kind="hu",
    streams=("rgb",),
    frames=1,
    text=TextConfig(encoder="lstm", word_dim=VOCABULARY, sentence_dim=SENTENCE_DIM),
    baseline=BaselineConfig(embed_dim=EMBED_DIM),
)


def build(forget_bias: float = 0.0) -> EmbeddedLstm:
    torch.manual_seed(4)
    return EmbeddedLstm(CONFIG, forget_bias).eval()


def lstm_of(encoder: EmbeddedLstm) -> nn.LSTM:
    (lstm,) = [module for module in encoder.modules() if isinstance(module, nn.LSTM)]
    return lstm


def last_state(lstm: nn.LSTM, embedded: Tensor) -> Tensor:
    """The last hidden state of an LSTM over (L, D), gate by gate."""
    hidden = cell = torch.zeros(SENTENCE_DIM)
    for word in embedded:
        gates = lstm.weight_ih_l0 @ word + lstm.bias_ih_l0 + lstm.weight_hh_l0 @ hidden
        into, forget, new, out = (gates + lstm.bias_hh_l0).split(SENTENCE_DIM)
        cell = forget.sigmoid() * cell + into.sigmoid() * new.tanh()
        hidden = out.sigmoid() * cell.tanh()
    return hidden


def test_one_hot_words_are_looked_up_in_a_trained_table_as_in_the_public_codes() -> None:
    encoder = build()
    words = torch.tensor([[3, 1, 4]])
    table = encoder.embedding.weight.T
    expected = last_state(lstm_of(encoder), functional.embedding(words, table)[0])
    actual = encoder(functional.one_hot(words, VOCABULARY).float())
    torch.testing.assert_close(actual, expected.unsqueeze(0))


def test_padding_after_the_last_word_changes_nothing() -> None:
    encoder = build()
    words = torch.randn((2, 3, VOCABULARY), generator=torch.manual_seed(5))
    padded = functional.pad(words, (0, 0, 0, 17))
    torch.testing.assert_close(encoder(padded), encoder(words))


def test_only_the_forget_gate_starts_with_a_bias() -> None:
    lstm = lstm_of(build(forget_bias=1.0))
    total = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach().view(4, SENTENCE_DIM)
    torch.testing.assert_close(total, torch.tensor([[0.0], [1.0], [0.0], [0.0]]).expand(4, 5))


def test_the_published_size_is_a_1000_channel_embedding_and_a_1000_channel_lstm() -> None:
    text = TextConfig(encoder="lstm", word_dim=300, sentence_dim=1000)
    with torch.device("meta"):
        encoder = EmbeddedLstm(
            CONFIG.model_copy(update={"text": text, "baseline": BaselineConfig()}), 1.0
        )
    assert encoder.embedding.weight.shape == (1000, 300)
    assert lstm_of(encoder).weight_ih_l0.shape == (4000, 1000)
