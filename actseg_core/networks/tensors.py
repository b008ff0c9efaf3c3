"""Pictures and flow as the networks take them: the one place that scales them to [-1, 1]."""

from torch import Tensor


def network_input(pictures: Tensor) -> Tensor:
    """Pictures in the range of every network here, which is I3D's.

    Args:
        pictures: (B, ..., H, W, 3) uint8 RGB: frames, or clips with T before H.

    Returns:
        (B, 3, ..., H, W) float32 in [-1, 1]; in memory the channels stay last, which is the
        layout that convolutions run fastest in on a CPU.
    """
    return _channels_first(pictures).float() / 127.5 - 1


def flow_input(fields: Tensor, clip_px: float) -> Tensor:
    """Flow fields in the range of every network here.

    Args:
        fields: (B, ..., H, W, 2) float32 [px].
        clip_px: Larger displacements are clipped to it; it becomes 1.

    Returns:
        (B, 2, ..., H, W) float32 in [-1, 1].
    """
    return _channels_first(fields).clamp(-clip_px, clip_px) / clip_px


def _channels_first(values: Tensor) -> Tensor:
    last = values.ndim - 1
    return values.permute(0, last, *range(1, last))
