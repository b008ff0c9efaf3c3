"""From a decoded frame to the picture that a player shows: upright, square pixels, no alpha."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame as DecodedFrame
from numpy.typing import NDArray

from actseg_core.errors import VideoError
from actseg_core.video.frames import check_pixels, on_black

SQUARE = 0.01  # an aspect this near to 1 is a rounding of 1
WIDEST = 5.0  # no camera's pixels are wider or higher than that; the header is wrong
STRAIGHT = (1, 0, 0, 1)


def pixel_aspect(aspect: Fraction | None) -> float:
    """Width over height of a stored pixel, 1 where a header says nothing or nonsense."""
    value = float(aspect or 1)
    if abs(value - 1.0) < SQUARE or not 1.0 / WIDEST <= value <= WIDEST:
        return 1.0
    return value


def to_rgb(path: Path | str, frame: DecodedFrame, index: int, aspect: float) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB as displayed.

    The file's rotation and mirroring are applied, pixels that are not square are stretched to
    their width, and what is transparent is shown on black.

    Args:
        path: For messages.
        frame: As decoded.
        index: Its number, for messages.
        aspect: Width over height of a stored pixel.

    Raises:
        VideoError: If the decoder had to make up parts of the frame, or it is too large.
    """
    if frame.is_corrupt:
        raise VideoError(
            f"{path} is damaged or cut short at frame {index}; "
            "copy it again, or re-encode what is left of it"
        )
    width = max(1, round(frame.width * aspect))
    check_pixels(path, width, frame.height)
    try:
        # One thread: a forked worker could not free a scaler that has threads of its own.
        image = frame.to_ndarray(format=_layout(frame), width=width, threads=1)
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(
            f"frame {index} of {path} cannot be turned into RGB ({error}); re-encode it as MP4"
        ) from error
    image = image.astype(np.uint8, copy=False)
    return _upright(on_black(image) if image.shape[2] == 4 else image, _orientation(frame))


def upright_size(frame: DecodedFrame) -> tuple[int, int]:
    """Height and width [px] of a frame once it is turned, its pixels not stretched."""
    is_turned = _orientation(frame)[0] == 0
    return (frame.width, frame.height) if is_turned else (frame.height, frame.width)


def size_changed(
    path: Path | str, index: int, before: tuple[int, ...], size: tuple[int, ...]
) -> VideoError:
    """The error of a frame of another shape (H, W, ...) than those before it."""
    return VideoError(
        f"frame {index} of {path} is {size[1]}x{size[0]}, the frames before are "
        f"{before[1]}x{before[0]}; re-encode it to one size, or cut it there"
    )


def _layout(frame: DecodedFrame) -> str:
    return "rgba" if any(part.is_alpha for part in frame.format.components) else "rgb24"


def _orientation(frame: DecodedFrame) -> tuple[int, int, int, int]:
    """Where a step to the right and a step down lead: (right x, right y, down x, down y)."""
    side_data: Any = frame.side_data
    matrix = side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return STRAIGHT
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32, 5).tolist()
    # Turns that are not by a right angle are taken to the nearest one.
    if abs(a) + abs(d) < abs(b) + abs(c):
        return 0, 1 if b > 0 else -1, 1 if c > 0 else -1, 0
    return 1 if a >= 0 else -1, 0, 0, 1 if d >= 0 else -1


def _upright(image: NDArray[np.uint8], way: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    right_x, right_y, down_x, down_y = way
    if way == STRAIGHT:
        return image
    if right_x == 0:
        image, right_x, down_y = image.transpose(1, 0, 2), down_x, right_y
    return np.ascontiguousarray(image[::down_y, ::right_x])
