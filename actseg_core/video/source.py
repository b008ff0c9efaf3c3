"""One way to play anything as a camera: a video file, an image folder, or a webcam."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from actseg_core.errors import VideoError
from actseg_core.video.container import probe, read_video
from actseg_core.video.frames import VideoFrame

_WEBCAM = re.compile(r"(?:/dev/video)?(\d{1,3})")
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
    """A video file, an image folder, or a webcam (0, "0" or "/dev/video0").

    Iterating yields `VideoFrame(image, time_s, index)`; the rate is `source.fps`.

    Raises:
        VideoError: If it is missing or unreadable; while iterating, if it ends by damage.
    """
    path = Path(str(source))
    webcam = _WEBCAM.fullmatch(str(source).strip())
    if webcam and not path.is_file() and not path.is_dir():
        return WebcamSource(int(webcam[1]))
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
        self.fps = self._capture.get(cv2.CAP_PROP_FPS) or 30.0

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
