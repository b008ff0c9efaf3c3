"""Hu et al., "Segmentation from natural language expressions" (ECCV 2016), the paper's [6]."""

from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import ModelConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.baseline_sentence import EmbeddedLstm
from actseg_core.networks.baseline_upsample import ResponseUpsampler
from actseg_core.networks.coordinates import COORDINATE_CHANNELS, coordinate_channels
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.vgg import FullyConvolutionalVgg16, single_frame

FORGET_BIAS = 1.0
FIRST_STD = 0.05  # initial deviations of the two 1x1 convolutions in the public code
SECOND_STD = 0.1


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
        self.sentence_encoder = EmbeddedLstm(config, FORGET_BIAS)
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

    def encode(self, clip: Tensor) -> list[Tensor]:
        """The first convolution's part over image and coordinates: one (B, hidden, S/32, S/32)."""
        return self.encode_from_frozen(self.encode_frozen(clip))

    def encode_frozen(self, clip: Tensor) -> Tensor:
        """pool5 of the frame, (B, C, S/32, S/32)."""
        return self.image_encoder.frozen_part(single_frame(clip))

    def encode_from_frozen(self, frozen: Tensor) -> list[Tensor]:
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
