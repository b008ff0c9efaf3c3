"""One frame's features for objects: ImageNet trunk with its names, and COCO detector."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.networks.detector import Detector
from actseg_core.networks.efficientnet import ConvNorm, EfficientNetLite0

IMAGENET_CLASSES = 1000
TRUNK_TOP = 320
NAMES_TEMPERATURE = 1.7
"""Averages over a mask have longer logits than averages over a whole photograph. [ours]"""
FEATURE_CHANNELS = (24, 40 + 64, 112 + 128, TRUNK_TOP + 256)


class FrameFeatures(NamedTuple):
    """What both networks say of N frames of side S.

    Attributes:
        stride4: (N, 24, S/4, S/4), of the ImageNet trunk.
        stride8: (N, 104, S/8, S/8), of trunk and detector's neck.
        stride16: (N, 240, S/16, S/16), of both.
        stride32: (N, 576, S/32, S/32), of both, the trunk's 320 channels first.
        boxes: (N, A, 4) centre x, y, width, height [px].
        objectness: (N, A) logits.
        classes: (N, A, 80) logits, in COCO's order.
    """

    stride4: Tensor
    stride8: Tensor
    stride16: Tensor
    stride32: Tensor
    boxes: Tensor
    objectness: Tensor
    classes: Tensor


class NamesHead(nn.Module):
    """The classifier that EfficientNet-Lite0 was trained with, applied where it is wanted.

    On an average over a region it is what the network was trained to do; on single cells it
    names places.
    """

    def __init__(self) -> None:
        super().__init__()
        self.expand = ConvNorm(TRUNK_TOP, 1280)
        self.classify = nn.Linear(1280, IMAGENET_CLASSES)

    def forward(self, stride32: Tensor) -> Tensor:
        """(N, 320 or more, h, w) features to (N, 1280, h, w), ready to be averaged."""
        result: Tensor = self.expand(stride32[:, :TRUNK_TOP])
        return result

    def probabilities(self, pooled: Tensor) -> Tensor:
        """(..., 1280) averages to (..., 1000) class probabilities."""
        return functional.softmax(self.classify(pooled) / NAMES_TEMPERATURE, dim=-1)


class FrameTrunk(nn.Module):
    """Both networks of one frame.

    Shape:
        frames: (N, 3, S, S) RGB in [-1, 1], S a multiple of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = EfficientNetLite0()
        self.detector = Detector()
        self.names = NamesHead()

    def forward(self, frames: Tensor) -> FrameFeatures:
        pyramid = self.trunk(frames)
        found = self.detector(frames)
        levels = zip(
            (pyramid.stride8, pyramid.stride16, pyramid.stride32), found.neck, strict=True
        )
        at8, at16, at32 = (torch.cat(pair, dim=1) for pair in levels)
        return FrameFeatures(
            pyramid.stride4, at8, at16, at32, found.boxes, found.objectness, found.classes
        )

    def load_imagenet(self, state: Mapping[str, Tensor]) -> None:
        """Take over trunk and classifier of the published EfficientNet-Lite0."""
        self.trunk.load_imagenet(dict(state))
        convolution, norm = self.names.expand[0], self.names.expand[1]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        with torch.no_grad():
            convolution.weight.copy_(state["_conv_head.weight"])
            for ours, theirs in (
                (norm.weight, "weight"),
                (norm.bias, "bias"),
                (norm.running_mean, "running_mean"),
                (norm.running_var, "running_var"),
            ):
                assert ours is not None
                ours.copy_(state[f"_bn1.{theirs}"])
            self.names.classify.weight.copy_(state["_fc.weight"])
            self.names.classify.bias.copy_(state["_fc.bias"])
