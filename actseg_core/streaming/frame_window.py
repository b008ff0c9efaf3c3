"""The ring of the newest frames, and the rules that empty it."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actseg_core.image import Placement

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, eq=False)
class PreparedFrame:
    """A frame as the network wants it.

    Attributes:
        image: (S, S, 3) uint8, resized and padded.
        flow: (S, S, 2) float32 [px], from the frame before to this one; None for the first.
        stamp_ns: Capture time [ns].
        frame_id: Coordinate frame of the camera.
    """

    image: NDArray[np.uint8]
    flow: NDArray[np.float32] | None
    stamp_ns: int
    frame_id: str


class FrameWindow:
    """The newest frames of one camera, never across a gap, a change of size or a clock jump.

    Args:
        frames: Length of the window.
        max_gap_s: Longest time between neighbours [s].
    """

    def __init__(self, frames: int, max_gap_s: float) -> None:
        self._ring: deque[PreparedFrame] = deque(maxlen=frames)
        self._max_gap_ns = round(max_gap_s * NANOSECONDS)
        self.placement: Placement | None = None

    def __len__(self) -> int:
        return len(self._ring)

    def __getitem__(self, index: int) -> PreparedFrame:
        return self._ring[index]

    @property
    def is_full(self) -> bool:
        """Whether the window can be answered."""
        return len(self._ring) == self._ring.maxlen

    def break_before(self, stamp_ns: int, frame_id: str, placement: Placement) -> str:
        """Why a frame may not follow the newest one; empty if it may."""
        if not self._ring:
            return ""
        newest = self._ring[-1]
        gap_ns = stamp_ns - newest.stamp_ns
        if gap_ns <= 0:
            return f"time went back by {-gap_ns / NANOSECONDS:.3f} s"
        if gap_ns > self._max_gap_ns:
            return f"no frame for {gap_ns / NANOSECONDS:.3f} s"
        if placement != self.placement:
            return "the image size changed"
        if frame_id != newest.frame_id:
            return f"the camera changed from {newest.frame_id!r} to {frame_id!r}"
        return ""

    def push(self, frame: PreparedFrame, placement: Placement) -> None:
        """Add the newest frame; the oldest leaves a full window."""
        self._ring.append(frame)
        self.placement = placement

    def clear(self) -> None:
        """Forget all frames."""
        self._ring.clear()
        self.placement = None

    def images(self) -> NDArray[np.uint8]:
        """(T, S, S, 3) uint8, oldest first."""
        return np.stack([frame.image for frame in self._ring])

    def flow(self) -> NDArray[np.float32]:
        """(T, S, S, 2) float32 [px]: field t leads to frame t + 1, the last one is repeated."""
        fields = [frame.flow for frame in self._ring if frame.flow is not None]
        fields = fields[-(len(self._ring) - 1) :]
        return np.stack([*fields, fields[-1]])
