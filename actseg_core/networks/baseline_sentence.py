"""The sentence encoder of both baselines: a trained word embedding and an LSTM."""

import torch
from torch import Tensor, nn

from actseg_core.config import ModelConfig
from actseg_core.networks.sentence_encoder import build_sentence_encoder

FORGET_GATE = slice(1, 2)  # torch orders an LSTM's gates input, forget, cell, output
GATES = 4


class EmbeddedLstm(nn.Module):
    """Word vectors to a trained embedding of 1000 channels to the last state of an LSTM.

    Both public codes look words up in a table that is trained from scratch. A bias-free linear
    map does the same to one-hot word vectors; to pretrained vectors it is a trained projection,
    which lets the baselines share the vocabulary of the paper's model [ours]. It keeps zero rows
    zero, so padding stays padding: the LSTM starts at the first word as in Li et al.'s code
    (Hu et al.'s also reads a trained padding word before it).

    Args:
        config: Of a baseline; text.word_dim in, text.sentence_dim out.
        forget_bias: Initial bias of the forget gate: 1 in Hu et al.'s code, 0 in Li et al.'s.

    Shape:
        words:   (Q, L, word_dim) float, zero rows are padding.
        returns: (Q, sentence_dim) float.
    """

    def __init__(self, config: ModelConfig, forget_bias: float) -> None:
        super().__init__()
        width = config.baseline.embed_dim
        self.embedding = nn.Linear(config.text.word_dim, width, bias=False)
        self.recurrent = build_sentence_encoder(config.text.model_copy(update={"word_dim": width}))
        for name, parameter in self.recurrent.named_parameters():
            if name.rpartition(".")[2].startswith("bias_"):
                _set_bias(parameter, forget_bias if "bias_ih" in name else 0.0)

    def forward(self, words: Tensor) -> Tensor:
        sentences: Tensor = self.recurrent(self.embedding(words))
        return sentences


@torch.no_grad()
def _set_bias(bias: nn.Parameter, forget: float) -> None:
    """Zero, except for the forget gate."""
    bias.zero_()
    bias.view(GATES, -1)[FORGET_GATE] = forget
