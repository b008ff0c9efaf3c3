"""I3D, the inflated Inception-v1, whole: from RGB or flow clips to any endpoint or to logits.

Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017; layer names are theirs.
"""

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import Self

from actseg_core.errors import ConfigError, ShapeError

BATCH_NORM_EPS = 1e-3
BATCH_NORM_MOMENTUM = 0.01

Sizes = tuple[int, int, int]
"""Values for time, height and width."""
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


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one dimension so that ceil(size / stride) outputs result.

    TensorFlow's rule: an odd total puts the extra zero behind, so that 7/2 pads an even size by
    (2, 3) and 3/2 by (0, 1).
    """
    covered = size % stride or stride  # how much of the input the last window has to reach
    total = max(kernel - covered, 0)
    return total // 2, total - total // 2


def _paddings(
    inputs: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Zeros before and after time, height and width of a (B, C, T, H, W) input."""
    # The TorchScript tracer, which writes ONNX, takes sizes for tensors unless told otherwise.
    sizes = [int(size) for size in inputs.shape[2:]]
    return [same_padding(*values) for values in zip(sizes, kernel, stride, strict=True)]


def _is_wrong_in_16_bits(inputs: Tensor, kernel: tuple[int, ...]) -> bool:
    """Whether PyTorch 2.13's oneDNN would get the weights' gradient wrong, often infinite.

    It does on processors with bfloat16 for 3x3x3 kernels on clips of two frames, which 16 frames
    are in Mixed_5b and 5c, whatever their other sides; outputs and other gradients are right.
    """
    is_training = inputs.device.type == "cpu" and torch.is_grad_enabled()
    mixed = is_training and torch.is_autocast_enabled("cpu")
    return mixed and kernel[0] == 3 and inputs.shape[2] == 2


class SameConv3d(nn.Conv3d):
    """Convolution with "SAME" padding; its output is ceil(T/st), ceil(H/sh), ceil(W/sw).

    The padding is part of the convolution wherever it is symmetric; only otherwise is the input
    copied into a padded one.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        if _is_wrong_in_16_bits(inputs, self.kernel_size):
            with torch.autocast("cpu", enabled=False):
                return self._convolved(inputs.float())
        return self._convolved(inputs)

    def _convolved(self, inputs: Tensor) -> Tensor:
        pads = _paddings(inputs, self.kernel_size, self.stride)
        if any(front != back for front, back in pads):
            (t0, t1), (h0, h1), (w0, w1) = pads
            inputs = functional.pad(inputs, (w0, w1, h0, h1, t0, t1))
            padding = (0, 0, 0)
        else:
            padding = (pads[0][0], pads[1][0], pads[2][0])
        return functional.conv3d(inputs, self.weight, self.bias, self.stride, padding)


class SameMaxPool3d(nn.Module):
    """Max pooling with "SAME" padding, whose padding never wins the maximum.

    The cells in front are the pooling's own padding and the possible extra one behind is what
    `ceil_mode` adds, so that nothing is copied. Kernels up to 3 and strides up to 2.
    """

    def __init__(self, kernel: Sizes, stride: Sizes) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, inputs: Tensor) -> Tensor:
        t, h, w = (front for front, _ in _paddings(inputs, self.kernel, self.stride))
        return functional.max_pool3d(
            inputs, self.kernel, self.stride, padding=(t, h, w), ceil_mode=True
        )


class ConvUnit(nn.Module):
    """Convolution without bias, batch norm with eps 1e-3, ReLU: I3D's "Unit3D"."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Sizes = (1, 1, 1), stride: Sizes = (1, 1, 1)
    ) -> None:
        super().__init__()
        self.conv = SameConv3d(inputs, outputs, kernel, stride, bias=False)
        self.norm = nn.BatchNorm3d(outputs, eps=BATCH_NORM_EPS, momentum=BATCH_NORM_MOMENTUM)
        # Keeps the size of activations through 20 layers when nothing is loaded.
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(inputs)), inplace=True)


class BlockChannels(NamedTuple):
    """Channels of the convolutions of an inception block."""

    single: int
    """Branch 0: 1x1x1."""
    reduce1: int
    """Branch 1: 1x1x1 before ..."""
    expand1: int
    """... 3x3x3."""
    reduce2: int
    """Branch 2: 1x1x1 before ..."""
    expand2: int
    """... 3x3x3."""
    pooled: int
    """Branch 3: 1x1x1 after 3x3x3 max pooling."""

    @property
    def total(self) -> int:
        """Channels that the block gives."""
        return self.single + self.expand1 + self.expand2 + self.pooled


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


class InceptionBlock(nn.Module):
    """Four branches over the same input, concatenated over channels; keeps T, H and W."""

    def __init__(self, inputs: int, channels: BlockChannels) -> None:
        super().__init__()
        cube = (3, 3, 3)
        self.branch_0 = ConvUnit(inputs, channels.single)
        self.branch_1 = nn.Sequential(
            ConvUnit(inputs, channels.reduce1), ConvUnit(channels.reduce1, channels.expand1, cube)
        )
        self.branch_2 = nn.Sequential(
            ConvUnit(inputs, channels.reduce2), ConvUnit(channels.reduce2, channels.expand2, cube)
        )
        self.branch_3 = nn.Sequential(
            SameMaxPool3d(cube, (1, 1, 1)), ConvUnit(inputs, channels.pooled)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        branches = (self.branch_0, self.branch_1, self.branch_2, self.branch_3)
        return torch.cat([branch(inputs) for branch in branches], dim=1)


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
            torch.channels_last_3d is fastest, which `tensors.network_input` gives.
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
