"""From the visual representation and sentence vectors to response maps (paper section 3.3)."""

from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import DecoderConfig
from actseg_core.decoder.coordinates import COORDINATE_CHANNELS, append_coordinates
from actseg_core.decoder.dynamic_filters import DynamicFilter
from actseg_core.decoder.upsample import UpsampleBlock
from actseg_core.errors import ShapeError


class Decoder(nn.Module):
    """Two deconvolution blocks on the video representation, one dynamic filter per resolution.

    With input side S the resolutions are S/16, S/4 and S: the paper's 32, 128 and 512.

    Args:
        config: Channels and options.
        in_channels: Channels of the visual representation.
        sentence_dim: Width of the sentence vectors.
        coordinates: Whether 8 coordinate channels join every map before its filter.
    """

    def __init__(
        self, config: DecoderConfig, in_channels: int, sentence_dim: int, coordinates: bool
    ) -> None:
        super().__init__()
        self.config = config
        self.coordinates = coordinates
        channels = (in_channels, *config.channels)
        self.blocks = nn.ModuleList(
            UpsampleBlock(inputs, outputs, config.activation)
            for inputs, outputs in zip(channels[:-1], channels[1:], strict=True)
        )
        answered = channels if config.multi_resolution else channels[-1:]
        extra = COORDINATE_CHANNELS if coordinates else 0
        self.filters = nn.ModuleList(
            DynamicFilter(sentence_dim, width + extra, config.filter_activation)
            for width in answered
        )

    def features(self, visual: Tensor) -> list[Tensor]:
        """Maps to filter, coarse to fine; only the finest without `multi_resolution`.

        Args:
            visual: (B, in_channels, S/16, S/16).
        """
        maps = [visual]
        for block in self.blocks:
            upsampled = block(maps[-1])
            maps.append(upsampled)
        if self.config.l2_upsampled:
            maps = [maps[0], *(functional.normalize(item, dim=1) for item in maps[1:])]
        maps = maps[-len(self.filters) :]
        return [append_coordinates(item) for item in maps] if self.coordinates else maps

    def respond(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        """Response maps (Q, r, r), coarse to fine, of features of Q clips or of one."""
        if len(features) != len(self.filters):
            raise ShapeError(
                f"this decoder answers at {len(self.filters)} resolutions, "
                f"got {len(features)} feature maps"
            )
        return [
            filter_(sentences, item) for filter_, item in zip(self.filters, features, strict=True)
        ]
