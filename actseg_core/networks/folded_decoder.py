"""The last linear stage folded with the sentence into one deconvolution.

Without activations the dynamic filter, the 3x3 convolution and the 8x8 deconvolution before it
are one linear map. Its kernel, 10x10 of stride 4 with one output channel, is made per sentence,
so that the features of the finest resolution are never computed: at 512 px 0.84 GFLOP per
sentence take the place of 146 per clip. Only in the outermost ring of pixels, where the 3x3
convolution sees zeros instead of what the deconvolution cut off, the two differ; the ring's
features are computed as they are, and there the filter answers on them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from actseg_core.config import DecoderConfig
from actseg_core.networks.filters import UpsampleBlock, coordinate_channels, score

NEIGHBOURS = tuple((row, column) for row in range(3) for column in range(3))
# Side of the input and its pixels next to it, per border: top, bottom, left, right.
BORDERS = ((2, slice(0, 1)), (2, slice(-1, None)), (3, slice(0, 1)), (3, slice(-1, None)))


def is_foldable(config: DecoderConfig) -> bool:
    """Whether nothing but linear layers stands between the last block's input and its filter."""
    return config.activation == "none" and not config.l2_upsampled


def ring_features(block: UpsampleBlock, inputs: Tensor, coordinates: bool) -> Tensor:
    """The block's output in the outermost pixels, exactly as the block computes it.

    Args:
        block: A block without activations.
        inputs: (B, inputs, H, W) what it upsamples.
        coordinates: Whether the coordinate channels join.

    Returns:
        (B, outputs or outputs + 8, 4, S) with S = 4H = 4W: top row, bottom row, left column,
        right column.
    """
    deconvolution, convolution = layers(block)
    strips = []
    for axis, place in BORDERS:
        # The two outermost lines of the deconvolution depend on the outermost line of its input
        # alone: for the kernel of 8, stride 4 and padding 2 the next line begins two further in.
        line = inputs[:, :, place] if axis == 2 else inputs[:, :, :, place]
        upsampled = deconvolution(line)
        first = place.start == 0
        outer = slice(0, 2) if first else slice(-2, None)
        upsampled = upsampled[:, :, outer] if axis == 2 else upsampled[:, :, :, outer]
        before, after = (1, 0) if first else (0, 1)
        padding = (1, 1, before, after) if axis == 2 else (before, after, 1, 1)
        strip = functional.conv2d(
            functional.pad(upsampled, padding), convolution.weight, convolution.bias
        )
        strips.append(strip if axis == 2 else strip.transpose(2, 3))
    ring = torch.cat(strips, dim=2)
    if not coordinates:
        return ring
    places = coordinate_channels(ring.shape[3], ring.shape[3], ring.device, ring.dtype)
    edges = torch.stack((places[:, 0], places[:, -1], places[:, :, 0], places[:, :, -1]), dim=1)
    return torch.cat((ring, edges.expand(ring.shape[0], -1, -1, -1)), dim=1)


def folded_response(
    inputs: Tensor,
    ring: Tensor,
    filters: Tensor,
    kernels: Tensor,
    constants: Tensor,
    coordinates: bool,
) -> Tensor:
    """What the filters answer on the block's output, without computing that output.

    Args:
        inputs: (Q or 1, inputs, H, H) what the block upsamples.
        ring: As `ring_features` gives it for these inputs.
        filters: (Q, outputs or outputs + 8) of the block's resolution.
        kernels: As `fold` gives them for these filters.
        constants: Likewise.
        coordinates: Whether the coordinate channels joined the block's output.

    Returns:
        (Q, 4H, 4H) logits.
    """
    outer = score(filters, ring)  # (Q, 4, S); refuses what does not fit
    response = deconvolve(inputs, kernels)
    response = response + constants[:, None, None]
    if coordinates:
        height, width = (int(size) for size in response.shape[1:])
        places = coordinate_channels(height, width, response.device, response.dtype)
        response = response + torch.einsum("qc,chw->qhw", filters[:, -places.shape[0] :], places)
    return _with_ring(response, outer)


def fold(block: UpsampleBlock, filters: Tensor) -> tuple[Tensor, Tensor]:
    """One deconvolution per sentence for the block and a 1x1 filter after it.

    Args:
        block: A block without activations.
        filters: (Q, outputs or outputs + 8) 1x1 filters; those of coordinates do not count.

    Returns:
        (Q, inputs, 10, 10) kernels of a deconvolution of stride 4 and padding 3, and (Q,) what
        the biases add inside the ring.
    """
    deconvolution, convolution = layers(block)
    filters = filters[:, : convolution.out_channels]
    taps = (filters @ convolution.weight.flatten(1)).reshape(-1, *convolution.weight.shape[1:])
    # A deconvolution followed by a correlation is a deconvolution whose kernel is the full
    # correlation of the two: 8 + 3 - 1 = 10 wide. Products of matrices, since hardly any runtime
    # takes computed kernels in a convolution.
    inputs, outputs, side, _ = deconvolution.weight.shape
    spread = deconvolution.weight.transpose(0, 1).reshape(outputs, -1)
    products = (taps.permute(0, 2, 3, 1).reshape(-1, outputs) @ spread).reshape(
        -1, 3, 3, inputs, side, side
    )
    shifted = [
        functional.pad(products[:, row, column], (2 - column, column, 2 - row, row))
        for row, column in NEIGHBOURS
    ]
    assert deconvolution.bias is not None
    assert convolution.bias is not None
    constants = taps.sum((2, 3)) @ deconvolution.bias + filters @ convolution.bias
    return sum(shifted[1:], start=shifted[0]), constants


def deconvolve(inputs: Tensor, kernels: Tensor) -> Tensor:
    """One deconvolution of stride 4 and padding 3 per sentence, as products of matrices.

    Each of the 4 by 4 places of an output block sees 3 by 3 inputs: for each of these nine, a
    matrix with 16 rows per sentence times the shifted inputs, dealt out to the places in the end.

    Args:
        inputs: (Q or 1, C, H, W).
        kernels: (Q, C, 10, 10).

    Returns:
        (Q, 4H, 4W).
    """
    channels, height, width = (int(size) for size in inputs.shape[1:])
    # Output 4i + p takes input i + a - 1 through kernel entry p + 7 - 4a, if that is in 0 to 9;
    # padded by one, entry 4 (2 - a) + p.
    phases = functional.pad(kernels, (1, 1, 1, 1)).reshape(-1, channels, 3, 4, 3, 4).flip(2, 4)
    weights = phases.permute(2, 4, 0, 3, 5, 1).reshape(3, 3, -1, 16, channels)
    padded = functional.pad(inputs, (1, 1, 1, 1))
    parts = []
    for row, column in NEIGHBOURS:
        seen = padded[:, :, row : row + height, column : column + width]
        matrix = weights[row, column]
        if inputs.shape[0] == 1:  # one product for all sentences
            parts.append(matrix.reshape(-1, channels) @ seen.reshape(channels, -1))
        else:
            parts.append(matrix @ seen.flatten(2))
    blocks = sum(parts[1:], start=parts[0]).reshape(-1, 16, height, width)
    return functional.pixel_shuffle(blocks, 4)[:, 0]


def layers(block: UpsampleBlock) -> tuple[nn.ConvTranspose2d, nn.Conv2d]:
    """The two layers of a block without activations."""
    deconvolution, convolution = block
    assert isinstance(deconvolution, nn.ConvTranspose2d)
    assert isinstance(convolution, nn.Conv2d)
    return deconvolution, convolution


def _with_ring(response: Tensor, ring: Tensor) -> Tensor:
    """(Q, S, S) with the outermost pixels replaced by (Q, 4, S): top, bottom, left, right."""
    top, bottom, left, right = ring.unsqueeze(2).unbind(1)  # (Q, 1, S) each
    inner = torch.cat(
        (left[:, 0, 1:-1, None], response[:, 1:-1, 1:-1], right[:, 0, 1:-1, None]), 2
    )
    return torch.cat((top, inner, bottom), dim=1)
