"""Frames in, masks out, with bounded memory."""

from collections.abc import Sequence
from dataclasses import replace

from actseg_core.config import StreamConfig
from actseg_core.errors import ConfigError
from actseg_core.predictor import Predictor, Thresholds
from actseg_core.streaming.labelled_masks import LabelledMasks, MaskSource, WindowSnapshot
from actseg_core.streaming.moved_masks import MovedMasks
from actseg_core.streaming.window import FrameWindow, Preparer
from actseg_core.streaming.window_encoders import make_encoder
from actseg_core.types import Frame, MaskResult, Sentence


class StreamingEngine:
    """Keeps the window of the newest frames and answers the active sentences about it.

    The window is emptied, and `resets` counted, when the camera pauses longer than
    `config.max_gap_s` (a slow one: `config.slow_camera_intervals`), its clock goes back, or its
    size or coordinate frame changes: no answer ever mixes frames across such a break.

    With `config.mask_frame: newest` every frame is answered: the network is asked for every
    `config.stride_frames`-th window, with `config.background` in a thread of its own, and its
    last answer is moved along the flow to the newest frame.

    One thread uses an engine, or two as `streaming.overlap` does it: one calls `push` and reads
    `snapshot`, the other calls `set_queries` and `answer`.

    Args:
        predictor: The network and its vocabulary; engines may share one.
        config: Gap and size limits, stride, and which frame masks are given for.
    """

    def __init__(self, predictor: Predictor, config: StreamConfig | None = None) -> None:
        self.predictor = predictor
        self.config = config or StreamConfig()
        self.resets = 0
        self.last_reset = ""
        self.snapshot: WindowSnapshot | None = None
        self._window = FrameWindow(predictor.config.frames)
        self._preparer = Preparer(predictor.config, self.config)
        self._encoder = make_encoder(predictor)
        self._queries: tuple[tuple[str, Sentence], ...] = ()
        self._masks: MaskSource = (
            MovedMasks(predictor, self.config)
            if self.config.mask_frame == "newest"
            else LabelledMasks(predictor)
        )

    @property
    def label_delay_frames(self) -> int:
        """Frames between the newest frame and the one that the network labels; 7 in the paper."""
        return self.predictor.config.frames - 1 - self.predictor.config.label_index

    @property
    def delay_frames(self) -> int:
        """Frames between the newest frame and the one that the masks belong to."""
        return 0 if self._masks.follows_every_frame else self.label_delay_frames

    @property
    def answers_every_frame(self) -> bool:
        """Whether `answer` has something new after each frame, whatever the stride."""
        return self._masks.follows_every_frame

    @property
    def answers_cost_little(self) -> bool:
        """Whether the work is done when a frame is pushed: then skipping frames saves time, and
        skipping answers does not."""
        return self._encoder.works_when_pushed

    @property
    def ready(self) -> bool:
        """Whether the window is full."""
        return self._window.is_full

    @property
    def frames(self) -> int:
        """Frames that fill the window."""
        return self._window.frames

    @property
    def interval_s(self) -> float:
        """Between two frames, by their stamps [s]; 0 while it is not known."""
        return self._preparer.interval_s

    @property
    def filled(self) -> int:
        """Frames in the window."""
        return len(self._window)

    def set_queries(self, queries: Sequence[tuple[str, Sentence]]) -> None:
        """Replace the active sentences; they are answered from what is already encoded."""
        self._queries = tuple(queries)

    def reconfigure(self, config: StreamConfig) -> None:
        """Go on with other limits, thresholds or stride; the window stays.

        Raises:
            ConfigError: If `mask_frame` or `background` would change.
        """
        before = self.config
        if (config.mask_frame, config.background) != (before.mask_frame, before.background):
            raise ConfigError("mask_frame and background cannot change; make another engine")
        self.config = self._preparer.stream = config
        self._masks.reconfigure(config)

    def push(self, frame: Frame) -> None:
        """Add the newest frame: resize, flow from the frame before, per-frame features.

        What goes wrong in the network or the flow is raised, and the window emptied.

        Raises:
            ShapeError: If the image has more pixels than `config.max_pixels`, or none.
        """
        placed = self._preparer.place(frame)
        if placed.broke:
            self._empty(placed.broke)
        self.snapshot = None
        try:
            prepared = self._preparer.with_flow(placed)
            window = self._window.push(prepared)
            self._encoder.push(prepared)
        except Exception:
            self.reset("a frame could not be processed")  # no window with a hole
            raise
        if window is not None:
            self.snapshot = WindowSnapshot(window, self._encoder.capture(window), self.resets)

    def answer(self, snapshot: WindowSnapshot | None = None) -> dict[str, MaskResult]:
        """One result per active sentence; empty until the window is full and encoded.

        Args:
            snapshot: Of an earlier moment, in the order of the frames; None: the newest.
        """
        snapshot = snapshot or self.snapshot
        if snapshot is None or not self._queries:
            return {}
        sentences = [sentence for _, sentence in self._queries]
        answered = self._masks.respond(snapshot, sentences)
        if answered is None:
            return {}
        shown, label = answered.shown, answered.label
        start_ns, end_ns = answered.window.span_ns
        thresholds = Thresholds(self.config.mask_threshold, self.config.min_confidence)
        placement = shown.placement
        results = self.predictor.decide(answered.responses, sentences, placement, thresholds)
        return {
            name: replace(
                result,
                stamp_ns=shown.stamp_ns,
                frame_id=label.frame_id,
                window_start_ns=start_ns,
                window_end_ns=end_ns,
                warped=shown is not label,
                computed_stamp_ns=label.stamp_ns,
            )
            for (name, _), result in zip(self._queries, results, strict=True)
        }

    def reset(self, reason: str) -> None:
        """Empty the window; the next answer needs a full one again."""
        self._preparer.forget()
        self._empty(reason)
        self._masks.forget()

    def close(self) -> None:
        """End the background thread, after the window that it encodes."""
        self._masks.close()

    def _empty(self, reason: str) -> None:
        self._window.clear()
        self._encoder.clear()
        self.snapshot = None
        self.resets += 1
        self.last_reset = reason
