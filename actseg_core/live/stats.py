"""Rates and latencies over the recent past."""

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

RATE_WINDOW_S = 3.0
LATENCIES_KEPT = 300
# What happens to a frame, in order: in the queue, message to picture, into the window (flow and
# per-frame features), network and masks, messages.
STAGES = ("waiting", "decoding", "window", "network", "publishing")


class Rate:
    """Events per second over the last few seconds.

    Args:
        window_s: Length of the past that counts [s].
    """

    def __init__(self, window_s: float = RATE_WINDOW_S) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque()

    def tick(self, now_s: float) -> None:
        """Count one event.

        Args:
            now_s: A steady clock [s], never running backwards.
        """
        self._times.append(now_s)
        self._drop(now_s)

    def hz(self, now_s: float) -> float:
        """Events per second [Hz]; 0 before the second one and after a silent window."""
        self._drop(now_s)
        if len(self._times) < 2:
            return 0.0
        span_s = max(now_s, self._times[-1]) - self._times[0]
        return (len(self._times) - 1) / span_s if span_s > 0 else 0.0

    def _drop(self, now_s: float) -> None:
        while self._times and now_s - self._times[0] > self._window_s:
            self._times.popleft()


class Latency:
    """Percentiles of the newest few hundred latencies."""

    def __init__(self) -> None:
        self._values_ms: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def add(self, value_s: float) -> None:
        """Keep one latency [s]."""
        self._values_ms.append(value_s * 1000.0)

    def percentiles_ms(self) -> tuple[float, float]:
        """Median and 95th percentile [ms]; NaN before the first value."""
        if not self._values_ms:
            return math.nan, math.nan
        middle, high = np.percentile(self._values_ms, (50, 95))
        return float(middle), float(high)


class Stages:
    """How long the stages of recent frames took."""

    def __init__(self) -> None:
        self._latencies = {name: Latency() for name in STAGES}

    def add(self, stage: str, value_s: float) -> None:
        """Keep one time [s] of one of STAGES."""
        self._latencies[stage].add(value_s)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Time what happens inside; nothing is kept if it raises."""
        start_s = time.monotonic()
        yield
        self.add(stage, time.monotonic() - start_s)

    def percentiles_ms(self) -> dict[str, tuple[float, float]]:
        """Median and 95th percentile [ms] by stage; NaN before the first value."""
        return {name: latency.percentiles_ms() for name, latency in self._latencies.items()}
