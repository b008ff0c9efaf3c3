"""Which depth image belongs to which answered frame. Bounded memory; no ROS types."""

from bisect import bisect_left
from collections import deque
from typing import Generic, TypeVar

D = TypeVar("D")
A = TypeVar("A")
# Answers that may wait for their depth; more than a few would be too old to be worth it.
WAITING = 4
# Stamps that run back by less [ns] are images in the wrong order.
RESET_NS = 1_000_000_000


class Pairing(Generic[A, D]):
    """Matches answers with depth images whose stamp is nearest; for one thread.

    An answer is computed some time after its frame, so depth is kept; and depth may come later
    than the answer, so a few answers wait.

    Args:
        tolerance_ns: Largest difference of two stamps that belong together [ns].
        capacity: Depth images that are kept; the oldest go first.

    Attributes:
        unmatched: Answers so far for which no depth came.
        failures: How many of them were the newest, in a row.
        apart_ns: How far after the newest of them the nearest depth image lies [ns], negative:
            before; None if none was kept.
        came_late: Whether all depth images kept were newer than the newest of them.
    """

    def __init__(self, tolerance_ns: int, capacity: int) -> None:
        self._tolerance_ns, self._capacity = tolerance_ns, capacity
        self._stamps: list[int] = []
        self._depths: list[D] = []
        self._waiting: deque[tuple[int, A]] = deque()
        self.unmatched = self.failures = 0
        self.apart_ns: int | None = None
        self.came_late = False

    def __len__(self) -> int:
        return len(self._depths)

    def add_depth(self, stamp_ns: int, depth: D) -> None:
        """Keep a depth image; one whose stamp runs back far means that the clock was set."""
        if self._stamps and stamp_ns < self._stamps[-1] - RESET_NS:
            self.forget()
        index = bisect_left(self._stamps, stamp_ns)
        if self._stamps[index : index + 1] == [stamp_ns]:
            return
        self._stamps.insert(index, stamp_ns)
        self._depths.insert(index, depth)
        self._drop_oldest()

    def set_limits(self, tolerance_ns: int, capacity: int) -> None:
        """Go on with other limits; arguments as of the class."""
        self._tolerance_ns, self._capacity = tolerance_ns, capacity
        self._drop_oldest()

    def add_answer(self, stamp_ns: int, answer: A) -> None:
        """Let an answer wait for its depth image; the oldest one gives up if too many wait."""
        self._waiting.append((stamp_ns, answer))
        if len(self._waiting) > WAITING:
            self._give_up(self._waiting.popleft()[0])

    def take(self) -> tuple[A, D] | None:
        """The next answer with its depth image; answers that can have none are given up."""
        while self._waiting:
            stamp_ns, answer = self._waiting[0]
            depth = self._nearest(stamp_ns)
            if depth is None and not self._is_over(stamp_ns):
                return None
            self._waiting.popleft()
            if depth is not None:
                self.failures = 0
                return answer, depth
            self._give_up(stamp_ns)
        return None

    def forget(self) -> None:
        """Drop all depth images and all answers that wait."""
        self._stamps.clear()
        self._depths.clear()
        self.forget_answers()

    def forget_answers(self) -> None:
        """Drop the answers that wait: there is something newer to say."""
        self._waiting.clear()

    def _drop_oldest(self) -> None:
        while len(self._stamps) > self._capacity:
            del self._stamps[0], self._depths[0]

    def _give_up(self, stamp_ns: int) -> None:
        self.unmatched += 1
        self.failures += 1
        best = self._nearest_index(stamp_ns)
        self.apart_ns = None if best is None else self._stamps[best] - stamp_ns
        self.came_late = bool(self._stamps) and stamp_ns < self._stamps[0]

    def _nearest(self, stamp_ns: int) -> D | None:
        best = self._nearest_index(stamp_ns)
        if best is None or abs(self._stamps[best] - stamp_ns) > self._tolerance_ns:
            return None
        return self._depths[best]

    def _nearest_index(self, stamp_ns: int) -> int | None:
        index = bisect_left(self._stamps, stamp_ns)
        near = [i for i in (index - 1, index) if 0 <= i < len(self._stamps)]
        return min(near, key=lambda i: abs(self._stamps[i] - stamp_ns), default=None)

    def _is_over(self, stamp_ns: int) -> bool:
        """Whether newer depth has come, so that none can come for this stamp any more."""
        return bool(self._stamps) and self._stamps[-1] > stamp_ns + self._tolerance_ns
