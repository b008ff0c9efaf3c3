"""Building blocks of Inception-v1 3-D with TensorFlow's "SAME" padding at any input size.

Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017, figure 3.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH_NORM_EPS = 1e-3
BATCH_NORM_MOMENTUM = 0.01

Sizes = tuple[int, int, int]
"""Values for time, height and width."""


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


class SameConv3d(nn.Conv3d):
    """Convolution with "SAME" padding; its output is ceil(T/st), ceil(H/sh), ceil(W/sw).

    The padding is part of the convolution wherever it is symmetric; only otherwise is the input
    copied into a padded one.
    """

    def forward(self, inputs: Tensor) -> Tensor:
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
