"""What a camera's interval means for the limits of the worker, and what to say of them."""

import math
from collections import deque

from actseg_core.config import StreamConfig
from actseg_core.live.frame_queue import FrameQueue
from actseg_core.live.reports import Engine
from actseg_core.live.stats import followed_s

# While the interval is not known: the second image of a camera at 1 Hz is no silence.
SECOND_IMAGE_S = 2.5
TOLD_FROM_S = 2.0
# So many times within so long are no single events.
RESETS = 5
RESETS_WITHIN_S = 10.0


class Pace:
    """Judges silence and age by the camera's own interval.

    Args:
        frames: Measures it as images arrive.
        engine: Has the window, and measures it by the stamps.
    """

    def __init__(self, frames: FrameQueue, engine: Engine) -> None:
        self._frames, self._engine = frames, engine
        self._resets = engine.resets
        self._resets_s: deque[float] = deque(maxlen=RESETS)

    def silence(self, config: StreamConfig, now_s: float) -> str:
        """Since when no image has come and which limit that is above; empty if it is below.

        Args:
            config: stale_after_s and slow_camera_intervals are read.
            now_s: Steady clock [s].
        """
        silent_s = now_s - self._frames.last_received_s
        if math.isinf(silent_s):
            return "no image since activation"
        limit_s = self.stale_after_s(config)
        if silent_s <= limit_s:
            return ""
        if limit_s > config.stale_after_s and self._frames.interval_s:
            what = f"of a camera at {1 / self._frames.interval_s:.2g} Hz"
        else:
            what = "stream.stale_after_s"
        return f"no image for {silent_s:.1f} s ({what}: {limit_s:.3g} s)"

    def stale_after_s(self, config: StreamConfig) -> float:
        """The silence [s] after which the camera is missed."""
        interval_s = self._frames.interval_s
        if not interval_s and config.slow_camera_intervals:
            return max(config.stale_after_s, SECOND_IMAGE_S)
        return followed_s(config, config.stale_after_s, interval_s)

    def warming_up(self) -> str:
        """How full the window is, and when it will be full if that takes long."""
        engine, interval_s = self._engine, self._frames.interval_s
        told = f"{engine.filled} of {engine.frames} frames in the window"
        left_s = (engine.frames - engine.filled) * interval_s
        if left_s > TOLD_FROM_S:
            told += f", at {1 / interval_s:.2g} Hz full in {left_s:.0f} s"
        return f"{told} after: {engine.last_reset}" if engine.last_reset else told

    def too_old(self, age_s: float, config: StreamConfig) -> str:
        """Why a mask is withheld, and what to do.

        Args:
            age_s: Of the mask [s].
            config: max_age_s is read.
        """
        told = f"the mask was {age_s:.2f} s old, stream.max_age_s allows {config.max_age_s:g} s; "
        delay_s = self._engine.delay_frames * self._engine.interval_s
        if delay_s < config.max_age_s / 2:
            return f"{told}lower the camera's rate, take a smaller preset, or raise the limit"
        return (
            f"{told}the network labels the frame {self._engine.delay_frames} frames ago, with "
            f"frames {self._engine.interval_s:.2g} s apart that is {delay_s:.2g} s: take a faster "
            "camera, set stream.mask_frame: newest, or raise the limit"
        )

    def window(self) -> str:
        """How full the window is, how far apart its frames are, and what emptied it last."""
        engine = self._engine
        told = "full" if engine.ready else f"{engine.filled} of {engine.frames} frames"
        if engine.interval_s:
            told += f", {engine.interval_s:.3g} s apart"
        return f"{told}; last emptied: {engine.last_reset}" if engine.last_reset else told

    def hint(self, config: StreamConfig, now_s: float) -> str:
        """Why masks are few: limits that the camera cannot meet, or a window that never lasts.

        Args:
            config: Limits.
            now_s: Steady clock [s].
        """
        if self._engine.resets != self._resets:
            self._resets = self._engine.resets
            self._resets_s.append(now_s)
        arrival_s, window_s = self._frames.interval_s, self._engine.interval_s
        if not config.slow_camera_intervals and arrival_s > config.stale_after_s:
            return (
                f"the camera sends {1 / arrival_s:.2g} Hz, one image every {arrival_s:.2g} s, but "
                f"stream.stale_after_s is {config.stale_after_s:g} s and stream.max_gap_s "
                f"{config.max_gap_s:g} s: raise both, or set stream.slow_camera_intervals"
            )
        most_are_dropped = self._frames.dropped > self._frames.received / 2
        if most_are_dropped and window_s > config.max_gap_s and arrival_s:
            return (
                f"the camera sends {1 / arrival_s:.2g} Hz, but only one image every "
                f"{window_s:.2g} s can be taken in; lower its rate or take a smaller preset"
            )
        if len(self._resets_s) == RESETS and now_s - self._resets_s[0] < RESETS_WITHIN_S:
            return (
                f"the window is emptied again and again, the last time: {self._engine.last_reset}"
            )
        return ""
