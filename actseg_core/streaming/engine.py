"""Frames in, masks out, with bounded memory. One thread owns an engine."""

from collections.abc import Sequence
from dataclasses import replace

from actseg_core.config import StreamConfig
from actseg_core.errors import ShapeError
from actseg_core.image import Placement, resize_and_pad
from actseg_core.predictor import Predictor
from actseg_core.streaming.encoders import Features, make_encoder
from actseg_core.streaming.frame_window import FrameWindow, PreparedFrame
from actseg_core.types import Frame, MaskResult, Sentence


class StreamingEngine:
    """Keeps the window of the newest frames and answers the active sentences about it.

    The window is emptied, and `resets` counted, when the camera pauses longer than
    `config.max_gap_s`, its clock goes back, or its size or coordinate frame changes: no answer
    ever mixes frames across such a break.

    Args:
        predictor: The network and its vocabulary.
        config: Gap and size limits.
    """

    def __init__(self, predictor: Predictor, config: StreamConfig | None = None) -> None:
        self.predictor = predictor
        self.config = config or StreamConfig()
        self.resets = 0
        self.last_reset = ""
        self._window = FrameWindow(predictor.config.frames, self.config.max_gap_s)
        self._encoder = make_encoder(predictor)
        self._queries: tuple[tuple[str, Sentence], ...] = ()
        self._features: Features | None = None

    @property
    def delay_frames(self) -> int:
        """Frames between the newest frame and the one that the masks belong to."""
        return self.predictor.config.frames - 1 - self.predictor.config.label_index

    @property
    def ready(self) -> bool:
        """Whether the window is full."""
        return self._window.is_full

    @property
    def filled(self) -> int:
        """Frames in the window."""
        return len(self._window)

    def set_queries(self, queries: Sequence[tuple[str, Sentence]]) -> None:
        """Replace the active sentences; they are answered from what is already encoded."""
        self._queries = tuple(queries)

    def push(self, frame: Frame) -> None:
        """Add the newest frame: resize, flow from the frame before, per-frame features.

        Raises:
            ShapeError: If the image has more pixels than `config.max_pixels`, or none.
        """
        height, width = frame.image.shape[:2]
        if not 0 < height * width <= self.config.max_pixels:
            raise ShapeError(
                f"a frame of {width}x{height} is outside the limit of 1 to "
                f"{self.config.max_pixels} pixels; resize it or raise max_pixels"
            )
        placement = Placement(height, width, self.predictor.config.size)
        reason = self._window.break_before(frame.stamp_ns, frame.frame_id, placement)
        if reason:
            self.reset(reason)
        prepared = self._prepare(frame)
        self._window.push(prepared, placement)
        self._encoder.push(prepared)
        self._features = None

    def answer(self) -> dict[str, MaskResult]:
        """One result per active sentence for the newest answerable frame; empty until ready."""
        placement = self._window.placement
        if not self.ready or placement is None or not self._queries:
            return {}
        if self._features is None:
            self._features = self._encoder.encode(self._window)
        sentences = [sentence for _, sentence in self._queries]
        results = self.predictor.answer(self._features, sentences, placement)
        label = self._window[self.predictor.config.label_index]
        return {
            name: replace(
                result,
                stamp_ns=label.stamp_ns,
                frame_id=label.frame_id,
                window_start_ns=self._window[0].stamp_ns,
                window_end_ns=self._window[-1].stamp_ns,
            )
            for (name, _), result in zip(self._queries, results, strict=True)
        }

    def reset(self, reason: str) -> None:
        """Empty the window; the next answer needs a full one again."""
        self._window.clear()
        self._encoder.clear()
        self._features = None
        self.resets += 1
        self.last_reset = reason

    def _prepare(self, frame: Frame) -> PreparedFrame:
        image, _ = resize_and_pad(frame.image, self.predictor.config.size)
        flow = None
        if "flow" in self.predictor.config.streams and len(self._window):
            flow = self.predictor.estimator.estimate(self._window[-1].image, image)
        return PreparedFrame(image, flow, frame.stamp_ns, frame.frame_id)
