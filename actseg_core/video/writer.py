"""MP4 files with H.264, written beside their place and renamed when complete."""

import logging
import math
import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from typing_extensions import Self

from actseg_core.errors import ShapeError, VideoError

logger = logging.getLogger(__name__)

TICKS_PER_S = 90_000  # MPEG's clock: whole ticks at 24, 25, 30 and 30000/1001 frames per second
SLOW_TICKS_PER_S = 1000  # below one frame per second
MAX_STEP_TICKS = 10**9  # between two frames; MP4 holds 2^31, B frames may double a step
FRAGMENT_S = 2.0
MAX_RATE = 1000


class VideoWriter:
    """Writes RGB frames as H.264; a file of that name appears only when it is complete.

    Leaving the `with` block by an exception throws the file away. H.264's common pixel format
    wants even sides: an odd last row or column is doubled. The same frames give the same file,
    byte for byte.

    With `keep` the file is a record that nobody can make again: leaving the block by an exception
    completes it, a failing disk leaves what was written until then, and even after a kill the
    part file can be played but for its last seconds.

    Args:
        path: Of the .mp4 file.
        fps: Frames per second; with time stamps given to `write`, the nominal rate.
        crf: Quality of x264, 0 (lossless) to 51.
        preset: Speed of x264, "ultrafast" to "veryslow".
        keep: Keep what is written when something fails.

    Attributes:
        frames: Written so far.
        placed: Whether the file stands under its name.

    Raises:
        VideoError: If the folder is missing or the rate is not positive.
    """

    def __init__(
        self,
        path: str | Path,
        fps: float,
        *,
        crf: int = 18,
        preset: str = "veryfast",
        keep: bool = False,
    ) -> None:
        self.path = Path(path)
        self.fps = fps
        self.frames = 0
        self.placed = False
        if not 0 < fps <= MAX_RATE:
            raise VideoError(
                f"fps of {self.path} must be above 0 and at most {MAX_RATE}, got {fps}"
            )
        if not self.path.parent.is_dir():
            raise VideoError(
                f"there is no folder {self.path.parent} for {self.path.name}; make it"
            )
        # By default x264's output varies between runs, as its assembly depends on alignment.
        self._options = {"crf": str(crf), "preset": preset, "x264-params": "cpu-independent=1"}
        self._keep = keep
        self._ticks_per_s = TICKS_PER_S if fps >= 1 else SLOW_TICKS_PER_S
        self._part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._shape: tuple[int, ...] = ()
        self._last_tick = -1
        self._last_time_s = -math.inf
        self._left_out = 0
        self._closed = False

    def write(self, image: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB, all of one size.
            time_s: Its time since the first frame [s], strictly rising; None: frame / fps.

        Raises:
            ShapeError: If the image is of another size than the first, or not RGB uint8.
            VideoError: If the disk is full, time does not rise, or the writer is closed.
        """
        if self._closed:
            raise VideoError(f"{self.path} is already closed; open a new VideoWriter")
        self._check(image)
        time_s = self.frames / self.fps if time_s is None else time_s
        if time_s <= self._last_time_s:
            raise VideoError(
                f"frame {self.frames} of {self.path} is at {time_s:.5f} s, the one before at "
                f"{self._last_time_s:.5f} s; time must rise"
            )
        frame = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        frame.pts, frame.time_base = self._tick(time_s), Fraction(1, self._ticks_per_s)
        self._encode(frame)
        self._last_tick, self._last_time_s = frame.pts, time_s
        self.frames += 1

    def _tick(self, time_s: float) -> int:
        """A tick after the one before, and not so far after it that MP4 could not hold it."""
        wanted = round(time_s * self._ticks_per_s) - self._left_out
        if self.frames and wanted - self._last_tick > MAX_STEP_TICKS:
            pause_s = (wanted - self._last_tick) / self._ticks_per_s
            logger.warning(
                "%s: a pause of %.0f s is shortened to %.0f s",
                self.path,
                pause_s,
                MAX_STEP_TICKS / self._ticks_per_s,
            )
            self._left_out += wanted - self._last_tick - MAX_STEP_TICKS
            return self._last_tick + MAX_STEP_TICKS
        return max(wanted, self._last_tick + 1)

    def close(self) -> None:
        """Finish the file and give it its name; without any frame, leave nothing behind.

        Raises:
            VideoError: If the rest cannot be written; the unfinished file is removed, with `keep`
                what could be written stays.
        """
        if self._closed:
            return
        if self._container is None:
            self._closed = True
            logger.warning("no frame was written to %s: there is no such file", self.path)
            return
        self._encode(None)
        try:
            self._container.close()
            self._part.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error
        self._closed = self.placed = True

    def abort(self) -> None:
        """Throw the unfinished file away."""
        self._closed = True
        if self._container is not None:
            with suppress(av.FFmpegError, OSError):
                self._container.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or self._keep:
            self.close()
        else:
            self.abort()

    def _check(self, image: NDArray[np.uint8]) -> None:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ShapeError(
                f"a frame of {self.path} must be (H, W, 3) uint8 RGB, "
                f"got {image.shape} of {image.dtype}; convert it first"
            )
        self._shape = self._shape or image.shape
        if image.shape != self._shape:
            raise ShapeError(
                f"frames of {self.path} are {self._shape[1]}x{self._shape[0]}, "
                f"got {image.shape[1]}x{image.shape[0]}; resize it, or open another file"
            )

    def _encode(self, frame: av.VideoFrame | None) -> None:
        """Encode a frame; None flushes the encoder."""
        try:
            if self._container is None or self._stream is None:
                self._container, self._stream = self._open()
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def _open(self) -> tuple[OutputContainer, VideoStream]:
        options = {"movflags": "+faststart"}
        if self._keep:
            # Pieces with an index of their own, on disk at once; closing makes it a plain MP4.
            options = {"movflags": "+hybrid_fragmented+delay_moov", "flush_packets": "1"}
        options["video_track_timescale"] = str(self._ticks_per_s)
        name = f"file:{self._part}"  # without it FFmpeg takes "out:" for a protocol
        container = av.open(name, "w", format="mp4", container_options=options)
        rate = Fraction(self.fps).limit_denominator(1001) or Fraction(1, 1001)
        stream = container.add_stream("libx264", rate=rate, options=self._options)
        height, width = self._shape[:2]
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, self._ticks_per_s)
        stream.codec_context.thread_count = 1
        if self._keep:
            stream.gop_size = max(1, round(FRAGMENT_S * self.fps))
        return container, stream

    def _failed(self, error: Exception) -> VideoError:
        kept = ""
        if self._keep and self._part.is_file() and self._part.stat().st_size:
            self._closed = True
            if self._container is not None:
                with suppress(av.FFmpegError, OSError):
                    self._container.close()
            with suppress(OSError):
                self._part.replace(self.path)
                self.placed = True
                kept = "; what was written until then is kept"
        self.abort()
        return VideoError(
            f"cannot write {self.path} ({error}); is the disk full or read-only?{kept}"
        )


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image with its last row or column doubled where a side is odd."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
