"""Checks of what both baselines are given."""

from torch import Tensor

from actseg_core.errors import ShapeError


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


def check_batches(features: Tensor, sentences: Tensor) -> None:
    """Refuse features whose batch is neither 1 nor the number of sentences.

    Raises:
        ShapeError: If so.
    """
    if features.shape[0] not in (1, sentences.shape[0]):
        raise ShapeError(
            f"features must have a batch of 1 or of {sentences.shape[0]}, one per sentence, "
            f"got {features.shape[0]}"
        )
