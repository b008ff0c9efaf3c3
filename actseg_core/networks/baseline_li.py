"""Li et al., "Tracking by natural language specification" (CVPR 2017), the paper's [15].

Only its first model is meant, which finds the target of a sentence in one image.
"""

from torch import Tensor, nn

from actseg_core.config import ModelConfig
from actseg_core.networks.baseline_sentence import EmbeddedLstm
from actseg_core.networks.baseline_upsample import ResponseUpsampler
from actseg_core.networks.coordinates import COORDINATE_CHANNELS, append_coordinates
from actseg_core.networks.filters import DynamicFilter
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.vgg import FullyConvolutionalVgg16, single_frame

FORGET_BIAS = 0.0


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
        self.sentence_encoder = EmbeddedLstm(config, FORGET_BIAS)
        channels = config.baseline.visual_dim + COORDINATE_CHANNELS
        self.filter = DynamicFilter(config.text.sentence_dim, channels, "sigmoid")
        nn.init.xavier_uniform_(self.filter.to_filter.weight)
        nn.init.zeros_(self.filter.to_filter.bias)
        self.upsample = ResponseUpsampler("centre")

    def set_trainable(self) -> None:
        """Freeze the image encoder's layers as configured; everything else trains."""
        self.requires_grad_(True)
        self.image_encoder.set_trainable()

    def encode(self, clip: Tensor) -> list[Tensor]:
        """fc8 and the coordinates of every cell: one (B, visual_dim + 8, S/32, S/32)."""
        return self.encode_from_frozen(self.encode_frozen(clip))

    def encode_frozen(self, clip: Tensor) -> Tensor:
        """pool5 of the frame, (B, C, S/32, S/32)."""
        return self.image_encoder.frozen_part(single_frame(clip))

    def encode_from_frozen(self, frozen: Tensor) -> list[Tensor]:
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
