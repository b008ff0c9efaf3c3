"""How a moving window is encoded: anew each time, or frame by frame from caches."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import numpy as np
from torch import Tensor

from actseg_core.config import Stream
from actseg_core.image import flow_to_tensor, rgb_to_tensor
from actseg_core.networks.lite_trunk import Pyramid
from actseg_core.predictor import Features, NetworkPredictor, ObjectPredictor, Predictor
from actseg_core.streaming.window import NANOSECONDS, FrameWindow, PreparedFrame

Result = TypeVar("Result")


class WindowEncoder(Protocol):
    """Turns the window into features whenever they are asked for."""

    def push_image(self, frame: PreparedFrame) -> None:
        """Take in the newest frame's image; its flow is still to come."""

    def push_flow(self, frame: PreparedFrame) -> None:
        """Take in the same frame, now with its flow if there is any."""

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        """How to encode a full window that ends with the newest frame and is not changed any more.

        The function may be called later and from another thread: neither further frames nor
        `clear` change what it gives.
        """

    def clear(self) -> None:
        """Forget everything."""


class WholeWindowEncoder:
    """Encodes all frames at every answer: exact for networks that mix all frames early (I3D)."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def push_image(self, frame: PreparedFrame) -> None:
        """Nothing to do before an answer is wanted."""

    def push_flow(self, frame: PreparedFrame) -> None:
        """Nothing to do before an answer is wanted."""

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        def encode() -> Features:
            flow = window.flow() if "flow" in self._predictor.config.streams else None
            return self._predictor.encode(window.images(), flow)

        return encode

    def clear(self) -> None:
        """Nothing is kept."""


class SteppingEncoder:
    """Runs the lite network's trunk once per frame and keeps its features in rings.

    Equal to encoding the whole window anew, at 1 / T of the trunk's cost. Where the runtime gives
    the streams cores of their own, all but one of them run in threads of their own, and pushing
    does not wait for them.
    """

    def __init__(self, predictor: NetworkPredictor) -> None:
        executor, names = predictor.executor, predictor.config.streams
        beside = len(names) - 1 if executor.side_by_side else 0
        self._streams = [
            _Stream(predictor, name, in_thread=index < beside) for index, name in enumerate(names)
        ]

    def push_image(self, frame: PreparedFrame) -> None:
        for stream in self._streams:
            if stream.name == "rgb":
                stream.push(frame)

    def push_flow(self, frame: PreparedFrame) -> None:
        for stream in self._streams:
            if stream.name == "flow" and frame.flow is not None:
                stream.push(frame)

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        held = [(stream, stream.hold()) for stream in self._streams]

        def encode() -> Features:
            joined = [(stream.name, stream.join(step)) for stream, step in held]
            return {name: features.result() for name, features in joined}

        return encode

    def clear(self) -> None:
        for stream in self._streams:
            stream.clear()


Held = tuple[Pyramid, list[Tensor]]
"""Pyramid of the newest frame and ring entries, oldest first."""


class _Stream:
    """One stream's ring, touched in the order of the calls by one thread alone."""

    def __init__(self, predictor: NetworkPredictor, name: Stream, in_thread: bool) -> None:
        self.name: Stream = name
        self._clip_px = predictor.config.flow.clip_px
        self._device = predictor.device
        self._executor = predictor.executor
        self._ring: deque[Tensor] = deque(maxlen=self._executor.entries(name))
        self._newest: Pyramid | None = None
        self._last: Future[None] | None = None
        self._lane = ThreadPoolExecutor(1, f"actseg_{name}") if in_thread else _Inline()

    def push(self, frame: PreparedFrame) -> None:
        """Begin with the newest frame; at most one more is under way.

        Raises:
            Exception: What the network raised for the frame before.
        """
        last, self._last = self._last, None
        if last is not None:
            last.result()
        self._last = self._lane.submit(self._step, frame)

    def hold(self) -> "Future[Held]":
        """The ring as it is after the frames pushed so far."""
        return self._lane.submit(self._hold, self._last)

    def join(self, held: "Future[Held]") -> "Future[list[Tensor]]":
        """The window's features."""
        return self._lane.submit(self._join, held)

    def clear(self) -> None:
        """Forget everything; what is held stays."""
        self._last = None
        self._lane.submit(self._clear).result()

    def _step(self, frame: PreparedFrame) -> None:
        self._newest, entry = self._executor.step(self.name, self._input(frame))
        self._ring.append(entry)

    def _input(self, frame: PreparedFrame) -> Tensor:
        if self.name == "rgb":
            clip = rgb_to_tensor(frame.image[np.newaxis])
        else:
            assert frame.flow is not None
            clip = flow_to_tensor(frame.flow[np.newaxis], self._clip_px)
        return clip[:, :, 0].to(self._device)

    def _hold(self, last: "Future[None] | None") -> Held:
        if last is not None:
            last.result()  # raises what the newest frame's step raised
        assert self._newest is not None
        return self._newest, list(self._ring)

    def _join(self, held: "Future[Held]") -> list[Tensor]:
        newest, ring = held.result()
        return self._executor.join(self.name, newest, ring)

    def _clear(self) -> None:
        self._ring.clear()
        self._newest = None


class _Inline:
    """Runs at once what an executor would run in its thread."""

    def submit(self, function: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        done: Future[Result] = Future()
        done.set_result(function(*arguments))
        return done


class TrackingEncoder:
    """Follows the objects of the camera: each frame is looked at once."""

    def __init__(self, predictor: ObjectPredictor) -> None:
        self._tracker = predictor.tracker()
        self._stamp_ns: int | None = None

    def push_image(self, frame: PreparedFrame) -> None:
        before, self._stamp_ns = self._stamp_ns, frame.stamp_ns
        seconds = 0.0 if before is None else (frame.stamp_ns - before) / NANOSECONDS
        self._tracker.push(frame.image, frame.placement.window, seconds)

    def push_flow(self, frame: PreparedFrame) -> None:
        """Nothing to do: the tracker measures motion itself."""

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        seen = self._tracker.seen()
        return lambda: seen

    def clear(self) -> None:
        self._tracker.clear()
        self._stamp_ns = None


def make_encoder(predictor: Predictor) -> WindowEncoder:
    """The cheapest exact encoder for the predictor's network."""
    if isinstance(predictor, ObjectPredictor):
        return TrackingEncoder(predictor)
    assert isinstance(predictor, NetworkPredictor)
    if predictor.executor.steps:
        return SteppingEncoder(predictor)
    return WholeWindowEncoder(predictor)
