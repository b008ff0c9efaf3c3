"""The paper's network, one stream: I3D encoder, sentence encoder, dynamic-filter decoder."""

from torch import Tensor

from actseg_core.config import ModelConfig, Stream
from actseg_core.networks.decoder import Decoder
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.sentence_encoder import build_sentence_encoder
from actseg_core.networks.video_encoder import VideoEncoder


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

    def encode(self, clip: Tensor) -> list[Tensor]:
        return self.encode_from_frozen(self.encode_frozen(clip))

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
