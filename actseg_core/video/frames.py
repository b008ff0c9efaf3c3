"""What every source of frames yields, and image folders as such a source."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.config import StreamConfig
from actseg_core.errors import VideoError

FOLDER_FPS = 25.0  # an image folder has no clock; I3D's Kinetics input and J-HMDB run at 25
MAX_PIXELS = StreamConfig().max_pixels
_PNG = b"\x89PNG\r\n\x1a\n"
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".tif", ".tiff"})


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """One frame of a video, folder or webcam.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        time_s: Time since the first frame [s].
        index: Running number from 0 in display order.
    """

    image: NDArray[np.uint8]
    time_s: float
    index: int


@dataclass(frozen=True)
class VideoInfo:
    """What a video or image folder holds.

    Attributes:
        fps: Mean frames per second.
        width: Width [px] as displayed.
        height: Height [px] as displayed.
        frames: Number of frames.
        stored: Height and width [px] upright, but before pixels that are not square were
            stretched: the size that many tools show; None: as displayed.
        interval_s: Median time between two frames [s], which pauses do not change.
    """

    fps: float
    width: int
    height: int
    frames: int
    stored: tuple[int, int] | None
    interval_s: float


class FrameReader(Protocol):
    """Random access to the frames of one video or image folder."""

    @property
    def info(self) -> VideoInfo:
        """Size, rate and length."""
        ...

    def read(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        """(T, H, W, 3) uint8 RGB frames of the given indices, repeats allowed."""
        ...

    def close(self) -> None:
        """Let go of the file; reading again opens it again."""
        ...


def out_of_range(path: Path, frames: int, index: int) -> VideoError:
    """The error of asking for a frame that the source does not have."""
    return VideoError(
        f"{path} has {frames} frames (0 to {frames - 1}), frame {index} was asked for; "
        "the annotation belongs to a longer video, or the video is cut short"
    )


def check_pixels(path: Path | str, width: int, height: int) -> None:
    """Refuse sizes that no camera has before anything of that size is allocated.

    Raises:
        VideoError: If the image is empty or larger than `MAX_PIXELS`.
    """
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise VideoError(
            f"{path} says its frames are {width}x{height}; wanted 1 to {MAX_PIXELS} pixels, "
            "check or re-encode the file"
        )


def list_images(folder: Path) -> list[Path]:
    """Image files of a folder in natural order (2.png before 10.png), without hidden ones.

    macOS keeps a ._2.png beside 2.png on foreign disks: the name of an image, and none.

    Raises:
        VideoError: If there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise VideoError(f"there is no image folder {folder}; check the path")
    images = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
        and not path.is_dir()
    ]
    if not images:
        wanted = ", ".join(sorted(IMAGE_SUFFIXES))
        files = sorted(path.name for path in folder.glob("[!.]*") if path.is_file())
        there = f" but {files[0]}" + " and others" * (len(files) > 1) if files else ""
        raise VideoError(
            f"{folder} holds no image{there}; wanted a video file itself, or files ending in "
            f"{wanted}"
        )
    return sorted(images, key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name


def read_image(path: Path) -> NDArray[np.uint8]:
    """One image file as (H, W, 3) uint8 RGB, whatever its own channels; upright, by its EXIF.

    What is transparent in a PNG is shown on black.

    Raises:
        VideoError: If it cannot be read.
    """
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise VideoError(f"cannot read the image {path}: {error.strerror}") from error
    try:
        flags = cv2.IMREAD_UNCHANGED if _has_alpha(content) else cv2.IMREAD_COLOR
        image = cv2.imdecode(content, flags) if content.size else None
    except cv2.error:  # a header that claims more pixels than OpenCV takes
        image = None
    if image is None:
        state = "empty" if not content.size else "damaged or not an image"
        raise VideoError(f"the image {path} is {state} ({content.size} bytes); replace it")
    check_pixels(path, image.shape[1], image.shape[0])
    if image.ndim == 3 and image.shape[2] == 4:
        steps = 257 if image.dtype == np.uint16 else 1
        rgba = cv2.cvtColor(np.floor_divide(image, steps).astype(np.uint8), cv2.COLOR_BGRA2RGBA)
        return on_black(rgba.astype(np.uint8, copy=False))
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _has_alpha(content: NDArray[np.uint8]) -> bool:
    """Whether a PNG has an alpha channel: colour types 4 and 6 of its header."""
    return content[:8].tobytes() == _PNG and len(content) > 25 and int(content[25]) in (4, 6)


def on_black(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) of (H, W, 4) RGBA, shown on black: under alpha 0 programs leave any colour."""
    colours, alpha = image[..., :3], image[..., 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(colours)
    return ((colours.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)


class ImageFolder:
    """A folder of images in natural order, read as a video.

    Args:
        folder: Holds images of one size.
        fps: Rate that the images were taken with.

    Raises:
        VideoError: If the folder is missing or empty, or its first image cannot be read.
    """

    def __init__(self, folder: Path, fps: float = FOLDER_FPS) -> None:
        self.folder = folder
        self.files = list_images(folder)
        height, width = read_image(self.files[0]).shape[:2]
        self._info = VideoInfo(fps, width, height, len(self.files), None, 1.0 / fps)

    @property
    def info(self) -> VideoInfo:
        """Size, rate and length."""
        return self._info

    def read(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        """(T, H, W, 3) uint8 RGB frames of the given indices, repeats allowed.

        Raises:
            VideoError: If an index is out of range, or an image is unreadable or of another size.
        """
        images = {index: self.image(index) for index in set(indices)}
        return np.stack([images[index] for index in indices])

    def image(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB image of one index.

        Raises:
            VideoError: As `read`.
        """
        if not 0 <= index < len(self.files):
            raise out_of_range(self.folder, len(self.files), index)
        image = read_image(self.files[index])
        wanted = (self._info.height, self._info.width)
        if image.shape[:2] != wanted:
            raise VideoError(
                f"{self.files[index]} is {image.shape[1]}x{image.shape[0]}, the folder's first "
                f"image {wanted[1]}x{wanted[0]}; a folder must hold images of one size"
            )
        return image

    def close(self) -> None:
        """Nothing stays open between reads."""
