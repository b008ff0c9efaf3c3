"""The deconvolution block that refines the video representation (paper section 3.3, details)."""

from typing import Literal

from torch import nn


class UpsampleBlock(nn.Sequential):
    """Deconvolution 8x8 of stride 4, then convolution 3x3: exactly four times the side.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        activation: "relu" adds one after each of the two layers; the default is linear. [ours]

    Shape:
        (B, inputs, H, W) to (B, outputs, 4H, 4W).
    """

    def __init__(self, inputs: int, outputs: int, activation: Literal["none", "relu"]) -> None:
        layers: list[nn.Module] = []
        for layer in (
            nn.ConvTranspose2d(inputs, outputs, 8, stride=4, padding=2),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        ):
            layers.append(layer)
            if activation == "relu":
                layers.append(nn.ReLU())
        super().__init__(*layers)
