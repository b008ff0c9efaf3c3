"""Video files through PyAV (FFmpeg): opening, probing, decoding from front to back."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame as DecodedFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from actseg_core.errors import VideoError
from actseg_core.video.frames import ImageFolder, VideoFrame, VideoInfo, check_pixels

# Local files of ordinary kinds only: a play list must not make FFmpeg open other files or hosts.
_CONTAINERS = (
    *("mov", "avi", "matroska", "mpeg", "mpegts", "mpegvideo", "ogg", "flv", "asf", "gif"),
    *("h264", "hevc", "m4v", "mjpeg", "ivf", "nut", "dv"),
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(_CONTAINERS)}


def open_container(path: Path) -> InputContainer:
    """Open a video file; the caller closes it.

    Raises:
        VideoError: If the file is missing, empty, not a video, or without a picture track.
    """
    if not path.is_file():
        raise VideoError(f"there is no video file {path}; check the path")
    if path.stat().st_size == 0:
        raise VideoError(f"the video {path} is empty (0 bytes); copy it again")
    try:
        container = av.open(str(path), container_options=_OPTIONS)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            f"cannot open the video {path}: not a video, damaged, or cut short "
            f"({_reason(error)}); play it elsewhere, or re-encode it as MP4"
        ) from error
    if not container.streams.video:
        container.close()
        raise VideoError(f"{path} has no picture track; give a video")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1  # several workers share the machine; order is exact
    try:
        check_pixels(path, stream.codec_context.width or 1, stream.codec_context.height or 1)
    except VideoError:
        container.close()
        raise
    return container


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


@contextmanager
def decoding(path: Path, done: str) -> Iterator[None]:
    """Turn FFmpeg's errors into a VideoError that names the file and how far it was readable."""
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path} is damaged or cut short {done} ({_reason(error)}); "
            "copy it again, or re-encode what is left of it"
        ) from error


def to_rgb(path: Path, frame: DecodedFrame, index: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB as displayed, the file's rotation applied.

    Raises:
        VideoError: If the decoder had to make up parts of the frame.
    """
    if frame.is_corrupt:
        raise VideoError(
            f"{path} is damaged or cut short at frame {index}; "
            "copy it again, or re-encode what is left of it"
        )
    check_pixels(path, frame.width, frame.height)
    # One thread: a forked worker could not free a scaler that has threads of its own.
    image = frame.to_ndarray(format="rgb24", threads=1).astype(np.uint8, copy=False)
    turns = round(frame.rotation / 90) % 4  # counter-clockwise, as FFmpeg's display matrix
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def frames_per_second(stream: VideoStream) -> float:
    """Mean rate of a stream; 25 if the file does not tell."""
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else 25.0


def probe(path: str | Path) -> VideoInfo:
    """Size, rate and length of a video file or image folder.

    The length is the file's own count; where it has none, the packets are counted (one pass over
    the file without decoding).

    Raises:
        VideoError: If there is nothing readable.
    """
    path = Path(path)
    if path.is_dir():
        return ImageFolder(path).info
    with open_container(path) as container:
        stream = container.streams.video[0]
        with decoding(path, "at frame 0"):
            first = next(container.decode(stream), None)
        if first is None:
            raise VideoError(f"{path} holds no frame; it is empty or cut short")
        height, width = to_rgb(path, first, 0).shape[:2]
        count = stream.frames or count_packets(path)
        return VideoInfo(frames_per_second(stream), width, height, count)


def count_packets(path: Path) -> int:
    """Frames that a file holds, without decoding them."""
    with open_container(path) as container, decoding(path, "while its frames were counted"):
        return sum(1 for packet in container.demux(video=0) if packet.size)


def read_video(path: str | Path) -> Iterator[VideoFrame]:
    """All frames of a video file or image folder in display order, one in memory at a time.

    The file is closed when the iterator ends, fails or is dropped.

    Raises:
        VideoError: If there is nothing readable, or the content ends early; the frames before the
            damage are yielded first.
    """
    path = Path(path)
    if path.is_dir():
        yield from _read_folder(ImageFolder(path))
        return
    with open_container(path) as container, closing(decode_all(path, container)) as frames:
        for index, frame, time_s in frames:
            yield VideoFrame(to_rgb(path, frame, index), time_s, index)


def _read_folder(folder: ImageFolder) -> Iterator[VideoFrame]:
    for index in range(folder.info.frames):
        yield VideoFrame(folder.image(index), index / folder.info.fps, index)


def decode_all(
    path: Path, container: InputContainer
) -> Generator[tuple[int, DecodedFrame, float], None, None]:
    """Index, frame and time [s] of all frames of a freshly opened container.

    Raises:
        VideoError: If the content is damaged or ends before its declared end.
    """
    stream = container.streams.video[0]
    step_s = 1.0 / frames_per_second(stream)
    frames = container.decode(stream)
    index, start_s, end_s = 0, None, 0.0
    while True:
        with decoding(path, f"after {index} frames"):
            frame = next(frames, None)
        if frame is None:
            break
        stamp_s = frame.time if frame.time is not None else index * step_s
        start_s = stamp_s if start_s is None else start_s
        end_s = stamp_s + step_s
        yield index, frame, stamp_s - start_s
        index += 1
    check_complete(path, stream, index, end_s)


def check_complete(path: Path, stream: VideoStream, frames: int, end_s: float) -> None:
    """Compare what came with what the header promised.

    A file may rightly show fewer frames than it stores (an edit list), so both the count and the
    time must fall short before the file counts as cut.

    Raises:
        VideoError: If the file holds no frame or ends early.
    """
    if frames == 0:
        raise VideoError(f"{path} holds no frame; it is empty or cut short")
    if frames >= stream.frames or stream.duration is None or stream.time_base is None:
        return
    declared_end_s = float((stream.start_time or 0) * stream.time_base)
    declared_end_s += float(stream.duration * stream.time_base)
    if end_s < declared_end_s - 1.5 / frames_per_second(stream):
        raise VideoError(
            f"{path} is cut short: its header promises {stream.frames} frames, "
            f"{frames} came; copy it again, or re-encode what is left of it"
        )
