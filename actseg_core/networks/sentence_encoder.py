"""Sentence encoders: the paper's 1-D convolution, and the LSTMs of its ablation."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import TextConfig
from actseg_core.errors import ShapeError


class ConvSentenceEncoder(nn.Module):
    """1-D convolution over the words, ReLU, max over time (paper section 3.1).

    Zero rows are padding and unknown words. Windows that hold no word are left out of the
    maximum, and kernel - 1 zero rows follow the last word whatever the padding, so that the
    padding never changes a sentence's vector. [ours]

    Shape:
        words: (Q, L, word_dim) float.
        returns: (Q, sentence_dim) float, not negative; zero for a sentence without known words.

    Raises:
        ShapeError: If the words have another width.
    """

    def __init__(self, word_dim: int, sentence_dim: int, kernel: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(word_dim, sentence_dim, kernel)

    def forward(self, words: Tensor) -> Tensor:
        _check(words, self.convolution.in_channels)
        kernel = self.convolution.kernel_size[0]
        words = functional.pad(words, (0, 0, 0, kernel - 1))
        responses = torch.relu(self.convolution(words.transpose(1, 2)))  # (Q, sentence_dim, L)
        is_word = (words.abs().amax(dim=2) > 0).to(words.dtype)
        has_word = functional.max_pool1d(is_word.unsqueeze(1), kernel, stride=1)  # (Q, 1, L)
        return (responses * has_word).amax(dim=2)


class LstmSentenceEncoder(nn.Module):
    """Last hidden state of an LSTM over the words (paper section 5.1's comparison).

    Shape:
        words: (Q, L, word_dim) float; zero rows after the last word are padding.
        returns: (Q, sentence_dim) float; for two directions their last states side by side.

    Raises:
        ShapeError: If the words have another width.
    """

    def __init__(self, word_dim: int, sentence_dim: int, bidirectional: bool) -> None:
        super().__init__()
        directions = 2 if bidirectional else 1
        if sentence_dim % directions:
            raise ShapeError(f"sentence_dim must be even for two directions, got {sentence_dim}")
        self.lstm = nn.LSTM(
            word_dim, sentence_dim // directions, batch_first=True, bidirectional=bidirectional
        )

    def forward(self, words: Tensor) -> Tensor:
        _check(words, self.lstm.input_size)
        places = torch.arange(1, words.shape[1] + 1, device=words.device)
        lengths = ((words.abs().amax(dim=2) > 0) * places).amax(dim=1).clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(
            words, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, (hidden, _) = self.lstm(packed)
        return torch.cat(tuple(hidden), dim=1)


def build_sentence_encoder(config: TextConfig) -> nn.Module:
    """The encoder of a configuration, randomly initialised."""
    if config.encoder == "conv":
        return ConvSentenceEncoder(config.word_dim, config.sentence_dim, config.kernel)
    return LstmSentenceEncoder(config.word_dim, config.sentence_dim, config.encoder == "bilstm")


def _check(words: Tensor, width: int) -> None:
    if words.ndim != 3 or words.shape[2] != width or words.shape[1] < 1:
        raise ShapeError(
            f"words must be (Q, L, {width}) with L >= 1, got {tuple(words.shape)}; "
            "do the word vectors fit the model?"
        )
