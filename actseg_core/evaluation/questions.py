"""What is asked and what was answered: all that the metrics know of data sets and networks."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.labels import Pair

Swap = Literal["absent_actor", "other_action", "other_actor"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """A sentence about one frame, and the right answer.

    Attributes:
        sample_id: Unique in the data set.
        video_id: Video that the frame is from.
        frame: The frame, counted from 0.
        sentence: As asked.
        truth: (H, W) bool at the frame's own size; all false: nobody there fits.
        pair: What the referred actor is and does, where it is known.
        swapped: How the sentence was made false of everyone in the frame: its actor is not there,
            or does something else, or someone else does it. None: the annotators' own sentence.
        original: sample_id of the true sentence that `sentence` took the place of.

    Raises:
        ShapeError: If the truth is no mask.
    """

    sample_id: str
    video_id: str
    sentence: str
    truth: NDArray[np.bool_]
    frame: int = 0
    pair: Pair | None = None
    swapped: Swap | None = None
    original: str = ""

    def __post_init__(self) -> None:
        check_mask(self.truth, f"the truth of {self.sample_id}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Prediction:
    """An answer.

    Attributes:
        mask: (H, W) bool at the frame's own size.
        found: Whether the described actor is said to be there.
        confidence: Probability [0, 1] of that.
        response: (H, W) float32, higher where the actor is more likely; for the pointing game.
        next_mask: (H, W) bool answer to the same sentence one frame later, for the consistency
            over time.
        next_flow: (H, W, 2) float32 [px] in x and y from the frame to the next one.

    Raises:
        ShapeError: If a field has another shape or type, or the confidence is out of range.
    """

    mask: NDArray[np.bool_]
    found: bool
    confidence: float
    response: NDArray[np.float32] | None = None
    next_mask: NDArray[np.bool_] | None = None
    next_flow: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        check_mask(self.mask, "a predicted mask")
        if not 0.0 <= self.confidence <= 1.0:
            raise ShapeError(f"a confidence must be in [0, 1], got {self.confidence}")
        size = self.mask.shape
        parts = (
            ("response", self.response, size, np.floating),
            ("next_mask", self.next_mask, size, np.bool_),
            ("next_flow", self.next_flow, (*size, 2), np.floating),
        )
        for name, part, shape, kind in parts:
            if part is not None and (part.shape != shape or not np.issubdtype(part.dtype, kind)):
                raise ShapeError(
                    f"prediction.{name} must be {shape} {kind.__name__}, like the mask, "
                    f"got {part.shape} of {part.dtype}"
                )


def check_mask(mask: NDArray[np.bool_], what: str) -> None:
    """Refuse what is no mask.

    Raises:
        ShapeError: If it is not (H, W) bool with at least one pixel.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_ or not mask.size:
        raise ShapeError(
            f"{what} must be (H, W) bool with at least one pixel, got {mask.shape} of "
            f"{mask.dtype}; compare with > 0 first"
        )
