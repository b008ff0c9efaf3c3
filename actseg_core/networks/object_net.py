"""From one frame's features to objects: a mask for each box, and what the object looks like.

The paper's scheme turned from sentences to objects: a small network makes the weights of dynamic
filters (equations 1 and 2; here three layers of them, as in CondInst, Tian et al. 2020) from what
lies inside an object's box, and the filters' response map is that object's mask.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.networks.efficientnet import ConvNorm
from actseg_core.networks.object_features import FEATURE_CHANNELS, FrameFeatures

JOINED = (128, 96, 48)
MASK_CHANNELS = 16
PLACE_CHANNELS = 3
HIDDEN = 8
INSIDE = JOINED[0] + JOINED[1]
"""Channels of an average over an object's mask."""
AROUND = 2 * INSIDE
"""Channels of the averages over its box and around its centre."""
STRIDE = 4


class Joined(NamedTuple):
    """Features at strides 16, 8 and 4: (N, 128 | 96 | 16, S/stride, S/stride)."""

    stride16: Tensor
    stride8: Tensor
    masks: Tensor


class Smooth(nn.Sequential):
    """Depthwise 5x5 then pointwise convolution, each with norm and ReLU6."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            ConvNorm(channels, channels, 5, groups=channels), ConvNorm(channels, channels)
        )


class FeatureJoin(nn.Module):
    """Top-down join of the four strides' features."""

    def __init__(self) -> None:
        super().__init__()
        at16, at8, at4 = JOINED
        from4, from8, from16, from32 = FEATURE_CHANNELS
        self.lateral32 = nn.Conv2d(from32, at16, 1)
        self.lateral16 = nn.Conv2d(from16, at16, 1)
        self.lateral8 = nn.Conv2d(from8, at8, 1)
        self.lateral4 = nn.Conv2d(from4, at4, 1)
        self.down16 = nn.Conv2d(at16, at8, 1)
        self.down8 = nn.Conv2d(at8, at4, 1)
        self.smooth16 = nn.Sequential(Smooth(at16), Smooth(at16))
        self.smooth8 = nn.Sequential(Smooth(at8), Smooth(at8))
        self.smooth4 = nn.Sequential(Smooth(at4), Smooth(at4))
        self.to_masks = nn.Conv2d(at4, MASK_CHANNELS, 1)

    def forward(self, features: FrameFeatures) -> Joined:
        joined16 = self.smooth16(
            _double(self.lateral32(features.stride32)) + self.lateral16(features.stride16)
        )
        joined8 = self.smooth8(_double(self.down16(joined16)) + self.lateral8(features.stride8))
        joined4 = self.smooth4(_double(self.down8(joined8)) + self.lateral4(features.stride4))
        return Joined(joined16, joined8, self.to_masks(joined4))


class MaskHead(nn.Module):
    """Dynamic filters of each object and their response map.

    Args:
        known: Channels of what is known of an object.

    Shape:
        joined: of one frame of H rows and W columns.
        boxes: (K, 4) centre x, y, width, height [px of the input].
        known: (K, inputs).
        side: [px] what boxes are measured by: that of the square that the frame was resized to.
        returns: (K, H/4, W/4) logits.
    """

    def __init__(self, known: int) -> None:
        super().__init__()
        inputs = MASK_CHANNELS + PLACE_CHANNELS
        self.sizes = (inputs * HIDDEN, HIDDEN, HIDDEN * HIDDEN, HIDDEN, HIDDEN, 1)
        self.to_filters = nn.Sequential(
            nn.Linear(known + 4, 256), nn.ReLU(), nn.Linear(256, sum(self.sizes))
        )

    def forward(self, joined: Joined, boxes: Tensor, known: Tensor, side: int) -> Tensor:
        shape = torch.stack((boxes[:, 2], boxes[:, 3], boxes[:, 0], boxes[:, 1]), dim=1) / side
        parts = self.to_filters(torch.cat((known, shape), dim=1)).split(self.sizes, dim=1)
        count = boxes.shape[0]
        first = parts[0].view(count, HIDDEN, -1)
        pixels = joined.masks[0].flatten(1)  # (16, P)
        places = box_places(boxes, sides(joined.masks))  # (K, 3, P)
        hidden = torch.matmul(first[:, :, :MASK_CHANNELS].reshape(-1, MASK_CHANNELS), pixels)
        hidden = hidden.view(count, HIDDEN, -1)
        hidden = hidden + torch.bmm(first[:, :, MASK_CHANNELS:], places) + parts[1].unsqueeze(2)
        second = parts[2].view(count, HIDDEN, HIDDEN)
        hidden = torch.bmm(second, torch.relu(hidden)) + parts[3].unsqueeze(2)
        response = torch.bmm(parts[4].unsqueeze(1), torch.relu(hidden)) + parts[5].unsqueeze(2)
        result: Tensor = response.view(count, *sides(joined.masks))
        return result


def box_places(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """Place of each cell in each box's own coordinates: (K, 3, h*w).

    x and y from -1 to 1 inside the box (at most 3 outside), and the greater of their amounts.
    """
    x, y = cell_centres(shape, STRIDE, boxes)
    across = ((x - boxes[:, 0:1]) / (boxes[:, 2:3] / 2).clamp(min=1)).clamp(-3, 3)
    down = ((y - boxes[:, 1:2]) / (boxes[:, 3:4] / 2).clamp(min=1)).clamp(-3, 3)
    wide = across.unsqueeze(1).expand(-1, shape[0], -1)
    high = down.unsqueeze(2).expand(-1, -1, shape[1])
    return torch.stack((wide, high, torch.maximum(wide.abs(), high.abs())), dim=1).flatten(2)


def cell_centres(shape: tuple[int, int], stride: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """x of the columns (1, w) and y of the rows (1, h) [px]."""
    x = (torch.arange(shape[1], device=like.device, dtype=like.dtype) + 0.5) * stride
    y = (torch.arange(shape[0], device=like.device, dtype=like.dtype) + 0.5) * stride
    return x.unsqueeze(0), y.unsqueeze(0)


def box_weights(boxes: Tensor, shape: tuple[int, int], stride: int) -> Tensor:
    """How much each cell counts for each box, (K, 2, h*w), each row summing to 1.

    The first is the share of the cell inside the box, the second falls off from its centre.
    """
    x, y = cell_centres(shape, stride, boxes)
    half = boxes[:, 2:] / 2
    inside_x = (half[:, 0:1] + stride / 2 - (x - boxes[:, 0:1]).abs()).clamp(0, stride)
    inside_y = (half[:, 1:2] + stride / 2 - (y - boxes[:, 1:2]).abs()).clamp(0, stride)
    spread = half.clamp(min=stride) / 2
    near_x = torch.exp(-(((x - boxes[:, 0:1]) / spread[:, 0:1]) ** 2) / 2)
    near_y = torch.exp(-(((y - boxes[:, 1:2]) / spread[:, 1:2]) ** 2) / 2)
    rows = torch.stack((inside_y, near_y), dim=1)
    columns = torch.stack((inside_x, near_x), dim=1)
    weights = (rows.unsqueeze(3) * columns.unsqueeze(2)).flatten(2)
    return weights / weights.sum(dim=2, keepdim=True).clamp(min=1e-6)


class ObjectNetwork(nn.Module):
    """Masks and embeddings of given boxes of one frame; see `FrameTrunk` for where boxes come
    from.

    Each object is looked at twice: what lies in its box gives a first mask, and what lies inside
    of that mask, with the box, gives the mask that counts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.join = FeatureJoin()
        self.first = MaskHead(AROUND)
        self.second = MaskHead(AROUND + INSIDE)
        self.quality = nn.Sequential(nn.Linear(AROUND + INSIDE, 64), nn.ReLU(), nn.Linear(64, 1))

    def around(self, joined: Joined, boxes: Tensor) -> Tensor:
        """(K, AROUND): averages of the joined features over each box, and around its centre."""
        found = []
        for features, stride in ((joined.stride16, 16), (joined.stride8, 8)):
            weights = box_weights(boxes, sides(features), stride)
            pooled = torch.matmul(weights.flatten(0, 1), features[0].flatten(1).t())
            found.append(pooled.view(boxes.shape[0], -1))
        return torch.cat(found, dim=1)

    def inside(self, joined: Joined, masks: Tensor) -> Tensor:
        """(K, INSIDE): averages over (K, H/4, W/4) probabilities."""
        found = []
        for features, cells in ((joined.stride16, 4), (joined.stride8, 2)):
            weights = functional.avg_pool2d(masks.unsqueeze(1), cells).flatten(1)
            weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-3)
            found.append(torch.matmul(weights, features[0].flatten(1).t()))
        return torch.cat(found, dim=1)

    def forward(
        self, joined: Joined, boxes: Tensor, side: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mask logits (K, H/4, W/4), first masks likewise, the logit of each mask's expected IoU
        (K,), embeddings (K, INSIDE)."""
        around = self.around(joined, boxes)
        first = self.first(joined, boxes, around, side)
        inside = self.inside(joined, torch.sigmoid(first))
        known = torch.cat((around, inside), dim=1)
        return self.second(joined, boxes, known, side), first, self.quality(known)[:, 0], inside


def sides(features: Tensor) -> tuple[int, int]:
    """Height and width of (N, C, h, w) or (N, h, w) features."""
    return features.shape[-2], features.shape[-1]


def _double(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
