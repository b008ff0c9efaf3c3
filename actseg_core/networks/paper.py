"""The paper's network, one stream: I3D encoder, sentence encoder, dynamic-filter decoder."""

from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import ModelConfig, Stream, VideoConfig
from actseg_core.networks.decoder import Decoder
from actseg_core.networks.i3d import ENDPOINTS, I3d
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.sentence_encoder import build_sentence_encoder

NORM_FLOOR = 1e-6  # of a vector's length; TensorFlow's l2_normalize, and above 0 in float16


class VideoEncoder(nn.Module):
    """I3D to Mixed_4f, averaged over time, L2-normalised at every location.

    The spatial coordinates that the paper appends are added by the decoder, which needs them at
    every resolution.

    Args:
        config: Width, normalisation, and which layers train.
        in_channels: 3 for RGB, 2 for flow.

    Attributes:
        i3d: The network; `public_weights.load_pretrained` fills it.
        out_channels: C, 832 at width 1.

    Shape:
        clip:    (B, in_channels, T, H, W) float in [-1, 1], any T, H, W >= 1.
        returns: (B, C, ceil(H/16), ceil(W/16)) float.

    Raises:
        ShapeError: If the clip is not of that shape.
    """

    def __init__(self, config: VideoConfig, in_channels: int) -> None:
        super().__init__()
        self.config = config
        self.i3d = I3d(in_channels, config.width, config.endpoint)
        self.out_channels = self.i3d.out_channels
        self.set_trainable()

    def set_trainable(self) -> None:
        """Freeze what the configuration says: all but the last block, nothing, or everything.

        Frozen batch norms, and without `batch_statistics` all of them, use their stored
        statistics in training mode, too.
        """
        layers = {"all": ENDPOINTS, "last_block": (self.config.endpoint,), "none": ()}
        self.i3d.set_trainable(layers[self.config.trainable], self.config.batch_statistics)

    def forward(self, clip: Tensor) -> Tensor:
        return self.from_frozen(self.i3d.frozen_part(clip))

    def from_frozen(self, frozen: Tensor) -> Tensor:
        """The representation from what `i3d.frozen_part` gave: Mixed_4e's output in the paper."""
        features = self.i3d.trained_part(frozen).mean(dim=2)
        if not self.config.l2_normalise:
            return features
        return functional.normalize(features, dim=1, eps=NORM_FLOOR)


class ActorActionSegmenter(Segmenter):
    """Composition of the paper's three parts (sections 3.1 to 3.3); computes nothing itself.

    Args:
        config: The model's configuration.
        stream: "rgb" reads 3 channels, "flow" 2.
    """

    def __init__(self, config: ModelConfig, stream: Stream) -> None:
        super().__init__()
        self.video_encoder = VideoEncoder(config.video, in_channels=3 if stream == "rgb" else 2)
        self.sentence_encoder = build_sentence_encoder(config.text)
        self.decoder = Decoder(
            config.decoder,
            self.video_encoder.out_channels,
            config.text.sentence_dim,
            config.video.coordinates,
        )

    @property
    def pretrained(self) -> nn.Module:
        return self.video_encoder.i3d

    def encode_frozen(self, clip: Tensor) -> Tensor:
        """All of I3D before the first trained block: (B, C, T/4, S/16, S/16) of Mixed_4e."""
        return self.video_encoder.i3d.frozen_part(clip)

    def encode_from_frozen(self, frozen: Tensor) -> list[Tensor]:
        return self.decoder.features(self.video_encoder.from_frozen(self.in_own_type(frozen)))

    def frozen_state(self) -> dict[str, Tensor]:
        i3d = self.video_encoder.i3d
        return {
            f"{layer}.{name}": value
            for layer in i3d.frozen_layers
            for name, value in i3d.get_submodule(layer).state_dict().items()
        }

    def encode_sentences(self, words: Tensor) -> Tensor:
        sentences: Tensor = self.sentence_encoder(words)
        return sentences

    def dynamic_filters(self, sentences: Tensor) -> list[Tensor]:
        return self.decoder.dynamic_filters(sentences)

    def filter_features(self, features: list[Tensor], filters: list[Tensor]) -> list[Tensor]:
        return self.decoder.filter_features(features, filters)

    def respond(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        return self.decoder.respond(features, sentences)
