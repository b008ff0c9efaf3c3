"""One way to play anything as a camera: a file, an image folder, a webcam, or a stream."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from actseg_core.errors import VideoError
from actseg_core.video.container import probe, read_video
from actseg_core.video.facts import MAX_HEADER_RATE_HZ
from actseg_core.video.frames import VideoFrame
from actseg_core.video.names import STREAM_SCHEMES, local_path, scheme_of, video_device
from actseg_core.video.stream import StreamSource

WEBCAM_RATE_HZ = 30.0  # where a driver does not tell
_MISSED_READS = 10  # a USB camera drops single frames; this many in a row mean that it is gone


class FrameSource(Protocol):
    """Frames of a file, folder or camera, in order.

    Attributes:
        name: What it plays, for messages.
        fps: Nominal frames per second.
        is_live: Whether frames come at their own time (a camera) or as fast as they are read.
    """

    name: str
    fps: float
    is_live: bool

    def __iter__(self) -> Iterator[VideoFrame]:
        """Frames; a file starts anew with each iteration."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


def open_source(source: str | int | Path) -> FrameSource:
    """A video file, an image folder, a webcam or a stream from the network.

    Iterating yields `VideoFrame(image, time_s, index)`; the rate is `source.fps`.

    Args:
        source: A path, a webcam (0, "0", "/dev/video0" or a link to it, as in /dev/v4l/by-id), or
            an address (rtsp://, http:// and others, see `names.STREAM_SCHEMES`).

    Raises:
        VideoError: If it is missing or unreadable; while iterating, if it ends by damage.
    """
    device = video_device(source)
    if device is not None:
        return WebcamSource(device)
    path = local_path(str(source))
    if not path.exists() and scheme_of(str(source)) in STREAM_SCHEMES:
        return StreamSource(str(source))
    return FileSource(path)


class FileSource:
    """A video file or an image folder; nothing stays open between iterations.

    Raises:
        VideoError: If the first frame cannot be read.
    """

    is_live = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.info = probe(path)
        self.fps = self.info.fps

    def __iter__(self) -> Iterator[VideoFrame]:
        yield from read_video(self.path)

    def close(self) -> None:
        """Nothing to let go of."""


class WebcamSource:
    """A camera of this machine through OpenCV; it is held until `close`.

    Raises:
        VideoError: If there is no such camera, or it is in use.
    """

    is_live = True

    def __init__(self, index: int) -> None:
        self.name = f"webcam {index}"
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            self._capture.release()
            raise VideoError(
                f"cannot open webcam {index}; is it plugged in, free, and readable "
                f"(`ls -l /dev/video{index}`)?"
            )
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = rate_hz if 0 < rate_hz <= MAX_HEADER_RATE_HZ else WEBCAM_RATE_HZ

    def __iter__(self) -> Iterator[VideoFrame]:
        start_s, index, missed = time.monotonic(), 0, 0
        while missed < _MISSED_READS:
            ok, image = self._capture.read()
            if not ok:
                missed += 1
                continue
            missed = 0
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
            yield VideoFrame(rgb, time.monotonic() - start_s, index)
            index += 1
        raise VideoError(f"{self.name} stopped sending after {index} frames; is it unplugged?")

    def close(self) -> None:
        """Let go of the camera."""
        self._capture.release()
