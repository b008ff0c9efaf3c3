"""Frames in, masks out, with bounded memory."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from actseg_core.config import StreamConfig
from actseg_core.errors import ConfigError
from actseg_core.predictor import Features, Predictor, Thresholds
from actseg_core.streaming.moved_masks import Encoded, FlowTrack, WindowSnapshot
from actseg_core.streaming.window import NANOSECONDS, FrameWindow, Preparer
from actseg_core.streaming.window_encoders import make_encoder
from actseg_core.types import Frame, MaskResult, Sentence


@dataclass(frozen=True, eq=False)
class _Job:
    snapshot: WindowSnapshot
    track: FlowTrack
    features: Future[Features]


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
        self._moves = self.config.mask_frame == "newest"
        self._window = FrameWindow(predictor.config.frames)
        self._preparer = Preparer(predictor.config, self.config)
        self._encoder = make_encoder(predictor)
        self._queries: tuple[tuple[str, Sentence], ...] = ()
        self._encoded: Encoded | None = None
        self._job: _Job | None = None
        self._thread: ThreadPoolExecutor | None = None
        if self._moves and self.config.background:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="actseg_encode")

    @property
    def label_delay_frames(self) -> int:
        """Frames between the newest frame and the one that the network labels; 7 in the paper."""
        return self.predictor.config.frames - 1 - self.predictor.config.label_index

    @property
    def delay_frames(self) -> int:
        """Frames between the newest frame and the one that the masks belong to."""
        return 0 if self._moves else self.label_delay_frames

    @property
    def answers_every_frame(self) -> bool:
        """Whether `answer` has something new after each frame, whatever the stride."""
        return self._moves

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
            self._window.push(prepared)
            self._encoder.push(prepared)
        except Exception:
            self.reset("a frame could not be processed")  # no window with a hole
            raise
        if self.ready:
            window = self._window.copy()
            self.snapshot = WindowSnapshot(window, self._encoder.capture(window), self.resets)

    def answer(self, snapshot: WindowSnapshot | None = None) -> dict[str, MaskResult]:
        """One result per active sentence; empty until the window is full and encoded.

        Args:
            snapshot: Of an earlier moment, in the order of the frames; None: the newest.
        """
        snapshot = snapshot or self.snapshot
        if snapshot is None or not self._queries:
            return {}
        encoded = self._moving(snapshot) if self._moves else self._labelled(snapshot)
        if encoded is None:
            return {}
        label, newest = encoded.track.start, snapshot.newest
        sentences = [sentence for _, sentence in self._queries]
        responses = encoded.respond(self.predictor, sentences)
        belongs = label
        if self._moves:
            responses, belongs = encoded.track.move(responses), newest
        thresholds = Thresholds(self.config.mask_threshold, self.config.min_confidence)
        results = self.predictor.decide(responses, sentences, newest.placement, thresholds)
        window = encoded.snapshot.window
        return {
            name: replace(
                result,
                stamp_ns=belongs.stamp_ns,
                frame_id=label.frame_id,
                window_start_ns=window[0].stamp_ns,
                window_end_ns=window[-1].stamp_ns,
                warped=belongs is not label,
                computed_stamp_ns=label.stamp_ns,
            )
            for (name, _), result in zip(self._queries, results, strict=True)
        }

    def reset(self, reason: str) -> None:
        """Empty the window; the next answer needs a full one again."""
        self._preparer.forget()
        self._empty(reason)
        self._encoded = None

    def close(self) -> None:
        """End the background thread, after the window that it encodes."""
        if self._thread is not None:
            self._thread.shutdown()

    def _empty(self, reason: str) -> None:
        self._window.clear()
        self._encoder.clear()
        self.snapshot = None
        self.resets += 1
        self.last_reset = reason

    def _labelled(self, snapshot: WindowSnapshot) -> Encoded:
        """The window itself, encoded once."""
        if self._encoded is None or self._encoded.snapshot is not snapshot:
            self._encoded = Encoded(snapshot, snapshot.encode(), self._track(snapshot))
        return self._encoded

    def _moving(self, snapshot: WindowSnapshot) -> Encoded | None:
        """The last encoded window, if its label can be followed to the newest frame."""
        self._follow(snapshot)
        self._collect(snapshot)
        if self._job is None and self._is_due(snapshot):
            self._job = _Job(snapshot, self._track(snapshot), self._run(snapshot))
            self._job.track.follow(snapshot.window)
            self._collect(snapshot)
        return self._encoded if self._encoded and self._is_near(self._encoded, snapshot) else None

    def _track(self, snapshot: WindowSnapshot) -> FlowTrack:
        return FlowTrack(snapshot.window[self.predictor.config.label_index])

    def _run(self, snapshot: WindowSnapshot) -> Future[Features]:
        if self._thread is not None:
            return self._thread.submit(snapshot.encode)
        done: Future[Features] = Future()
        done.set_result(snapshot.encode())
        return done

    def _follow(self, snapshot: WindowSnapshot) -> None:
        if self._encoded is not None and self._encoded.snapshot.epoch != snapshot.epoch:
            self._encoded = None
        for item in (self._encoded, self._job):
            if item is not None:
                item.track.follow(snapshot.window)

    def _collect(self, snapshot: WindowSnapshot) -> None:
        """Take over the window that has been encoded.

        Raises:
            Exception: What the network raised.
        """
        job = self._job
        if job is None or not job.features.done():
            return
        self._job = None
        features = job.features.result()
        if job.snapshot.epoch == snapshot.epoch and not job.track.is_lost:
            self._encoded = Encoded(job.snapshot, features, job.track)

    def _is_due(self, snapshot: WindowSnapshot) -> bool:
        if self._encoded is None or not self._is_near(self._encoded, snapshot):
            return True
        return (
            snapshot.newest.number - self._encoded.snapshot.newest.number
            >= self.config.stride_frames
        )

    def _is_near(self, encoded: Encoded, snapshot: WindowSnapshot) -> bool:
        late_ns = snapshot.newest.stamp_ns - encoded.snapshot.newest.stamp_ns
        return not encoded.track.is_lost and late_ns <= self.config.max_moved_s * NANOSECONDS
