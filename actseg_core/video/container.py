"""Video files through PyAV (FFmpeg): opening, probing, decoding from front to back."""

import math
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import IO, Any

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame as DecodedFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from typing_extensions import Self

from actseg_core.errors import VideoError
from actseg_core.video import facts
from actseg_core.video.frames import ImageFolder, VideoFrame, VideoInfo, check_pixels
from actseg_core.video.names import check_file, local_path, what_it_is
from actseg_core.video.picture import pixel_aspect, size_changed, to_rgb, upright_size

# Local files of ordinary kinds only: a play list must not make FFmpeg open other files or hosts.
_CONTAINERS = (
    *("mov", "avi", "matroska", "mpeg", "mpegts", "mpegvideo", "ogg", "flv", "asf", "gif"),
    *("h264", "hevc", "obu", "m4v", "mjpeg", "ivf", "nut", "dv", "mxf", "rm", "apng"),
    "yuv4mpegpipe",
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(_CONTAINERS)}
_PYAV = int(av.__version__.partition(".")[0])
TITLES: dict[str, Any] = {} if _PYAV >= 19 else {"metadata_errors": "replace"}
"""For `av.open`: titles in another encoding are no error. PyAV 19 does so by itself."""


class OpenVideo:
    """An open video file, its video stream, and what is known of it.

    Args:
        path: Of the file.
        size: Height and width [px] that all pictures must have; None: as the first one.

    Attributes:
        path: As given.
        container: PyAV's.
        stream: The video among its streams.
        aspect: Width over height of a stored pixel.

    Raises:
        VideoError: If the file is missing, empty, not a video, or without a picture track.
    """

    def __init__(self, path: Path, size: tuple[int, int] | None = None) -> None:
        self.path = path
        self.size = size
        self._file: IO[bytes] | None = None
        self.container = self._open()
        try:
            self.stream: VideoStream = facts.video_stream(path, self.container)
            context = self.stream.codec_context
            context.thread_count = 1  # several workers share the machine; order is exact
            check_pixels(path, context.width or 1, context.height or 1)
            self.aspect = pixel_aspect(self.stream.sample_aspect_ratio)
        except VideoError:
            self.close()
            raise

    def _open(self) -> InputContainer:
        check_file(self.path)
        try:
            # With the protocol named, FFmpeg takes no part of a name for one ("12:30.mp4").
            name: str | IO[bytes] = f"file:{self.path}"
            if not is_text(self.path):
                name = self._file = self.path.open("rb")
            opened: InputContainer = av.open(name, "r", container_options=_OPTIONS, **TITLES)
            return opened
        except (av.FFmpegError, OSError) as error:
            self._close_file()
            raise VideoError(
                f"cannot open the video {self.path}: {_why(self.path, error)}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.container.close()
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()

    def picture(self, frame: DecodedFrame, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of a frame as displayed.

        Raises:
            VideoError: If it is damaged, or of another size than the frames before.
        """
        image = to_rgb(self.path, frame, index, self.aspect)
        size = image.shape[0], image.shape[1]
        self.size = self.size or size
        if size != self.size:
            raise size_changed(self.path, index, self.size, size)
        return image

    def decode_from_start(self) -> Iterator[DecodedFrame]:
        """Frames of a freshly opened file in display order.

        A stream without an index may have been cut at its start. Then what comes before its first
        key frame is passed over: some decoders would make up what it lacks.

        Raises:
            FFmpegError: If a frame cannot be decoded.
        """
        has_begun = len(self.stream.index_entries) > 0
        for packet in facts.demux(self.container, self.stream):
            has_begun = has_begun or packet.is_keyframe
            if has_begun:
                yield from packet.decode()
        if not has_begun:  # a format that marks no key frame
            self.container.seek(0)
            for packet in facts.demux(self.container, self.stream):
                yield from packet.decode()

    def decode_from(self, stamp: int) -> Iterator[DecodedFrame]:
        """Frames in display order from the key frame of a time stamp [ticks] on.

        Raises:
            SeekMissedError: If the container leads elsewhere, as transport streams do.
            FFmpegError: If a frame cannot be decoded.
        """
        self.container.seek(stamp, stream=self.stream)
        is_first = True
        for packet in facts.demux(self.container, self.stream):
            if is_first and not packet.is_keyframe:  # decoders may make up what they lack
                raise SeekMissedError
            is_first = False
            yield from packet.decode()


class SeekMissedError(Exception):
    """Time stamps do not lead to the frames of this file: count frames instead."""


def is_text(path: Path) -> bool:
    """Whether a name can be handed to FFmpeg; names in other encodings than UTF-8 cannot."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def reason(error: Exception) -> str:
    """Of FFmpeg's or the system's refusal, without file names."""
    return getattr(error, "strerror", None) or type(error).__name__


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "it may not be read; change its permissions"
    known = what_it_is(path)
    return known or (
        f"not a video, damaged, or cut short ({reason(error)}); "
        "play it elsewhere, or re-encode it as MP4"
    )


@contextmanager
def decoding(path: Path, done: str) -> Iterator[None]:
    """Turn FFmpeg's errors into a VideoError that names the file and how far it was readable."""
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path} is damaged or cut short {done} ({reason(error)}); "
            "copy it again, or re-encode what is left of it"
        ) from error


def probe(path: str | Path) -> VideoInfo:
    """Size, rate and length of a video file or image folder.

    Rate and length are told by the header's index of frames where it lists all, else by the
    packets (one pass over the file without decoding).

    Raises:
        VideoError: If there is nothing readable.
    """
    path = local_path(path)
    if path.is_dir():
        return ImageFolder(path).info
    with OpenVideo(path) as video:
        with decoding(path, "at frame 0"):
            first = next(video.decode_from_start(), None)
        if first is None:
            raise VideoError(f"{path} holds no frame; it is empty or cut short")
        height, width = video.picture(first, 0).shape[:2]
        stored = upright_size(first)
        times = facts.index_times(video.stream)
    count = len(times)
    with OpenVideo(path) as video:
        if not times:
            count, times = read_times(video)
        steps = facts.steps_s(video.stream, times)
        rate_hz = facts.mean_rate_hz(video.stream, steps)
    interval_s = median(steps) if steps else 0.0
    if interval_s < facts.SHORTEST_STEP_S:
        interval_s = 1.0 / rate_hz
    return VideoInfo(rate_hz, width, height, count, stored, interval_s)


def read_times(video: OpenVideo) -> tuple[int, list[int]]:
    """Number of frames of a freshly opened file, and times by which their rate can be told.

    Of a damaged file, of what comes before the damage.
    """
    packets: list[facts.PacketTimes] = []
    with suppress(av.FFmpegError, OSError):
        packets.extend(packet_times(video))
    return len(packets), facts.rising_times(packets)


def packet_times(video: OpenVideo) -> Iterator[facts.PacketTimes]:
    """Of all packets of a freshly opened file whose frames are shown, in the file's order.

    Raises:
        FFmpegError: If the file is damaged.
    """
    for packet in facts.demux(video.container, video.stream):
        if packet.size and not packet.is_discard:
            yield facts.PacketTimes(
                packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe
            )


def read_video(path: str | Path) -> Iterator[VideoFrame]:
    """All frames of a video file or image folder in display order, one in memory at a time.

    The file is closed when the iterator ends, fails or is dropped.

    Raises:
        VideoError: If there is nothing readable, a frame is damaged or of another size than the
            first, or the content ends early; the frames before are yielded first.
    """
    path = local_path(path)
    if path.is_dir():
        yield from _read_folder(ImageFolder(path))
        return
    with OpenVideo(path) as video, closing(decode_all(video)) as frames:
        for index, frame, time_s in frames:
            yield VideoFrame(video.picture(frame, index), time_s, index)


def _read_folder(folder: ImageFolder) -> Iterator[VideoFrame]:
    for index in range(folder.info.frames):
        yield VideoFrame(folder.image(index), index / folder.info.fps, index)


def decode_all(video: OpenVideo) -> Generator[tuple[int, DecodedFrame, float], None, None]:
    """Index, frame and time [s] of all frames of a freshly opened file; the times rise.

    Raises:
        VideoError: If the content is damaged or ends before its declared end.
    """
    path, stream = video.path, video.stream
    clock = facts.FrameClock(
        lambda: 1.0 / _measured_rate_hz(path),
        facts.JUMP_S if facts.clock_may_jump(video.container) else math.inf,
    )
    frames = video.decode_from_start()
    index, end_s = 0, 0.0
    while True:
        with decoding(path, f"after {index} frames"):
            frame = next(frames, None)
        if frame is None:
            break
        time_s = clock.time_s(frame.time)
        end_s = (time_s if frame.time is None else frame.time) + _lasting_s(frame)
        yield index, frame, time_s
        index += 1
    slack_s = 1.5 * max(clock.longest_step_s, 1.0 / facts.header_rate_hz(stream))
    facts.check_complete(path, stream, index, end_s, slack_s)


def _measured_rate_hz(path: Path) -> float:
    with OpenVideo(path) as video:
        times = read_times(video)[1]
        return facts.mean_rate_hz(video.stream, facts.steps_s(video.stream, times))


def _lasting_s(frame: DecodedFrame) -> float:
    return float(frame.duration * frame.time_base) if frame.time_base else 0.0
