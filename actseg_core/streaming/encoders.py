"""How a moving window is encoded: anew each time, or frame by frame from caches."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
from torch import Tensor

from actseg_core.config import Stream
from actseg_core.image import flow_to_tensor, rgb_to_tensor
from actseg_core.lite.trunk import Pyramid
from actseg_core.predictor import Predictor
from actseg_core.runtime.executor import Features
from actseg_core.streaming.frame_window import FrameWindow, PreparedFrame


class WindowEncoder(Protocol):
    """Turns the window into features whenever they are asked for."""

    def push(self, frame: PreparedFrame) -> None:
        """Take in the frame that was just added to the window."""

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

    def push(self, frame: PreparedFrame) -> None:
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

    Equal to encoding the whole window anew, at 1 / T of the trunk's cost.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._executor = predictor.executor
        self._rings: dict[Stream, deque[Tensor]] = {
            name: deque(maxlen=self._executor.entries(name)) for name in predictor.config.streams
        }
        self._newest: dict[Stream, Pyramid] = {}

    def push(self, frame: PreparedFrame) -> None:
        for name, ring in self._rings.items():
            picture = self._input(name, frame)
            if picture is None:
                continue
            self._newest[name], entry = self._executor.step(name, picture)
            ring.append(entry)

    def _input(self, name: Stream, frame: PreparedFrame) -> Tensor | None:
        if name == "rgb":
            clip = rgb_to_tensor(frame.image[np.newaxis])
        elif frame.flow is None:
            return None
        else:
            clip_px = self._predictor.config.flow.clip_px
            clip = flow_to_tensor(frame.flow[np.newaxis], clip_px)
        return clip[:, :, 0].to(self._predictor.device)

    def capture(self, window: FrameWindow) -> Callable[[], Features]:
        newest = dict(self._newest)
        rings = {name: list(ring) for name, ring in self._rings.items()}

        def encode() -> Features:
            return {
                name: self._executor.join(name, newest[name], ring) for name, ring in rings.items()
            }

        return encode

    def clear(self) -> None:
        for ring in self._rings.values():
            ring.clear()
        self._newest.clear()


def make_encoder(predictor: Predictor) -> WindowEncoder:
    """The cheapest exact encoder for the predictor's network."""
    if predictor.executor.steps:
        return SteppingEncoder(predictor)
    return WholeWindowEncoder(predictor)
