"""What a video file says of itself, checked against its packets: stream, rate, times, end.

A container's header is a claim of the program that wrote it: browsers leave the rate out, screen
recorders and time lapses name another one than they keep, and covers come as video streams.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from av.container import Container, InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from actseg_core.errors import VideoError

DEFAULT_RATE_HZ = 25.0
MAX_HEADER_RATE_HZ = 240.0  # 1000 and 90000 are clocks of containers, not rates of cameras
SAME_RATE = 0.02  # a measured rate this near to the header's is the header's
SHORTEST_STEP_S = 1e-4  # no camera takes frames faster; such times are a wrong unit, or one time
JUMP_S = 10.0  # in a transport stream a longer step is a new clock; FFmpeg's own limit
_TS_DISCONT = 0x0200  # FFmpeg's AVFMT_TS_DISCONT: the format lets clocks start anew
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_DURATION_TAG = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class PacketTimes(NamedTuple):
    """What a packet says without being decoded, in ticks of its stream.

    Attributes:
        shown: When its frame is shown; None: it does not say.
        decoded: When it is decoded; None: it does not say.
        duration: How long its frame is shown; 0: it does not say.
        is_key: Whether decoding can begin here.
    """

    shown: int | None
    decoded: int | None
    duration: int
    is_key: bool


def video_stream(path: Path | str, container: InputContainer) -> VideoStream:
    """The first stream that is a video: no cover picture, and there is a decoder for it.

    A single picture before a longer stream is a cover that nobody marked as one.

    Raises:
        VideoError: If there is none.
    """
    pictures = [item for item in container.streams.video if not item.disposition & _COVER]
    if not len(container.streams):
        raise VideoError(f"{path} holds no track: it is empty or cut short; copy it again")
    if not pictures:
        covers = " but a cover picture" if container.streams.video else ""
        raise VideoError(f"{path} has no picture track{covers}; give a video")
    known = [item for item in pictures if item.codec_context is not None]
    if not known:
        raise VideoError(
            f"the pictures of {path} are coded in a way that FFmpeg does not know; "
            "re-encode it as MP4 with H.264"
        )
    lasting = [item for item in known if item.frames != 1 and item.codec_context.width]
    return (lasting or known)[0]


def demux(container: InputContainer, stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """The packets of a stream, the last one empty to flush the decoder.

    Raises:
        FFmpegError: If the file is damaged.
    """
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except IndexError:  # PyAV, flushing a stream that appeared while it read
            return
        if packet is None:
            return
        yield packet


def header_rate_hz(stream: VideoStream) -> float:
    """The rate that the header names if a camera can have it, else `DEFAULT_RATE_HZ`."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= MAX_HEADER_RATE_HZ:
            return float(rate)
    return DEFAULT_RATE_HZ


def clock_may_jump(container: Container) -> bool:
    """Whether a long step forward is a new clock rather than a pause (transport streams)."""
    return bool(container.format.flags & _TS_DISCONT)


def index_times(stream: VideoStream) -> list[int]:
    """Times [ticks] of all frames by the header's index, where it lists all evenly; else nothing.

    They are those of decoding, which differ from those of display where frames are uneven.
    """
    entries = list(stream.index_entries)
    if not stream.frames or len(entries) != stream.frames:
        return []
    times = [entry.timestamp for entry in entries if entry.size and not entry.is_discard]
    steps = [after - before for before, after in pairwise(times)]
    return times if steps and max(steps) - min(steps) <= 1 else []


def rising_times(packets: Sequence[PacketTimes]) -> list[int]:
    """Times [ticks] of packets in an order that rises as long as the clock does."""
    decoded = [packet.decoded for packet in packets if packet.decoded is not None]
    if len(decoded) == len(packets) and not are_in_order(packets):
        return decoded
    return sorted(packet.shown for packet in packets if packet.shown is not None)


def are_in_order(packets: Sequence[PacketTimes]) -> bool:
    """Whether sorting by `shown` gives the order of display, all frames that can be decoded."""
    shown = [packet.shown for packet in packets if packet.shown is not None]
    if not shown or len(set(shown)) != len(packets):
        return False
    decoded = [packet.decoded for packet in packets if packet.decoded is not None]
    # Before the first key frame nothing can be decoded, whether stored before it or after.
    starts_with_key = packets[0].is_key and shown[0] == min(shown)
    return starts_with_key and all(before <= after for before, after in pairwise(decoded))


def steps_s(stream: VideoStream, times: Sequence[int]) -> list[float]:
    """Times between frames [s]; where the clock starts anew there is none."""
    tick_s = float(stream.time_base or 0)
    longest_s = JUMP_S if clock_may_jump(stream.container) else math.inf
    steps = [(after - before) * tick_s for before, after in pairwise(times)]
    return [step_s for step_s in steps if 0.0 <= step_s <= longest_s]


def mean_rate_hz(stream: VideoStream, steps: Sequence[float]) -> float:
    """Steps over their sum [s]; the header's rate where both agree or nothing is known."""
    header = header_rate_hz(stream)
    tick_s = float(stream.time_base or 0)
    span_s, promised_s = sum(steps), len(steps) / header
    agrees = abs(span_s - promised_s) <= max(SAME_RATE * promised_s, tick_s)
    if agrees or span_s <= len(steps) * SHORTEST_STEP_S:
        return header
    return len(steps) / span_s


def check_complete(
    path: Path, stream: VideoStream, frames: int, end_s: float, slack_s: float
) -> None:
    """Compare what came with what the header promised.

    A file may rightly show fewer frames than it stores (an edit list), so both the count and the
    time must fall short before the file counts as cut.

    Args:
        path: For the message.
        stream: Its header's promises.
        frames: That came.
        end_s: When the last one ended [s], in the file's own time.
        slack_s: So much may be missing [s].

    Raises:
        VideoError: If the file holds no frame or ends early.
    """
    if frames == 0:
        raise VideoError(f"{path} holds no frame; it is empty or cut short")
    promised_s = promised_end_s(stream)
    if promised_s is None or end_s >= promised_s - slack_s:
        return
    if stream.frames and frames >= stream.frames:
        return
    wanted = f"{stream.frames} frames" if stream.frames else f"{promised_s:.3f} s"
    came = f"{frames} came" if stream.frames else f"{frames} frames until {end_s:.3f} s came"
    raise VideoError(
        f"{path} is cut short: its header promises {wanted}, {came}; "
        "copy it again, or re-encode what is left of it"
    )


def promised_end_s(stream: VideoStream) -> float | None:
    """When the last frame ends by the header [s], in the file's own time; None: it does not say.

    A Matroska file says it per track in a tag; its overall duration may be that of the sound.
    """
    if stream.time_base is None:
        return None
    start_s = float((stream.start_time or 0) * stream.time_base)
    if stream.frames and stream.duration is not None:
        return start_s + float(stream.duration * stream.time_base)
    tag = _DURATION_TAG.match(stream.metadata.get("DURATION", ""))
    if tag is None or "matroska" not in stream.container.format.name:
        return None
    return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])  # counted from zero


class FrameClock:
    """Times of frames in display order, from stamps that may be missing, doubled or run back.

    Stamps that rise are kept as they are. Where they do not, a clock that started anew goes on
    where it was, and single stamps that are doubled or a little early are put one mean interval
    after the frame before.

    Args:
        interval_s: Gives the mean interval [s]; asked once, and only if it is needed.
        longest_s: A step forward [s] beyond this is a new clock, too.

    Attributes:
        longest_step_s: Between two frames so far [s].
    """

    def __init__(self, interval_s: Callable[[], float], longest_s: float = math.inf) -> None:
        self.longest_step_s = 0.0
        self._ask = interval_s
        self._known_s: float | None = None
        self._longest_s = longest_s
        self._origins_s: list[float] = []  # of the clock that counts, and of the one before it
        self._time_s: float | None = None

    def time_s(self, stamp_s: float | None) -> float:
        """Time of the next frame since the first [s], above the one before.

        Args:
            stamp_s: What the file says; None: nothing.
        """
        before_s = self._time_s
        self._time_s = 0.0 if before_s is None else self._after(before_s, stamp_s)
        if stamp_s is not None and not self._origins_s:
            self._origins_s = [stamp_s - self._time_s]
        self.longest_step_s = max(self.longest_step_s, self._time_s - (before_s or 0.0))
        return self._time_s

    def _after(self, before_s: float, stamp_s: float | None) -> float:
        if stamp_s is None or not self._origins_s:
            return before_s + self._interval_s()
        steps_s = [stamp_s - origin_s - before_s for origin_s in self._origins_s]
        fitting = [step_s for step_s in steps_s if SHORTEST_STEP_S <= step_s <= self._longest_s]
        if fitting:
            return before_s + min(fitting)
        time_s = before_s + self._interval_s()
        if abs(steps_s[0]) >= 2 * self._interval_s():
            self._origins_s = [stamp_s - time_s, self._origins_s[0]]
        return time_s

    def _interval_s(self) -> float:
        if self._known_s is None:
            self._known_s = self._ask()
        return self._known_s
