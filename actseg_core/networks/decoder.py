"""From the visual representation and sentence vectors to response maps (paper section 3.3)."""

from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import DecoderConfig
from actseg_core.errors import ShapeError
from actseg_core.networks.filters import (
    COORDINATE_CHANNELS,
    DynamicFilter,
    UpsampleBlock,
    append_coordinates,
    score,
)
from actseg_core.networks.folded_decoder import fold, folded_response, is_foldable, ring_features


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
        return self.filter_features(features, self.dynamic_filters(sentences))

    def dynamic_filters(self, sentences: Tensor) -> list[Tensor]:
        """All that depends on the sentences alone, made once for any number of clips.

        Returns:
            (Q, C) filters, coarse to fine; if the last block can be folded, also the kernels and
            constants that `fold` makes of the finest.
        """
        filters = []
        for filter_ in self.filters:
            assert isinstance(filter_, DynamicFilter)
            filters.append(filter_.filters(sentences))
        if not self.folds:
            return filters
        return [*filters, *fold(self._blocks[1], filters[-1])]

    def filter_features(self, features: list[Tensor], filters: list[Tensor]) -> list[Tensor]:
        """Response maps of `features` from the filters of `dynamic_filters`.

        Raises:
            ShapeError: If the features are not this decoder's, or fit neither number of clips.
        """
        levels = len(self.filters)
        if len(features) not in (levels, levels + 1):
            raise ShapeError(
                f"this decoder answers at {levels} resolutions, "
                f"got {len(features)} feature maps; take those of its own features()"
            )
        if len(features) == levels:
            return [score(*pair) for pair in zip(filters, features, strict=False)]
        coarse = [score(*pair) for pair in zip(filters[: levels - 1], features, strict=False)]
        finest, *folded = filters[levels - 1 :]
        # Features of evaluation may be asked about while training, which folds nothing.
        kernels, constants = folded or fold(self._blocks[1], finest)
        inputs, ring = features[-2:]
        last = folded_response(inputs, ring, finest, kernels, constants, self.coordinates)
        return [*coarse, last]

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
