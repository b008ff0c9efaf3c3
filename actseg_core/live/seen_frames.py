"""Frames that are in the window, until the answer about them has gone out."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SeenFrame:
    """One frame.

    Attributes:
        stamp_ns: Of its image [ns].
        received_s: When it came, by time.monotonic() [s].
        image: (H, W, 3) uint8 RGB, if it was asked for.
    """

    stamp_ns: int
    received_s: float
    image: NDArray[np.uint8] | None


class SeenFrames:
    """The newest frames, oldest first.

    Args:
        most: So many are kept.
    """

    def __init__(self, most: int) -> None:
        self._frames: deque[SeenFrame] = deque(maxlen=most)

    @property
    def oldest(self) -> SeenFrame | None:
        """The one that the next answer is about, if there is one."""
        return self._frames[0] if self._frames else None

    def add(self, frame: SeenFrame) -> None:
        """Keep the newest; if there are too many, the oldest goes."""
        self._frames.append(frame)

    def at(self, stamp_ns: int) -> SeenFrame | None:
        """The frame of a stamp; older ones are let go."""
        while self._frames and self._frames[0].stamp_ns < stamp_ns:
            self._frames.popleft()
        found = self._frames and self._frames[0].stamp_ns == stamp_ns
        return self._frames[0] if found else None

    def clear(self) -> None:
        """Forget all."""
        self._frames.clear()
