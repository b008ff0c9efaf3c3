"""How a moving window is encoded: anew each time, or by following what each frame shows."""

from collections.abc import Callable
from typing import Protocol

from actseg_core.objects.tracking import SceneTracker
from actseg_core.predictor import Features, Predictor
from actseg_core.streaming.window import NANOSECONDS, FrameWindow, PreparedFrame


class WindowEncoder(Protocol):
    """Turns the window into features whenever they are asked for.

    Attributes:
        works_when_pushed: Whether the work is done when a frame is pushed, not when it is encoded.
    """

    works_when_pushed: bool

    def push(self, frame: PreparedFrame) -> None:
        """Take in the newest frame."""

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        """How to encode a full window that ends with the newest frame and is not changed any more.

        The function may be called later and from another thread: neither further frames nor
        `clear` change what it gives.
        """

    def clear(self) -> None:
        """Forget everything."""


class WholeWindowEncoder:
    """Encodes all frames at every answer: exact for networks that mix all frames early (I3D)."""

    works_when_pushed = False

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def push(self, frame: PreparedFrame) -> None:
        """Nothing to do before an answer is wanted."""

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        def encode() -> Features:
            flow = window.flow() if "flow" in self._predictor.config.streams else None
            return self._predictor.encode(window.images(), flow)

        return encode

    def clear(self) -> None:
        """Nothing is kept."""


class TrackingEncoder:
    """Follows the objects of the camera: each frame is looked at once."""

    works_when_pushed = True

    def __init__(self, tracker: SceneTracker) -> None:
        self._tracker = tracker
        self._stamp_ns: int | None = None

    def push(self, frame: PreparedFrame) -> None:
        before, self._stamp_ns = self._stamp_ns, frame.stamp_ns
        seconds = 0.0 if before is None else (frame.stamp_ns - before) / NANOSECONDS
        self._tracker.push(frame.image, frame.placement.window, seconds)

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        seen = self._tracker.seen()
        return lambda: seen

    def clear(self) -> None:
        self._tracker.clear()
        self._stamp_ns = None


def make_encoder(predictor: Predictor) -> WindowEncoder:
    """The cheapest exact encoder for the predictor's network."""
    tracker = predictor.tracker()
    return WholeWindowEncoder(predictor) if tracker is None else TrackingEncoder(tracker)
