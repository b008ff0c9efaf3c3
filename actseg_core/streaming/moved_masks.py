"""Masks for every frame: the last answer, moved along the flow from the frame that it labels."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import StreamConfig
from actseg_core.flow.moving import compose
from actseg_core.predictor import Features, Predictor, Responses
from actseg_core.streaming.labelled_masks import Answered, Encoded, WindowSnapshot
from actseg_core.streaming.window import NANOSECONDS, FrameWindow, PreparedFrame
from actseg_core.types import Sentence


class FlowTrack:
    """The motion from one frame to the newest, kept up to date as frames come.

    Args:
        start: The frame that the motion begins at.
    """

    def __init__(self, start: PreparedFrame) -> None:
        self.start = start
        self.is_lost = False
        self._reached = start.number
        self._back: NDArray[np.float32] | None = None

    def follow(self, window: FrameWindow) -> None:
        """Go on to the newest frame of the window; lost if frames in between are missing."""
        for frame in (window[index] for index in range(len(window))):
            if frame.number > self._reached:
                self._step(frame)

    def _step(self, frame: PreparedFrame) -> None:
        if frame.number != self._reached + 1 or frame.back is None:
            self.is_lost = True
        if self.is_lost or frame.back is None:
            return
        self._back = frame.back if self._back is None else compose(self._back, frame.back)
        self._reached = frame.number

    def move(self, responses: Responses) -> Responses:
        """Responses for the start, warped to the newest frame that was followed."""
        back = self._back
        if back is None:
            return responses
        return {sentence: response.warped(back) for sentence, response in responses.items()}


@dataclass(frozen=True, eq=False)
class _Job:
    """A window that is being encoded, and the motion since the frame that it labels."""

    snapshot: WindowSnapshot
    track: FlowTrack
    features: Future[Features]


class MovedMasks:
    """Asks the network for every `stride_frames`-th window and moves its answer to every frame.

    Args:
        predictor: The network.
        stream: Stride, how long masks are moved, and whether windows are encoded in a thread of
            their own (`background`).
    """

    follows_every_frame = True

    def __init__(self, predictor: Predictor, stream: StreamConfig) -> None:
        self._predictor, self._stream = predictor, stream
        self._encoded: tuple[Encoded, FlowTrack] | None = None
        self._job: _Job | None = None
        self._thread: ThreadPoolExecutor | None = None
        if stream.background:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="actseg_encode")

    def respond(self, snapshot: WindowSnapshot, sentences: Sequence[Sentence]) -> Answered | None:
        """The last encoded window's, if its label can be followed to the newest frame."""
        self._follow(snapshot)
        self._collect(snapshot)
        if self._job is None and self._is_due(snapshot):
            start = snapshot.window[self._predictor.config.label_index]
            self._job = _Job(snapshot, FlowTrack(start), self._run(snapshot))
            self._job.track.follow(snapshot.window)
            self._collect(snapshot)
        if self._encoded is None or not self._is_near(snapshot):
            return None
        encoded, track = self._encoded
        responses = track.move(encoded.respond(self._predictor, sentences))
        return Answered(responses, snapshot.newest, track.start, encoded.snapshot.window)

    def reconfigure(self, stream: StreamConfig) -> None:
        self._stream = stream

    def forget(self) -> None:
        self._encoded = None

    def close(self) -> None:
        """End the background thread, after the window that it encodes."""
        if self._thread is not None:
            self._thread.shutdown()

    def _run(self, snapshot: WindowSnapshot) -> Future[Features]:
        if self._thread is not None:
            return self._thread.submit(snapshot.encode)
        done: Future[Features] = Future()
        done.set_result(snapshot.encode())
        return done

    def _follow(self, snapshot: WindowSnapshot) -> None:
        if self._encoded is not None and self._encoded[0].snapshot.epoch != snapshot.epoch:
            self._encoded = None
        if self._encoded is not None:
            self._encoded[1].follow(snapshot.window)
        if self._job is not None:
            self._job.track.follow(snapshot.window)

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
            self._encoded = Encoded(job.snapshot, features), job.track

    def _is_due(self, snapshot: WindowSnapshot) -> bool:
        if self._encoded is None or not self._is_near(snapshot):
            return True
        encoded_frame = self._encoded[0].snapshot.newest
        return snapshot.newest.number - encoded_frame.number >= self._stream.stride_frames

    def _is_near(self, snapshot: WindowSnapshot) -> bool:
        assert self._encoded is not None
        encoded, track = self._encoded
        late_ns = snapshot.newest.stamp_ns - encoded.snapshot.newest.stamp_ns
        return not track.is_lost and late_ns <= self._stream.max_moved_s * NANOSECONDS
