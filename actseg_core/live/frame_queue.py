"""The bounded queue between the subscriber and the worker: the newest frames win."""

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actseg_core.live.stats import Interval, Rate


@dataclass(frozen=True)
class Arrival:
    """An image message as it came, not yet looked at.

    Attributes:
        message: sensor_msgs/Image or CompressedImage.
        received_s: Steady clock when it came [s].
        received_ns: The node's clock when it came [ns].
    """

    message: Any
    received_s: float
    received_ns: int


class FrameQueue:
    """Drops the oldest frame when full, and counts.

    Args:
        capacity: Frames that may wait.
        came: Called after each frame, for who waits for more than this queue; must return at once.

    Attributes:
        interval_s: Between two frames as they come, dropped ones included [s]; 0: not known.
    """

    def __init__(self, capacity: int, came: Callable[[], None] = lambda: None) -> None:
        self._waiting: deque[Arrival] = deque()
        self._capacity, self._came = capacity, came
        self._changed = threading.Condition()
        self._woken = False
        self._rate, self._interval = Rate(), Interval()
        self.received = 0
        self.dropped = 0
        self.last_received_s = -math.inf
        self.interval_s = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, arrival: Arrival) -> None:
        """Add a frame; never blocks for longer than a list operation."""
        with self._changed:
            self.received += 1
            self.last_received_s = arrival.received_s
            self._rate.tick(arrival.received_s)
            self._interval.tick(arrival.received_s)
            self.interval_s = self._interval.value_s
            self._waiting.append(arrival)
            self._drop_oldest(self._capacity)
            self._changed.notify()
        self._came()

    def resize(self, capacity: int) -> None:
        """Let so many frames wait from now on; those too many are dropped and counted."""
        with self._changed:
            self._capacity = capacity
            self._drop_oldest(capacity)

    def rate_hz(self, now_s: float) -> float:
        """Frames that came per second over the last few seconds [Hz], dropped ones included."""
        with self._changed:
            return self._rate.hz(now_s)

    def get(self, timeout_s: float, skip: bool = False) -> Arrival | None:
        """The oldest waiting frame; None after `timeout_s` [s] or a `wake`.

        Args:
            timeout_s: How long to wait for one [s].
            skip: Whether of a full queue only the newest frame is wanted; the others are dropped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._woken, timeout_s)
            self._woken = False
            if skip and len(self._waiting) == self._capacity:
                self._drop_oldest(1)
            return self._waiting.popleft() if self._waiting else None

    def wake(self) -> None:
        """Let a waiting `get` return, because something other than a frame has come."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def drop_all(self) -> None:
        """Count all waiting frames as dropped."""
        with self._changed:
            self.dropped += len(self._waiting)
            self._waiting.clear()

    def _drop_oldest(self, kept: int) -> None:
        while len(self._waiting) > kept:
            self._waiting.popleft()
            self.dropped += 1
