"""Which camera stamps are believed. Integer nanoseconds throughout; no ROS types."""

from actseg_core.errors import ActSegError

NANOSECONDS = 1_000_000_000
MAX_STAMP_S = 2**31 - 1
CLOCK_RESET_FRAMES = 5


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
    """

    def __init__(
        self, max_age_s: float, future_tolerance_s: float, check_clock: bool = True
    ) -> None:
        self.allow_age(max_age_s)
        self._future_ns = round(future_tolerance_s * NANOSECONDS)
        self._check_clock = check_clock
        self._accepted_ns = -1
        self._candidate_ns = -1
        self._candidates = 0
        self.resets = 0

    def check(self, stamp_ns: int, now_ns: int) -> None:
        """Accept a stamp or say why not.

        Args:
            stamp_ns: Capture time of the frame [ns].
            now_ns: The node's clock when the frame arrived [ns].

        Raises:
            StampRefused: If the stamp is far from now, repeats, or runs backwards.
        """
        if self._check_clock:
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
        if age_ns > self._max_age_ns:
            raise StampRefused(
                f"header.stamp is {age_ns / NANOSECONDS:.3f} s behind the node's clock, allowed "
                f"are {self._max_age_ns / NANOSECONDS:g} s; synchronise the clocks or set "
                "check_clock: false"
            )
        if age_ns < -self._future_ns:
            raise StampRefused(
                f"header.stamp is {-age_ns / NANOSECONDS:.3f} s ahead of the node's clock, "
                f"allowed are {self._future_ns / NANOSECONDS:g} s; synchronise the clocks or set "
                "check_clock: false"
            )

    def _is_clock_reset(self, stamp_ns: int) -> bool:
        runs_on = self._candidates > 0 and stamp_ns > self._candidate_ns
        self._candidates = self._candidates + 1 if runs_on else 1
        self._candidate_ns = stamp_ns
        if self._candidates < CLOCK_RESET_FRAMES:
            return False
        self.resets += 1
        return True
