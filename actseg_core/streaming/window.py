"""From a camera image to what the network reads; needs the frame before, and nothing else."""

from dataclasses import replace

from actseg_core.config import ModelConfig, StreamConfig
from actseg_core.errors import ShapeError
from actseg_core.flow import FlowEstimator, make_raw_estimator, network_field
from actseg_core.flow.estimators import DisFlow
from actseg_core.flow.moving import steps_back
from actseg_core.image import Placement, resize_and_pad
from actseg_core.streaming.frame_window import NANOSECONDS, PreparedFrame
from actseg_core.types import Frame


class Preparer:
    """Resizes frames, computes the flow between them, and notices breaks in the stream.

    A frame starts anew, without flow, after a pause longer than `stream.max_gap_s`, when the
    clock goes back, or when the image size or the coordinate frame changes.

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
        self._count = 0

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
            back=steps_back(motion) if self._moves else None,
        )

    def forget(self) -> None:
        """The next frame starts anew."""
        self._before = None

    def _break_before(self, frame: Frame, placement: Placement) -> str:
        """Why the frame may not follow the one before; empty if it may."""
        before = self._before
        if before is None:
            return ""
        gap_ns = frame.stamp_ns - before.stamp_ns
        if gap_ns <= 0:
            return f"time went back by {-gap_ns / NANOSECONDS:.3f} s"
        if gap_ns > round(self.stream.max_gap_s * NANOSECONDS):
            return f"no frame for {gap_ns / NANOSECONDS:.3f} s"
        if placement != before.placement:
            return "the image size changed"
        if frame.frame_id != before.frame_id:
            return f"the camera changed from {before.frame_id!r} to {frame.frame_id!r}"
        return ""
