"""From the visual representation and sentence vectors to response maps (paper section 3.3)."""

from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import DecoderConfig
from actseg_core.decoder.coordinates import COORDINATE_CHANNELS, append_coordinates
from actseg_core.decoder.dynamic_filters import DynamicFilter
from actseg_core.decoder.folded import folded_response, is_foldable, ring_features
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
        self.in_channels = in_channels
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

    @property
    def folds(self) -> bool:
        """Whether the last block is folded with the sentence: outside training, if it is linear.

        The answers are the same but for rounding; see folded.py.
        """
        return not self.training and is_foldable(self.config)

    def features(self, visual: Tensor) -> list[Tensor]:
        """Maps to filter, coarse to fine; only the finest without `multi_resolution`.

        Args:
            visual: (B, in_channels, S/16, S/16).

        Returns:
            (B, channels, r, r) maps, coordinates appended. If the decoder `folds`, the input of
            the last block and the ring of the finest map stand for the finest map.

        Raises:
            ShapeError: If the channels are not the encoder's, or the map is not square.
        """
        channels, height, width = visual.shape[1:]
        if channels != self.in_channels or height != width:
            raise ShapeError(
                f"the visual representation must be (B, {self.in_channels}, r, r), "
                f"got {tuple(visual.shape)}; is it the encoder's that the decoder was built for?"
            )
        first, last_block = self._blocks
        middle = first(visual)
        coarse = []
        if self.config.multi_resolution:
            coarse = [self._located(visual), self._located(self._normalised(middle))]
        if self.folds:
            return [*coarse, middle, ring_features(last_block, middle, self.coordinates)]
        return [*coarse, self._located(self._normalised(last_block(middle)))]

    def respond(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        """Response maps (Q, r, r), coarse to fine, of features of Q clips or of one.

        Raises:
            ShapeError: If the features are not this decoder's, or fit neither number of clips.
        """
        *coarse_filters, finest_filter = self.filters
        folded = len(features) == len(self.filters) + 1
        if not folded and len(features) != len(self.filters):
            raise ShapeError(
                f"this decoder answers at {len(self.filters)} resolutions, "
                f"got {len(features)} feature maps; take those of its own features()"
            )
        responses: list[Tensor] = [
            filter_(sentences, item)
            for filter_, item in zip(coarse_filters, features, strict=False)
        ]
        assert isinstance(finest_filter, DynamicFilter)
        if folded:
            inputs, ring = features[-2:]
            finest = folded_response(self._blocks[1], finest_filter, inputs, ring, sentences)
        else:
            finest = finest_filter(sentences, features[-1])
        return [*responses, finest]

    @property
    def _blocks(self) -> tuple[UpsampleBlock, UpsampleBlock]:
        first, last = self.blocks
        assert isinstance(first, UpsampleBlock)
        assert isinstance(last, UpsampleBlock)
        return first, last

    def _normalised(self, upsampled: Tensor) -> Tensor:
        """What a filter sees; the next block gets the map as it is."""
        return functional.normalize(upsampled, dim=1) if self.config.l2_upsampled else upsampled

    def _located(self, features: Tensor) -> Tensor:
        return append_coordinates(features) if self.coordinates else features
