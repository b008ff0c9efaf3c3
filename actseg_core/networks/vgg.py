"""VGG16 as a fully convolutional network, the image encoder of both baselines.

Both public codes turn fc6 to fc8 into convolutions (7x7 with padding 3, then 1x1 twice), so that
a 512x512 image gives a 16x16 map of fc8 without a final ReLU and without dropout.
"""

import torch
from torch import Tensor, nn

from actseg_core.config import BaselineConfig
from actseg_core.errors import ShapeError

STRIDE = 32
CONVOLUTIONS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
FC_CHANNELS = 4096
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of [0, 1] RGB, as torchvision's weights expect
IMAGENET_STD = (0.229, 0.224, 0.225)
LAYERS = (
    *(f"features.{index}" for index in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)),
    *(f"classifier.{index}" for index in (0, 3, 6)),
)
KEYS = tuple(f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias"))
"""Names of all weights, which are torchvision's for `vgg16`. The shapes are torchvision's, too,
except that classifier.{0,3,6}.weight, there (out, in), are reshaped here to convolutions:
(4096, 512, 7, 7), (4096, 4096, 1, 1) and (1000, 4096, 1, 1)."""


class FullyConvolutionalVgg16(nn.Module):
    """VGG16 from image to a map of fc8 scores at stride 32; `public_weights.load_vgg16` fills it.

    Args:
        config: Width, channels of fc8, and which layers train.

    Shape:
        frames:  (B, 3, H, W) float RGB in [-1, 1], H and W multiples of 32.
        returns: (B, visual_dim, H/32, W/32) float.

    Raises:
        ShapeError: If the input is not of that shape.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: BaselineConfig) -> None:
        super().__init__()
        self.trainable = config.trainable
        self.features, channels = _features(config.width)
        hidden = scaled(FC_CHANNELS, config.width)
        self.classifier = nn.Sequential(
            nn.Conv2d(channels, hidden, 7, padding=3),
            nn.ReLU(inplace=True),
            nn.Identity(),  # torchvision's dropout; neither public code drops anything
            nn.Conv2d(hidden, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Identity(),
            nn.Conv2d(hidden, config.visual_dim, 1),
        )
        # The input range [-1, 1] and torchvision's normalisation in one affine map.
        mean = 2 * torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1) - 1
        deviation = 2 * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)
        self.set_trainable()

    def set_trainable(self) -> None:
        """Freeze what the configuration says: nothing, conv1 to conv5, or everything."""
        self.features.requires_grad_(self.trainable == "all")
        self.classifier.requires_grad_(self.trainable != "none")

    def forward(self, frames: Tensor) -> Tensor:
        return self.from_frozen(self.frozen_part(frames))

    def frozen_part(self, frames: Tensor) -> Tensor:
        """pool5 of the frames, (B, C, H/32, W/32); the frames themselves where conv1 trains."""
        return frames if self.trainable == "all" else self._pool5(frames)

    def from_frozen(self, frozen: Tensor) -> Tensor:
        """fc8 from what `frozen_part` gave."""
        pooled = self._pool5(frozen) if self.trainable == "all" else frozen
        # PyTorch 2.13's oneDNN gets the weights' gradient of fc6 wrong in 16 bits on small maps.
        is_training = pooled.device.type == "cpu" and torch.is_grad_enabled()
        if is_training and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return self._fc8(pooled.float())
        return self._fc8(pooled)

    def _fc8(self, pooled: Tensor) -> Tensor:
        scores: Tensor = self.classifier(pooled)
        return scores

    def frozen_state(self) -> dict[str, Tensor]:
        """Weights by name that `frozen_part` depends on."""
        return {} if self.trainable == "all" else dict(self.features.state_dict())

    def _pool5(self, frames: Tensor) -> Tensor:
        sides = frames.shape[2:]
        if frames.ndim != 4 or frames.shape[1] != 3 or any(side % STRIDE for side in sides):
            raise ShapeError(
                "VGG16 reads (B, 3, H, W) RGB with sides that are multiples of 32, "
                f"got {tuple(frames.shape)}; resize and pad it first"
            )
        pooled: Tensor = self.features((frames - self.mean) / self.deviation)
        return pooled


def single_frame(clip: Tensor) -> Tensor:
    """The frame (B, 3, S, S) of a clip (B, 3, 1, S, S).

    Raises:
        ShapeError: If the clip is not of that shape.
    """
    if clip.ndim != 5 or clip.shape[2] != 1:
        raise ShapeError(
            f"a baseline reads clips of one frame, (B, 3, 1, S, S), got {tuple(clip.shape)}; "
            "give the labelled frame alone"
        )
    return clip[:, :, 0]


def scaled(channels: int, width: float) -> int:
    """Number of channels of a layer after the channel multiplier."""
    return max(1, round(channels * width))


def _features(width: float) -> tuple[nn.Sequential, int]:
    """conv1 to pool5 in torchvision's order, and the channels that come out."""
    layers: list[nn.Module] = []
    before = 3
    for block in CONVOLUTIONS:
        for channels in block:
            convolution = nn.Conv2d(before, scaled(channels, width), 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
            layers += [convolution, nn.ReLU(inplace=True)]
            before = convolution.out_channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers), before
