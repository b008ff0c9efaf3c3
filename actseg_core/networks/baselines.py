"""The image models that the paper compares with, Hu et al. [6] and Li et al. [15]."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import ModelConfig
from actseg_core.errors import ConfigError, ShapeError
from actseg_core.networks.filters import (
    COORDINATE_CHANNELS,
    DynamicFilter,
    append_coordinates,
    coordinate_channels,
)
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.sentence_encoder import build_sentence_encoder
from actseg_core.networks.vgg import FullyConvolutionalVgg16, single_frame

FORGET_GATE = slice(1, 2)  # torch orders an LSTM's gates input, forget, cell, output
GATES = 4
KERNEL = 64
STRIDE = 32
HU_FORGET_BIAS = 1.0
FIRST_STD = 0.05  # initial deviations of the two 1x1 convolutions in the public code
SECOND_STD = 0.1
LI_FORGET_BIAS = 0.0
__all__ = ["HuSegmenter", "LiSegmenter", "build_baseline"]


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


def bilinear_kernel(alignment: Literal["corner", "centre"]) -> Tensor:
    """The (64, 64) kernel with which the deconvolution interpolates bilinearly.

    Args:
        alignment: corner: the triangle peaks at tap 32, with weight 1, as in Hu et al.'s public
            code; the result lies half a pixel to the lower right. centre: it is symmetric about
            31.5, Caffe's bilinear filler, which Li et al.'s code names.
    """
    peak = STRIDE if alignment == "corner" else STRIDE - 0.5
    taps = 1 - (torch.arange(KERNEL) - peak).abs() / STRIDE
    return torch.outer(taps, taps)


class ResponseUpsampler(nn.Module):
    """Enlarge a response map 32 times; starts as bilinear interpolation and is trained.

    Args:
        alignment: As for `bilinear_kernel`.

    Shape:
        response: (Q, h, w) float logits.
        returns:  (Q, 32*h, 32*w) float logits.
    """

    def __init__(self, alignment: Literal["corner", "centre"]) -> None:
        super().__init__()
        # Padding 16 gives exactly 32 times the size: TensorFlow's SAME and Caffe's pad 16.
        self.deconvolution = nn.ConvTranspose2d(
            1, 1, KERNEL, stride=STRIDE, padding=(KERNEL - STRIDE) // 2, bias=False
        )
        with torch.no_grad():
            self.deconvolution.weight.copy_(bilinear_kernel(alignment))

    def forward(self, response: Tensor) -> Tensor:
        enlarged: Tensor = self.deconvolution(response.unsqueeze(1))
        return enlarged[:, 0]


class HuSegmenter(Segmenter):
    """Tile the sentence over the image, concatenate, classify every cell, enlarge.

    Sentence vector and fc8 are L2-normalised, then [sentence, fc8, 8 coordinates] goes through
    a 1x1 convolution with ReLU and one to a single channel; one learnt deconvolution follows.
    The first convolution is linear, so its part over fc8 and coordinates is computed once per
    clip and its part over the sentence once per sentence; the sum is the convolution of the tiled
    concatenation.

    Responses are at S/32 (the public code's low-resolution stage trains it alone) and S.

    Args:
        config: kind hu.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        visual = config.baseline.visual_dim
        self.sentence_dim = config.text.sentence_dim
        self.image_encoder = FullyConvolutionalVgg16(config.baseline)
        self.sentence_encoder = EmbeddedLstm(config, HU_FORGET_BIAS)
        joined = self.sentence_dim + visual + COORDINATE_CHANNELS
        self.first = nn.Conv2d(joined, config.baseline.hidden_dim, 1)
        self.second = nn.Conv2d(config.baseline.hidden_dim, 1, 1)
        self.upsample = ResponseUpsampler("corner")
        for layer, deviation in ((self.first, FIRST_STD), (self.second, SECOND_STD)):
            nn.init.normal_(layer.weight, std=deviation)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def set_trainable(self) -> None:
        """Freeze the image encoder's layers as configured; everything else trains."""
        self.requires_grad_(True)
        self.image_encoder.set_trainable()

    @property
    def pretrained(self) -> nn.Module:
        return self.image_encoder

    def encode_frozen(self, clip: Tensor) -> Tensor:
        """pool5 of the frame, (B, C, S/32, S/32)."""
        return self.image_encoder.frozen_part(single_frame(clip))

    def encode_from_frozen(self, frozen: Tensor) -> list[Tensor]:
        """The first convolution's part over image and coordinates: one (B, hidden, S/32, S/32)."""
        fc8 = self.image_encoder.from_frozen(self.in_own_type(frozen))
        scores = functional.normalize(fc8, dim=1)
        height, width = scores.shape[-2:]
        _, visual, place = self._first_weights()
        cells = coordinate_channels(height, width, scores.device, scores.dtype)
        seen = functional.conv2d(scores, visual, self.first.bias)
        return [seen + functional.conv2d(cells.unsqueeze(0), place)]

    def frozen_state(self) -> dict[str, Tensor]:
        return self.image_encoder.frozen_state()

    def encode_sentences(self, words: Tensor) -> Tensor:
        sentences: Tensor = self.sentence_encoder(words)
        return sentences

    def respond(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        (seen,) = features
        if len(seen) not in (1, len(sentences)):
            raise ShapeError(
                f"features must be of {len(sentences)} clips, one per sentence, or of 1, "
                f"got {len(seen)}"
            )
        language, _, _ = self._first_weights()
        said = functional.conv2d(functional.normalize(sentences)[..., None, None], language)
        low = self.second(functional.relu(seen + said))[:, 0]
        return [low, self.upsample(low)]

    def _first_weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """The first convolution's weights over sentence, fc8 and coordinates."""
        weight, end = self.first.weight, self.first.in_channels - COORDINATE_CHANNELS
        return weight[:, : self.sentence_dim], weight[:, self.sentence_dim : end], weight[:, end:]


class LiSegmenter(Segmenter):
    """One dynamic 1x1 filter per sentence over fc8 and coordinates, then enlarge.

    The filter is a fully connected layer with sigmoid on the sentence vector, without bias in the
    convolution; nothing is L2-normalised. The origin of the paper's dynamic filters (section 3.3).

    Responses are at S/32 (the public code's low-resolution stage trains it alone) and S.

    Args:
        config: kind li.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.image_encoder = FullyConvolutionalVgg16(config.baseline)
        self.sentence_encoder = EmbeddedLstm(config, LI_FORGET_BIAS)
        channels = config.baseline.visual_dim + COORDINATE_CHANNELS
        self.filter = DynamicFilter(config.text.sentence_dim, channels, "sigmoid")
        nn.init.xavier_uniform_(self.filter.to_filter.weight)
        nn.init.zeros_(self.filter.to_filter.bias)
        self.upsample = ResponseUpsampler("centre")

    def set_trainable(self) -> None:
        """Freeze the image encoder's layers as configured; everything else trains."""
        self.requires_grad_(True)
        self.image_encoder.set_trainable()

    @property
    def pretrained(self) -> nn.Module:
        return self.image_encoder

    def encode_frozen(self, clip: Tensor) -> Tensor:
        """pool5 of the frame, (B, C, S/32, S/32)."""
        return self.image_encoder.frozen_part(single_frame(clip))

    def encode_from_frozen(self, frozen: Tensor) -> list[Tensor]:
        """fc8 and the coordinates of every cell: one (B, visual_dim + 8, S/32, S/32)."""
        return [append_coordinates(self.image_encoder.from_frozen(self.in_own_type(frozen)))]

    def frozen_state(self) -> dict[str, Tensor]:
        return self.image_encoder.frozen_state()

    def encode_sentences(self, words: Tensor) -> Tensor:
        sentences: Tensor = self.sentence_encoder(words)
        return sentences

    def respond(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        (seen,) = features
        low = self.filter(sentences, seen)
        return [low, self.upsample(low)]


def build_baseline(config: ModelConfig) -> Segmenter:
    """The baseline of a configuration, randomly initialised.

    Raises:
        ConfigError: If the configuration describes no baseline.
    """
    if config.kind == "hu":
        return HuSegmenter(config)
    if config.kind == "li":
        return LiSegmenter(config)
    raise ConfigError(f"a baseline has kind hu or li, {config.name} has {config.kind}")
