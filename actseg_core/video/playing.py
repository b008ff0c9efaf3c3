"""Playing a source at its own times or at a steady rate, once or over and over."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from actseg_core.video.source import FrameSource


class Pacer:
    """When frames are due; after a delay it goes on from now and does not catch up.

    Args:
        now_s: Steady clock [s] of the first frame.
    """

    def __init__(self, now_s: float) -> None:
        self._due_s = now_s

    def wait_s(self, now_s: float, interval_s: float) -> float:
        """Seconds until the next frame is due, and count it as sent.

        Args:
            now_s: Steady clock [s].
            interval_s: Between this frame and the one before [s]; 0 for the first.
        """
        self._due_s += interval_s
        if now_s - self._due_s > interval_s:
            self._due_s = now_s
        return max(0.0, self._due_s - now_s)


def played(
    source: FrameSource, rate_hz: float, loop: bool
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Images, and the time between each and the one before [s].

    Args:
        source: Iterated anew for each round.
        rate_hz: Frames per second [Hz]; 0: the frames' own times.
        loop: Whether it begins anew at its end.

    Raises:
        VideoError: If the source is or becomes unreadable.
    """
    steady_s = 1.0 / rate_hz if rate_hz else 0.0
    before_s, again_s = 0.0, 0.0
    while True:
        for frame in source:
            if frame.index:
                yield frame.image, steady_s or frame.time_s - before_s
            else:
                yield frame.image, again_s
            before_s = frame.time_s
        if not loop:
            return
        again_s = steady_s or 1.0 / source.fps
