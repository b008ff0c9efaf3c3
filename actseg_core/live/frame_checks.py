"""Which frames are believed: stamps that run forwards, and pictures that change. No ROS types.

Integer nanoseconds throughout.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ActSegError

NANOSECONDS = 1_000_000_000
MAX_STAMP_S = 2**31 - 1
CLOCK_RESET_FRAMES = 5
CLOCK_ADVICE = (
    "synchronise the clocks, set use_sim_time: true if the images bear simulated or recorded time "
    "and /clock tells it, or set check_clock: false"
)
SAMPLED_ROWS = 16
HINT = (
    "the camera has sent the same picture {count} times in a row with advancing stamps: it hangs, "
    "or its driver repeats an old buffer; restart it (frozen_frames: 0 for a picture that stands "
    "still on purpose)"
)


class StampRefused(ActSegError):
    """A frame's stamp cannot be used; the text says why and what to check."""


def stamp_to_ns(sec: int, nanosec: int) -> int:
    """Nanoseconds of a builtin_interfaces/Time, without rclpy's Time, which raises on sec < 0.

    Raises:
        StampRefused: If the stamp is zero, negative, or its nanoseconds reach a second.
    """
    if not 0 <= sec <= MAX_STAMP_S or not 0 <= nanosec < NANOSECONDS:
        raise StampRefused(
            f"header.stamp must have 0 <= sec < 2^31 and 0 <= nanosec < 10^9, got sec {sec}, "
            f"nanosec {nanosec}; correct the camera driver"
        )
    stamp_ns = sec * NANOSECONDS + nanosec
    if stamp_ns == 0:
        raise StampRefused(
            "header.stamp is zero; the camera driver must set it to the capture time"
        )
    return stamp_ns


class StampGate:
    """Lets through stamps that run forwards and lie near the node's clock.

    A single stamp that repeats or runs backwards is refused. If several in a row run forwards
    among themselves, but lie before the newest accepted one, the camera's clock was set back (a
    bag that starts over, a driver that restarted): they are accepted again and `resets` counts.

    Args:
        max_age_s: Largest lag of a stamp behind the node's clock [s].
        future_tolerance_s: Largest lead of a stamp before the node's clock [s].
        check_clock: Whether to compare with the node's clock at all.
        clock_step_s: By how much the node's clock moves on at once [s], 0 unless it is simulated;
            a stamp may be ahead of it by two such steps.
    """

    def __init__(
        self,
        max_age_s: float,
        future_tolerance_s: float,
        check_clock: bool = True,
        clock_step_s: Callable[[], float] = float,
    ) -> None:
        self.allow_age(max_age_s)
        self._future_ns = round(future_tolerance_s * NANOSECONDS)
        self._check_clock = check_clock
        self._accepted_ns = -1
        self._candidate_ns = -1
        self._candidates = 0
        self.resets = 0
        self._clock_step_s = clock_step_s

    def check(self, stamp_ns: int, now_ns: int) -> None:
        """Accept a stamp or say why not.

        Args:
            stamp_ns: Capture time of the frame [ns].
            now_ns: The node's clock when the frame arrived [ns].

        Raises:
            StampRefused: If the stamp is far from now, repeats, or runs backwards.
        """
        if self._check_clock:
            if now_ns == 0:
                raise StampRefused("the node's clock has no time yet: nothing came on /clock")
            self._check_distance(now_ns - stamp_ns)
        if stamp_ns <= self._accepted_ns and not self._is_clock_reset(stamp_ns):
            back_s = (self._accepted_ns - stamp_ns) / NANOSECONDS
            what = "repeats" if back_s == 0 else f"runs back by {back_s:.3f} s"
            raise StampRefused(
                f"header.stamp {what}; is there one camera only on the topic, and does its "
                "driver stamp every frame?"
            )
        self._accepted_ns = stamp_ns
        self._candidates = 0

    def allow_age(self, max_age_s: float) -> None:
        """Let stamps lag behind the node's clock by this [s] at most."""
        self._max_age_ns = round(max_age_s * NANOSECONDS)

    def forget(self) -> None:
        """Accept any next stamp, as after a declared jump of the node's clock."""
        self._accepted_ns = -1
        self._candidates = 0

    def _check_distance(self, age_ns: int) -> None:
        future_ns = max(self._future_ns, round(2 * self._clock_step_s() * NANOSECONDS))
        if age_ns > self._max_age_ns:
            told = f"{age_ns / NANOSECONDS:.3f} s behind the node's clock, stream.max_age_s allows"
            raise StampRefused(
                f"header.stamp is {told} {self._max_age_ns / NANOSECONDS:g} s; {CLOCK_ADVICE}"
            )
        if age_ns < -future_ns:
            told = f"{-age_ns / NANOSECONDS:.3f} s ahead of the node's clock, future_tolerance_s"
            raise StampRefused(
                f"header.stamp is {told} allows {future_ns / NANOSECONDS:g} s; {CLOCK_ADVICE}"
            )

    def _is_clock_reset(self, stamp_ns: int) -> bool:
        runs_on = self._candidates > 0 and stamp_ns > self._candidate_ns
        self._candidates = self._candidates + 1 if runs_on else 1
        self._candidate_ns = stamp_ns
        if self._candidates < CLOCK_RESET_FRAMES:
            return False
        self.resets += 1
        return True


class FrozenWatch:
    """Counts pictures that equal the one before in every pixel, as a real sensor's never do.

    A few rows are compared first: they tell nearly all pictures apart, in 0.03 ms. One thread
    looks; others may read `repeats` and ask for the hint.

    Args:
        limit: Equal pictures in a row that are a fault; 0: never.

    Attributes:
        limit: May be changed at any time.
        repeats: Newest pictures in a row that are the same; 1 while they change, 0 before the
            first.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.repeats = 0
        self._before: NDArray[np.uint8] | None = None

    def look(self, image: NDArray[np.uint8]) -> None:
        """Take in the next picture; it is kept until the one after, and must not be changed.

        Args:
            image: (H, W, 3) uint8.
        """
        if self.limit == 0:
            self.repeats, self._before = 0, None
            return
        before, self._before = self._before, image
        self.repeats = self.repeats + 1 if before is not None and _are_same(before, image) else 1

    def hint(self) -> str:
        """What is wrong and what to do; empty while the picture changes."""
        limit, count = self.limit, self.repeats
        return HINT.format(count=count) if 0 < limit <= count else ""


def _are_same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    if one.shape != other.shape:
        return False
    if one.strides[-1] < 0 and other.strides[-1] < 0:  # bgr8 read backwards: compared as it lies
        one, other = one[..., ::-1], other[..., ::-1]  # in memory it takes a tenth of the time
    step = max(1, len(one) // SAMPLED_ROWS)
    return np.array_equal(one[::step], other[::step]) and np.array_equal(one, other)
