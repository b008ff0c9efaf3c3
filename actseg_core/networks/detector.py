"""YOLOX-nano, the detector behind the objects: boxes, COCO classes, and features of its neck.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (arXiv 2107.08430): CSPDarknet and PAFPN at depth
0.33 and width 0.25 with depthwise convolutions, decoupled anchor-free head. Batch norms are folded
into the convolutions, as in the public ONNX file (Megvii, Apache-2.0) that training starts from.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 80
STRIDES = (8, 16, 32)
NECK_CHANNELS = (64, 128, 256)


class Detections(NamedTuple):
    """What the detector says of N frames of side S.

    Attributes:
        neck: Features at strides 8, 16 and 32: (N, 64 | 128 | 256, S/stride, S/stride).
        boxes: (N, A, 4) centre x, y, width, height [px of the input], A anchors: the cells of
            the three strides, row by row.
        objectness: (N, A) logits.
        classes: (N, A, 80) logits, in COCO's order.
    """

    neck: tuple[Tensor, Tensor, Tensor]
    boxes: Tensor
    objectness: Tensor
    classes: Tensor


class _Conv(nn.Module):
    """Convolution with bias and SiLU; padding keeps the size at stride 1."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)

    def forward(self, features: Tensor) -> Tensor:
        return functional.silu(self.conv(features))


def _depthwise(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_Conv(inputs, inputs, 3, stride, groups=inputs), _Conv(inputs, outputs))


class _Bottleneck(nn.Module):
    def __init__(self, channels: int, identity: bool) -> None:
        super().__init__()
        self.reduce = _Conv(channels, channels)
        self.spatial = _depthwise(channels, channels)
        self.identity = identity

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.spatial(self.reduce(features))
        return features + result if self.identity else result


class _Csp(nn.Module):
    """Cross-stage partial block: half of the channels pass the bottlenecks."""

    def __init__(self, inputs: int, outputs: int, repeats: int, identity: bool = True) -> None:
        super().__init__()
        hidden = outputs // 2
        self.main = _Conv(inputs, hidden)
        self.short = _Conv(inputs, hidden)
        self.blocks = nn.Sequential(*(_Bottleneck(hidden, identity) for _ in range(repeats)))
        self.join = _Conv(2 * hidden, outputs)

    def forward(self, features: Tensor) -> Tensor:
        main = self.main(features)
        short = self.short(features)
        result: Tensor = self.join(torch.cat((self.blocks(main), short), dim=1))
        return result


class _PyramidPooling(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = _Conv(channels, channels // 2)
        self.join = _Conv(2 * channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        reduced = self.reduce(features)
        pooled = [functional.max_pool2d(reduced, size, 1, size // 2) for size in (5, 9, 13)]
        result: Tensor = self.join(torch.cat((reduced, *pooled), dim=1))
        return result


class _Stem(_Conv):
    """First convolution, on 2x2 blocks of pixels; outside the picture all is black (-1)."""

    def __init__(self) -> None:
        super().__init__(12, 16, 3)
        self.conv.padding = (0, 0)

    def forward(self, frames: Tensor) -> Tensor:
        blocks = functional.pad(_space_to_depth(frames), (1, 1, 1, 1), value=-1.0)
        return super().forward(blocks)


class _Head(nn.Module):
    """Classes, box and objectness of one stride."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.stem = _Conv(inputs, 64)
        self.class_features = nn.Sequential(_depthwise(64, 64), _depthwise(64, 64))
        self.classes = nn.Conv2d(64, CLASSES, 1)
        self.box_features = nn.Sequential(_depthwise(64, 64), _depthwise(64, 64))
        self.box = nn.Conv2d(64, 4, 1)
        self.objectness = nn.Conv2d(64, 1, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        stem = self.stem(features)
        classes = self.classes(self.class_features(stem))
        box_features = self.box_features(stem)
        return self.box(box_features), self.objectness(box_features), classes


class Detector(nn.Module):
    """YOLOX-nano.

    Shape:
        frames: (N, 3, H, W) RGB in [-1, 1], H and W multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Stem()
        self.dark2 = nn.Sequential(_depthwise(16, 32, 2), _Csp(32, 32, 1))
        self.dark3 = nn.Sequential(_depthwise(32, 64, 2), _Csp(64, 64, 3))
        self.dark4 = nn.Sequential(_depthwise(64, 128, 2), _Csp(128, 128, 3))
        self.dark5 = nn.Sequential(
            _depthwise(128, 256, 2), _PyramidPooling(256), _Csp(256, 256, 1, identity=False)
        )
        self.lateral5 = _Conv(256, 128)
        self.down4 = _Csp(256, 128, 1, identity=False)
        self.lateral4 = _Conv(128, 64)
        self.down3 = _Csp(128, 64, 1, identity=False)
        self.up3 = _depthwise(64, 64, 2)
        self.up4 = _Csp(128, 128, 1, identity=False)
        self.up4_5 = _depthwise(128, 128, 2)
        self.up5 = _Csp(256, 256, 1, identity=False)
        self.heads = nn.ModuleList(_Head(channels) for channels in NECK_CHANNELS)

    def forward(self, frames: Tensor) -> Detections:
        neck = self._neck(frames)
        boxes, objectness, classes = [], [], []
        for head, features, stride in zip(self.heads, neck, STRIDES, strict=True):
            box, objects, names = head(features)
            boxes.append(_decode(box, stride))
            objectness.append(objects.flatten(1))
            classes.append(names.flatten(2).transpose(1, 2))
        return Detections(
            neck, torch.cat(boxes, 1), torch.cat(objectness, 1), torch.cat(classes, 1)
        )

    def _neck(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at8 = self.dark3(self.dark2(self.stem(frames)))
        at16 = self.dark4(at8)
        top = self.lateral5(self.dark5(at16))
        middle = self.lateral4(self.down4(torch.cat((_double(top), at16), dim=1)))
        neck3 = self.down3(torch.cat((_double(middle), at8), dim=1))
        neck4 = self.up4(torch.cat((self.up3(neck3), middle), dim=1))
        neck5 = self.up5(torch.cat((self.up4_5(neck4), top), dim=1))
        return neck3, neck4, neck5


def _space_to_depth(frames: Tensor) -> Tensor:
    """(N, 3, H, W) to (N, 12, H/2, W/2), in YOLOX's order: the columns of each 2x2 block."""
    even, odd = frames[..., ::2, :], frames[..., 1::2, :]
    return torch.cat((even[..., ::2], odd[..., ::2], even[..., 1::2], odd[..., 1::2]), dim=1)


def _double(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _decode(box: Tensor, stride: int) -> Tensor:
    """(N, 4, h, w) offsets and log sizes in cells to (N, h*w, 4) boxes [px]."""
    height, width = box.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, dtype=box.dtype, device=box.device),
        torch.arange(width, dtype=box.dtype, device=box.device),
        indexing="ij",
    )
    centre = (box[:, :2] + torch.stack((x, y))) * stride
    size = torch.exp(box[:, 2:]) * stride
    return torch.cat((centre, size), dim=1).flatten(2).transpose(1, 2)


def load_public_weights(detector: Detector, tensors: list[tuple[Tensor, Tensor]]) -> None:
    """Take over weight and bias of the public file's convolutions, in order of execution.

    The file reads BGR in [0, 255]; ours RGB in [-1, 1], which the first convolution absorbs.

    Raises:
        ValueError: If there are more, fewer or other convolutions than the network has.
    """
    order: list[nn.Conv2d] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: order.append(module))
        for module in detector.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.inference_mode():
        detector(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    if [tuple(w.shape) for w, _ in tensors] != [tuple(c.weight.shape) for c in order]:
        raise ValueError("these are not the convolutions of YOLOX-nano")
    with torch.no_grad():
        for convolution, (weight, bias) in zip(order, tensors, strict=True):
            convolution.weight.copy_(weight)
            assert convolution.bias is not None
            convolution.bias.copy_(bias)
        first = order[0]
        blocks = first.weight.view(16, 4, 3, 3, 3).flip(2).reshape(16, 12, 3, 3)
        assert first.bias is not None
        first.bias += blocks.sum(dim=(1, 2, 3)) * 127.5
        first.weight.copy_(blocks * 127.5)
