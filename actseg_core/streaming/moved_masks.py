"""An encoded window, and the motion from the frame that it labels to the frames after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actseg_core.flow.moving import compose
from actseg_core.predictor import Features, Predictor, Responses
from actseg_core.streaming.window import FrameWindow, PreparedFrame
from actseg_core.types import Sentence


@dataclass(frozen=True, eq=False)
class WindowSnapshot:
    """A full window at one moment; later frames do not change it.

    Attributes:
        window: Its frames.
        encode: Gives its features; may run in another thread.
        epoch: Counts the breaks in the stream: windows of two epochs have nothing in common.
    """

    window: FrameWindow
    encode: Callable[[], Features]
    epoch: int

    @property
    def newest(self) -> PreparedFrame:
        """The newest frame."""
        return self.window[-1]


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


class Encoded:
    """Features of one window, and what they answered so far.

    Args:
        snapshot: The window.
        features: Of the window.
        track: The motion since its labelled frame.
    """

    def __init__(self, snapshot: WindowSnapshot, features: Features, track: FlowTrack) -> None:
        self.snapshot, self.track = snapshot, track
        self._features = features
        self._asked: tuple[Sentence, ...] = ()
        self._responses: Responses = {}

    def respond(self, predictor: Predictor, sentences: Sequence[Sentence]) -> Responses:
        """What the network answers; it is asked again only when the sentences have changed."""
        if self._asked != tuple(sentences):
            self._responses = predictor.respond(self._features, sentences)
            self._asked = tuple(sentences)
        return self._responses
