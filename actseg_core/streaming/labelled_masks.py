"""Masks of the frame that the network labels, from the newest full window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from actseg_core.config import StreamConfig
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


@dataclass(frozen=True, eq=False)
class Answered:
    """Responses, and what they are about.

    Attributes:
        responses: By sentence.
        shown: The frame that the masks belong to.
        label: The frame that the network labelled.
        window: What the network looked at.
    """

    responses: Responses
    shown: PreparedFrame
    label: PreparedFrame
    window: FrameWindow


class Encoded:
    """Features of one window, and what they answered so far.

    Args:
        snapshot: The window.
        features: Of the window.
    """

    def __init__(self, snapshot: WindowSnapshot, features: Features) -> None:
        self.snapshot = snapshot
        self._features = features
        self._asked: tuple[Sentence, ...] = ()
        self._responses: Responses = {}

    def respond(self, predictor: Predictor, sentences: Sequence[Sentence]) -> Responses:
        """What the network answers; it is asked again only when the sentences have changed."""
        if self._asked != tuple(sentences):
            self._responses = predictor.respond(self._features, sentences)
            self._asked = tuple(sentences)
        return self._responses


class MaskSource(Protocol):
    """How the engine comes from windows to responses.

    Attributes:
        follows_every_frame: Whether there is something new after each frame, whatever the stride.
    """

    follows_every_frame: bool

    def respond(self, snapshot: WindowSnapshot, sentences: Sequence[Sentence]) -> Answered | None:
        """Responses for a window, windows in the order of their frames; None: not yet any.

        Raises:
            Exception: What the network raised.
        """

    def reconfigure(self, stream: StreamConfig) -> None:
        """Go on with other settings of the stream."""

    def forget(self) -> None:
        """The next window has nothing to do with those before."""

    def close(self) -> None:
        """End what runs in the background."""


class LabelledMasks:
    """Encodes each window that it is asked about, once.

    Args:
        predictor: The network.
    """

    follows_every_frame = False

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._label = predictor.config.label_index
        self._encoded: Encoded | None = None

    def respond(self, snapshot: WindowSnapshot, sentences: Sequence[Sentence]) -> Answered:
        encoded = self._encoded
        if encoded is None or encoded.snapshot is not snapshot:
            encoded = self._encoded = Encoded(snapshot, snapshot.encode())
        label = snapshot.window[self._label]
        responses = encoded.respond(self._predictor, sentences)
        return Answered(responses, label, label, snapshot.window)

    def reconfigure(self, stream: StreamConfig) -> None:
        """Nothing here depends on the settings."""

    def forget(self) -> None:
        self._encoded = None

    def close(self) -> None:
        """Nothing runs in the background."""
