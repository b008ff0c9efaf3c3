"""I3D, the inflated Inception-v1, whole: from RGB or flow clips to any endpoint or to logits.

Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017; layer names are theirs.
"""

from collections.abc import Collection
from typing import Self

from torch import Tensor, nn

from actseg_core.errors import ConfigError, ShapeError
from actseg_core.networks.inception import (
    BlockChannels,
    ConvUnit,
    InceptionBlock,
    SameMaxPool3d,
    Sizes,
)

STEM_CHANNELS = {"Conv3d_1a_7x7": 64, "Conv3d_2b_1x1": 64, "Conv3d_2c_3x3": 192}
STEM_KERNELS: dict[str, tuple[Sizes, Sizes]] = {
    "Conv3d_1a_7x7": ((7, 7, 7), (2, 2, 2)),
    "Conv3d_2b_1x1": ((1, 1, 1), (1, 1, 1)),
    "Conv3d_2c_3x3": ((3, 3, 3), (1, 1, 1)),
}
POOLS: dict[str, tuple[Sizes, Sizes]] = {
    "MaxPool3d_2a_3x3": ((1, 3, 3), (1, 2, 2)),
    "MaxPool3d_3a_3x3": ((1, 3, 3), (1, 2, 2)),
    "MaxPool3d_4a_3x3": ((3, 3, 3), (2, 2, 2)),
    "MaxPool3d_5a_2x2": ((2, 2, 2), (2, 2, 2)),
}
BLOCK_CHANNELS = {
    "Mixed_3b": BlockChannels(64, 96, 128, 16, 32, 32),
    "Mixed_3c": BlockChannels(128, 128, 192, 32, 96, 64),
    "Mixed_4b": BlockChannels(192, 96, 208, 16, 48, 64),
    "Mixed_4c": BlockChannels(160, 112, 224, 24, 64, 64),
    "Mixed_4d": BlockChannels(128, 128, 256, 24, 64, 64),
    "Mixed_4e": BlockChannels(112, 144, 288, 32, 64, 64),
    "Mixed_4f": BlockChannels(256, 160, 320, 32, 128, 128),
    "Mixed_5b": BlockChannels(256, 160, 320, 32, 128, 128),
    "Mixed_5c": BlockChannels(384, 192, 384, 48, 128, 128),
}
LOGITS = "Logits"
ENDPOINTS = (
    *("Conv3d_1a_7x7", "MaxPool3d_2a_3x3", "Conv3d_2b_1x1", "Conv3d_2c_3x3", "MaxPool3d_3a_3x3"),
    *("Mixed_3b", "Mixed_3c", "MaxPool3d_4a_3x3"),
    *("Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f", "MaxPool3d_5a_2x2"),
    *("Mixed_5b", "Mixed_5c", LOGITS),
)
"""All layers whose output can be had, in order of execution."""
KINETICS_CLASSES = 400
HEAD_WINDOW = (2, 7, 7)


def scaled(channels: int, width: float) -> int:
    """Number of channels of a layer after the channel multiplier, at least 1."""
    return max(1, round(channels * width))


class LogitsHead(nn.Module):
    """Average pooling, dropout and a 1x1x1 convolution; the mean of all its positions.

    At 224x224 the pooling window covers the whole map, as in the published network; larger maps
    give the mean over all windows, smaller ones and short clips a smaller window. [ours]
    """

    def __init__(self, inputs: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.conv = nn.Conv3d(inputs, classes, 1)

    def forward(self, features: Tensor) -> Tensor:
        # Means of all 2x7x7 windows, one axis after the other: avg_pool3d knows no bfloat16.
        pooled = features
        for axis, most in enumerate(HEAD_WINDOW, start=2):
            pooled = pooled.unfold(axis, min(features.shape[axis], most), 1).mean(dim=-1)
        scores: Tensor = self.conv(self.dropout(pooled))
        return scores.mean(dim=(2, 3, 4))


class I3d(nn.Module):
    """Inception-v1 3-D up to a final endpoint.

    Args:
        in_channels: 3 for RGB, 2 for flow.
        width: Channel multiplier in (0, 1]; 1 is the published network.
        final: Last endpoint that is built; "Logits" for the classifier.
        classes: Outputs of the classifier; 400 for Kinetics.
        dropout: Probability of dropping a channel before the classifier, while training.

    Shape:
        clip:    (B, in_channels, T, H, W) float in [-1, 1], any T, H, W >= 1. On a CPU the layout
            torch.channels_last_3d is fastest, which `image.rgb_to_tensor` gives.
        returns: (B, C, T', H', W') float of the final endpoint, each side divided by the strides
            so far and rounded up (Mixed_4f: T/4, H/16, W/16); (B, classes) float for "Logits",
            scores before softmax or sigmoid, averaged over time.

    Raises:
        ConfigError: If there is no such endpoint.
        ShapeError: If the clip is not of that shape.
    """

    def __init__(
        self,
        in_channels: int,
        width: float = 1.0,
        final: str = LOGITS,
        classes: int = KINETICS_CLASSES,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.layers = ENDPOINTS[: _index(final) + 1]
        self.trained: frozenset[str] = frozenset(self.layers)
        self.batch_statistics = True
        channels = in_channels
        for name in self.layers:
            if name == LOGITS:
                self.add_module(name, LogitsHead(channels, classes, dropout))
            elif name in POOLS:
                self.add_module(name, SameMaxPool3d(*POOLS[name]))
            else:
                channels = self._add_convolutions(name, channels, width)
        self.out_channels = classes if final == LOGITS else channels

    def _add_convolutions(self, name: str, channels: int, width: float) -> int:
        """Add a stem layer or an inception block; the number of channels that it gives."""
        if name in STEM_CHANNELS:
            unit = ConvUnit(channels, scaled(STEM_CHANNELS[name], width), *STEM_KERNELS[name])
            self.add_module(name, unit)
            return unit.conv.out_channels
        widths = BlockChannels(*(scaled(count, width) for count in BLOCK_CHANNELS[name]))
        self.add_module(name, InceptionBlock(channels, widths))
        return widths.total

    def forward(self, clip: Tensor) -> Tensor:
        return self.trained_part(self.frozen_part(clip))

    @property
    def frozen_layers(self) -> tuple[str, ...]:
        """The layers before the first trained one: all that no training changes."""
        trained = [index for index, name in enumerate(self.layers) if name in self.trained]
        return self.layers[: trained[0]] if trained else self.layers

    def frozen_part(self, clip: Tensor) -> Tensor:
        """What the frozen layers make of a clip; the clip itself where there are none."""
        self._check(clip)
        for name in self.frozen_layers:
            clip = self.get_submodule(name)(clip)
        return clip

    def trained_part(self, features: Tensor) -> Tensor:
        """The output of the network from what `frozen_part` gave."""
        for name in self.layers[len(self.frozen_layers) :]:
            features = self.get_submodule(name)(features)
        return features

    def endpoints(self, clip: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """Outputs of the named layers of one forward pass.

        Raises:
            ConfigError: If one of them is not part of this network.
        """
        if unknown := set(names) - set(self.layers):
            raise ConfigError(
                f"{', '.join(sorted(unknown))} is not an endpoint of this I3D; it has "
                f"{', '.join(self.layers)}"
            )
        self._check(clip)
        outputs: dict[str, Tensor] = {}
        for name in self.layers:
            if len(outputs) == len(set(names)):
                break
            clip = self.get_submodule(name)(clip)
            if name in names:
                outputs[name] = clip
        return outputs

    def _check(self, clip: Tensor) -> None:
        if clip.ndim != 5 or clip.shape[1] != self.in_channels or 0 in clip.shape:
            raise ShapeError(
                f"this I3D reads clips (B, {self.in_channels}, T, H, W) with 3 channels for rgb "
                f"and 2 for flow, got {tuple(clip.shape)}"
            )

    def set_trainable(self, names: Collection[str], batch_statistics: bool = True) -> None:
        """Train only the named layers; parameters of all others are frozen.

        Args:
            names: Endpoints with parameters; `ENDPOINTS` for all.
            batch_statistics: Whether batch norms of those layers use and update the statistics
                of the batch in training mode. All others always use their stored ones.
        """
        self.trained = frozenset(names) & frozenset(self.layers)
        self.batch_statistics = batch_statistics
        for name in self.layers:
            self.get_submodule(name).requires_grad_(name in self.trained)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set training mode; batch norms with frozen statistics stay in evaluation mode."""
        super().train(mode)
        for name in self.layers:
            if not self.batch_statistics or name not in self.trained:
                for module in self.get_submodule(name).modules():
                    if isinstance(module, nn.BatchNorm3d):
                        module.eval()
        return self


def _index(endpoint: str) -> int:
    """Place of an endpoint in the order of execution."""
    if endpoint not in ENDPOINTS:
        raise ConfigError(
            f"I3D has no endpoint {endpoint!r}; choose one of {', '.join(ENDPOINTS)}"
        )
    return ENDPOINTS.index(endpoint)
