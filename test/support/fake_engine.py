"""A small engine with the API of StreamingEngine, for tests of what surrounds it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE_S

from actseg_core.config import StreamConfig
from actseg_core.errors import ShapeError, VocabularyError
from actseg_core.types import Frame, MaskResult, Sentence


class FakeEngine:
    """A window of three frames about which sentences decide by their own words.

    "absent" is not found, "slow" takes 50 ms, "boom" raises, "nan" has no confidence.
    """

    delay_frames = 0
    frames = 3
    interval_s = 0.0
    answers_every_frame = False
    answers_cost_little = False

    def __init__(self) -> None:
        self.window: list[Frame] = []
        self.queries: list[tuple[str, Sentence]] = []
        self.last_reset = ""
        self.resets = 0
        self.threads: set[int] = set()
        self.config = StreamConfig()
        self.closed = False

    @property
    def ready(self) -> bool:
        return len(self.window) == self.frames

    @property
    def filled(self) -> int:
        return len(self.window)

    def set_queries(self, queries: Sequence[tuple[str, Sentence]]) -> None:
        self.queries = list(queries)

    def push(self, frame: Frame) -> None:
        if frame.image.shape[0] > 1000:
            raise ShapeError("a frame may have 1000 rows; use a smaller one")
        self.window = [*self.window, frame][-self.frames :]

    def reconfigure(self, config: StreamConfig) -> None:
        self.config = config

    def close(self) -> None:
        self.closed = True

    def reset(self, reason: str) -> None:
        self.window = []
        self.last_reset = reason
        self.resets += 1

    def answer(self) -> dict[str, MaskResult]:
        if not self.ready:
            return {}
        return {name: self._result(sentence.text) for name, sentence in self.queries}

    def _result(self, text: str) -> MaskResult:
        if "boom" in text:
            raise RuntimeError("the network fell over")
        if "slow" in text:
            time.sleep(0.05)
        frame = self.window[-1 - self.delay_frames]
        mask = np.zeros(frame.image.shape[:2], np.uint8)
        found = "absent" not in text
        if found:
            mask[2:5, 3:9] = 255
        return MaskResult(
            mask,
            found,
            float("nan") if "nan" in text else 0.75 if found else 0.25,
            frame.stamp_ns,
            frame.frame_id,
            self.window[0].stamp_ns,
            self.window[-1].stamp_ns,
        )


def read_words(text: str) -> Sentence:
    """Like SentenceReader.read: at most 20 words; words that begin with x are unknown."""
    words, left_out = tuple(text.lower().split()[:20]), tuple(text.lower().split()[20:])
    if "\ufffd" in text:
        raise VocabularyError("the sentence holds undecodable characters; send UTF-8")
    unknown = tuple(word for word in words if word.startswith("x"))
    return Sentence(text, words, unknown, np.zeros((20, 4), np.float32), left_out)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def read() -> Callable[[str], Sentence]:
    return read_words


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Waits until a condition holds; generous, because nothing timed may fail.

    What it waits for may be a function, so that a failure tells how things stand at the end.
    """

    def wait(condition: Callable[[], Any], what: str | Callable[[], str] = "") -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                told = what() if callable(what) else what
                raise AssertionError(f"not within {PATIENCE_S:g} s: {told or condition}")
            time.sleep(0.01)

    return wait
