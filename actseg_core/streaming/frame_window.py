"""The ring of the newest frames."""

from collections import deque
from collections.abc import Sequence
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
        flow: (S, S, 2) float32 [px], from the frame before to this one, as the network sees it;
            None for the first, and without a flow stream.
        stamp_ns: Capture time [ns].
        frame_id: Coordinate frame of the camera.
        placement: Where the camera image lies in `image`.
        number: Running number of the camera's frames.
        back: (S, S, 2) float32 [px], from this frame's pixels to where they were in the frame
            before; None for the first, and where masks are not moved.
        is_first: Whether it does not follow another frame.
        broke: Why it does not follow the frame before; empty if there was none or it does.
    """

    image: NDArray[np.uint8]
    flow: NDArray[np.float32] | None
    stamp_ns: int
    frame_id: str
    placement: Placement
    number: int
    back: NDArray[np.float32] | None = None
    is_first: bool = False
    broke: str = ""


class FrameWindow:
    """The newest frames of one camera, oldest first.

    Args:
        frames: Length of the window.
        held: Frames that it begins with.
    """

    def __init__(self, frames: int, held: Sequence[PreparedFrame] = ()) -> None:
        self.frames = frames
        self._ring: deque[PreparedFrame] = deque(held, maxlen=frames)

    def __len__(self) -> int:
        return len(self._ring)

    def __getitem__(self, index: int) -> PreparedFrame:
        return self._ring[index]

    @property
    def is_full(self) -> bool:
        """Whether the window can be answered."""
        return len(self._ring) == self.frames

    def push(self, frame: PreparedFrame) -> None:
        """Add the newest frame; the oldest leaves a full window."""
        self._ring.append(frame)

    def copy(self) -> "FrameWindow":
        """The same frames, untouched by later ones."""
        return FrameWindow(self.frames, tuple(self._ring))

    def clear(self) -> None:
        """Forget all frames."""
        self._ring.clear()

    def images(self) -> NDArray[np.uint8]:
        """(T, S, S, 3) uint8, oldest first."""
        return np.stack([frame.image for frame in self._ring])

    def flow(self) -> NDArray[np.float32]:
        """(T, S, S, 2) float32 [px]: field t leads to frame t + 1, the last one is repeated."""
        fields = [frame.flow for frame in list(self._ring)[1:] if frame.flow is not None]
        if not fields:  # a window of one frame
            return np.zeros((1, *self._ring[0].image.shape[:2], 2), np.float32)
        return np.stack([*fields, fields[-1]])
