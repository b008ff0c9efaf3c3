"""A camera for measurements: real or generated pictures, played to and fro."""

import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import VideoError
from actseg_core.generator import SceneConfig, render_clip
from actseg_core.types import Frame
from actseg_core.video import read_video

PERIOD_NS = 33_333_333
PICTURES = 48
HEIGHT, WIDTH = 480, 640


def pictures(video: Path | None, count: int = PICTURES) -> list[NDArray[np.uint8]]:
    """The first pictures of a video, or of a generated clip of 640x480.

    Raises:
        VideoError: If the video cannot be read or has fewer than two pictures.
    """
    if video is None:
        scene = SceneConfig(frames=count, height=HEIGHT, width=WIDTH, camera="moving")
        return list(render_clip(0, scene).frames)
    found = [item.image for item in itertools.islice(read_video(video), count)]
    if len(found) < 2:
        raise VideoError(f"{video} has {len(found)} pictures; a clip of two or more is wanted")
    return found


def play(
    images: Sequence[NDArray[np.uint8]], count: int, rate_hz: float = 0.0, first: int = 0
) -> Iterator[Frame]:
    """So many frames of an endless camera at 30 Hz by its stamps.

    Args:
        images: Shown forwards, then backwards, so that motion never jumps.
        count: Frames.
        rate_hz: Rate in real time; 0: as fast as they are taken. A late taker misses none.
        first: Number of the first frame.
    """
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    start_s = time.perf_counter()
    for index in range(count):
        if rate_hz:
            time.sleep(max(0.0, start_s + index / rate_hz - time.perf_counter()))
        number = first + index
        yield Frame(images[order[number % len(order)]], (number + 1) * PERIOD_NS, "bench", number)
