"""Rates and latencies over the recent past."""

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import numpy as np

from actseg_core.config import StreamConfig

RATE_WINDOW_S = 3.0
EVENTS_KEPT = 4
INTERVALS_KEPT = 5
PAUSE_INTERVALS = 8
LONGEST_LIMIT_S = 60.0  # however slow the camera is
LATENCIES_KEPT = 300
# What happens to a frame, in order: in the queue, message to picture, into the window (flow and
# per-frame features), network and masks, messages.
STAGES = ("waiting", "decoding", "window", "network", "publishing")


class Rate:
    """Events per second over the last few seconds, or over the last few events of a slow camera.

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
        """Events per second [Hz]; 0 before the second one and after a silence."""
        self._drop(now_s)
        times = self._times
        if len(times) < 2 or now_s - times[-1] > max(
            self._window_s, PAUSE_INTERVALS * (times[-1] - times[-2])
        ):
            return 0.0
        span_s, silent_s = times[-1] - times[0], now_s - times[-1]
        if silent_s > 1.5 * span_s / (len(times) - 1):
            span_s += silent_s  # the next event is late
        return (len(times) - 1) / span_s if span_s > 0 else 0.0

    def _drop(self, now_s: float) -> None:
        """What is older than the window goes, but for the last few."""
        times = self._times
        while len(times) > EVENTS_KEPT and now_s - times[0] > self._window_s:
            times.popleft()


class Interval:
    """The time between two frames of a camera: the median of the last five, by any clock.

    One lost frame or a short burst does not change it. A pause of many intervals is none: what
    comes behind it may be of another rate, and is measured anew.
    """

    def __init__(self) -> None:
        self._newest_s: float | None = None
        self._steps_s: deque[float] = deque(maxlen=INTERVALS_KEPT)

    @property
    def value_s(self) -> float:
        """In seconds; 0 while it is not known."""
        return median(self._steps_s) if self._steps_s else 0.0

    def tick(self, time_s: float) -> None:
        """Take in when the next frame was; after a time that runs back it is measured anew."""
        step_s = 0.0 if self._newest_s is None else time_s - self._newest_s
        if step_s < 0:
            self.forget()
        self._newest_s = time_s
        if step_s <= 0:
            return
        if self._steps_s and step_s > PAUSE_INTERVALS * self.value_s:
            self._steps_s.clear()
        else:
            self._steps_s.append(step_s)

    def forget(self) -> None:
        """Measure anew."""
        self._newest_s = None
        self._steps_s.clear()


def followed_s(config: StreamConfig, limit_s: float, interval_s: float) -> float:
    """A limit of the time between two frames [s], raised for a slow camera.

    Args:
        config: slow_camera_intervals is read.
        limit_s: max_gap_s or stale_after_s [s].
        interval_s: Between two frames of the camera [s]; 0: not known.
    """
    return max(limit_s, min(LONGEST_LIMIT_S, config.slow_camera_intervals * interval_s))


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
