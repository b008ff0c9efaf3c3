"""The one learnt deconvolution, 64x64 at stride 32, that ends both baselines."""

from typing import Literal

import torch
from torch import Tensor, nn

KERNEL = 64
STRIDE = 32


def bilinear_kernel(alignment: Literal["corner", "centre"]) -> Tensor:
    """The (64, 64) kernel with which the deconvolution interpolates bilinearly.

    Args:
        alignment: corner: the triangle peaks at tap 32, with weight 1, as in Hu et al.'s public
            code; the result lies half a pixel to the lower right. centre: it is symmetric about
            31.5, Caffe's bilinear filler, which Li et al.'s code names.
    """
    peak = STRIDE if alignment == "corner" else STRIDE - 0.5
    taps = 1 - (torch.arange(KERNEL) - peak).abs() / STRIDE
    return torch.outer(taps, taps)


class ResponseUpsampler(nn.Module):
    """Enlarge a response map 32 times; starts as bilinear interpolation and is trained.

    Args:
        alignment: As for `bilinear_kernel`.

    Shape:
        response: (Q, h, w) float logits.
        returns:  (Q, 32*h, 32*w) float logits.
    """

    def __init__(self, alignment: Literal["corner", "centre"]) -> None:
        super().__init__()
        # Padding 16 gives exactly 32 times the size: TensorFlow's SAME and Caffe's pad 16.
        self.deconvolution = nn.ConvTranspose2d(
            1, 1, KERNEL, stride=STRIDE, padding=(KERNEL - STRIDE) // 2, bias=False
        )
        with torch.no_grad():
            self.deconvolution.weight.copy_(bilinear_kernel(alignment))

    def forward(self, response: Tensor) -> Tensor:
        enlarged: Tensor = self.deconvolution(response.unsqueeze(1))
        return enlarged[:, 0]
