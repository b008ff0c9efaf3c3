"""Notices a camera that sends the same picture again and again under advancing stamps."""

import numpy as np
from numpy.typing import NDArray

SAMPLED_ROWS = 16
HINT = (
    "the camera has sent the same picture {count} times in a row with advancing stamps: it hangs, "
    "or its driver repeats an old buffer; restart it (frozen_frames: 0 for a picture that stands "
    "still on purpose)"
)


class FrozenWatch:
    """Counts pictures that equal the one before in every pixel, as a real sensor's never do.

    A few rows are compared first: they tell nearly all pictures apart, in 0.03 ms. One thread
    looks; others may read `repeats` and ask for the hint.

    Args:
        limit: Equal pictures in a row that are a fault; 0: never.

    Attributes:
        limit: May be changed at any time.
        repeats: Newest pictures in a row that are the same; 1 while they change, 0 before the
            first.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.repeats = 0
        self._before: NDArray[np.uint8] | None = None

    def look(self, image: NDArray[np.uint8]) -> None:
        """Take in the next picture; it is kept until the one after, and must not be changed.

        Args:
            image: (H, W, 3) uint8.
        """
        if self.limit == 0:
            self.repeats, self._before = 0, None
            return
        before, self._before = self._before, image
        self.repeats = self.repeats + 1 if before is not None and _are_same(before, image) else 1

    def hint(self) -> str:
        """What is wrong and what to do; empty while the picture changes."""
        limit, count = self.limit, self.repeats
        return HINT.format(count=count) if 0 < limit <= count else ""


def _are_same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    if one.shape != other.shape:
        return False
    if one.strides[-1] < 0 and other.strides[-1] < 0:  # bgr8 read backwards: compared as it lies
        one, other = one[..., ::-1], other[..., ::-1]  # in memory it takes a tenth of the time
    step = max(1, len(one) // SAMPLED_ROWS)
    return np.array_equal(one[::step], other[::step]) and np.array_equal(one, other)
