"""The ring of the newest frames, and what each camera image becomes before it enters."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import ModelConfig, StreamConfig
from actseg_core.errors import ShapeError
from actseg_core.flow import FlowEstimator, make_raw_estimator, network_field
from actseg_core.flow.estimators import DisFlow
from actseg_core.flow.moving import backward_flow
from actseg_core.image import Placement, resize_and_pad
from actseg_core.live.stats import Interval, followed_s
from actseg_core.types import Frame

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

    @property
    def span_ns(self) -> tuple[int, int]:
        """Stamps of the first and the last frame [ns]."""
        return self._ring[0].stamp_ns, self._ring[-1].stamp_ns

    def push(self, frame: PreparedFrame) -> "FrameWindow | None":
        """Add the newest frame; the oldest leaves a full window.

        Returns:
            The full window, untouched by later frames; None while it is not full.
        """
        self._ring.append(frame)
        return FrameWindow(self.frames, tuple(self._ring)) if self.is_full else None

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


class Preparer:
    """Resizes frames, computes the flow between them, and notices breaks in the stream.

    A frame starts anew, without flow, after a pause longer than `stream.max_gap_s` (of a slow
    camera `stream.slow_camera_intervals`), when the clock goes back, or when the image size or the
    coordinate frame changes.

    Args:
        model: Input size and streams.
        stream: Gap and size limits, and whether masks will be moved.

    Attributes:
        stream: May be replaced between two frames; `mask_frame` counts at the start only.
    """

    def __init__(self, model: ModelConfig, stream: StreamConfig) -> None:
        self._model, self.stream = model, stream
        self._sees_flow = "flow" in model.streams
        self._moves = stream.mask_frame == "newest"
        self._estimator: FlowEstimator | None = None
        if self._sees_flow:
            self._estimator = make_raw_estimator(model.flow)
        elif self._moves:
            self._estimator = DisFlow()
        self._before: PreparedFrame | None = None
        self._interval = Interval()
        self._count = 0

    @property
    def interval_s(self) -> float:
        """Between two frames, by their stamps [s]; 0 while it is not known."""
        return self._interval.value_s

    def place(self, frame: Frame) -> PreparedFrame:
        """The frame at the network's size, not yet with its flow; `with_flow` must follow.

        Raises:
            ShapeError: If the image has more pixels than `stream.max_pixels`, or none; it then
                counts as not seen.
        """
        height, width = frame.image.shape[:2]
        if not 0 < height * width <= self.stream.max_pixels:
            raise ShapeError(
                f"a frame of {width}x{height} is outside the limit of 1 to "
                f"{self.stream.max_pixels} pixels; resize it or raise max_pixels"
            )
        placement = Placement(height, width, self._model.size)
        broke = self._break_before(frame, placement)
        self._interval.tick(frame.stamp_ns / NANOSECONDS)
        image, _ = resize_and_pad(frame.image, self._model.size)
        self._count += 1
        return PreparedFrame(
            image=image,
            flow=None,
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            placement=placement,
            number=self._count,
            is_first=self._before is None or bool(broke),
            broke=broke,
        )

    def with_flow(self, placed: PreparedFrame) -> PreparedFrame:
        """The frame with the flow from the one before, if it follows one and flow is needed."""
        before, self._before = self._before, placed
        if before is None or placed.is_first or self._estimator is None:
            return placed
        motion = self._estimator.estimate(before.image, placed.image)
        return replace(
            placed,
            flow=network_field(motion, self._model.flow) if self._sees_flow else None,
            back=backward_flow(motion) if self._moves else None,
        )

    def forget(self) -> None:
        """The next frame starts anew."""
        self._before = None
        self._interval.forget()

    def _break_before(self, frame: Frame, placement: Placement) -> str:
        """Why the frame may not follow the one before; empty if it may."""
        before = self._before
        if before is None:
            return ""
        gap_ns = frame.stamp_ns - before.stamp_ns
        if gap_ns <= 0:
            return f"time went back by {-gap_ns / NANOSECONDS:.3f} s"
        if gap_ns > round(self._longest_gap_s() * NANOSECONDS):
            return f"no frame for {gap_ns / NANOSECONDS:.3f} s, {self._gap_allowed()}"
        if placement != before.placement:
            return "the image size changed"
        if frame.frame_id != before.frame_id:
            return f"the camera changed from {before.frame_id!r} to {frame.frame_id!r}"
        return ""

    def _longest_gap_s(self) -> float:
        return followed_s(self.stream, self.stream.max_gap_s, self._interval.value_s)

    def _gap_allowed(self) -> str:
        longest_s = self._longest_gap_s()
        if longest_s > self.stream.max_gap_s:
            return f"allowed are {longest_s:.3g} s for frames {self._interval.value_s:.3g} s apart"
        return f"max_gap_s allows {longest_s:g} s"
