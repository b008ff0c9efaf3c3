"""Image geometry: resize-and-pad to a square and its inverse."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError


@dataclass(frozen=True)
class Placement:
    """Where an image lies inside the square network input.

    Attributes:
        height: Height of the original image [px].
        width: Width of the original image [px].
        size: Side of the square [px].
    """

    height: int
    width: int
    size: int

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.size) < 1:
            raise ShapeError(
                f"image and input sides must be at least 1 px, got {self.height}x{self.width} "
                f"into {self.size}"
            )

    @property
    def scale(self) -> float:
        """Network pixels per image pixel."""
        return self.size / max(self.height, self.width)

    @property
    def inner(self) -> tuple[int, int]:
        """Height and width of the resized image inside the square [px]."""
        return (
            max(1, round(self.height * self.scale)),
            max(1, round(self.width * self.scale)),
        )

    @property
    def offset(self) -> tuple[int, int]:
        """Rows above and columns left of the resized image [px]."""
        height, width = self.inner
        return (self.size - height) // 2, (self.size - width) // 2

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the square that hold the image."""
        (top, left), (height, width) = self.offset, self.inner
        return slice(top, top + height), slice(left, left + width)


def resize_and_pad(image: NDArray[np.uint8], size: int) -> tuple[NDArray[np.uint8], Placement]:
    """Resize with the aspect kept and pad with zeros, centred, to (size, size, C).

    The rule of Hu et al.'s and Li et al.'s public code, which the paper's "padded" follows; zeros
    are filled before normalisation. Area interpolation when shrinking, bilinear when enlarging.

    Args:
        image: (H, W, C) or (H, W) uint8.
        size: Side S of the square [px].
    """
    placement = Placement(image.shape[0], image.shape[1], size)
    height, width = placement.inner
    if (height, width) != image.shape[:2]:
        shrink = placement.scale < 1
        image = cv2.resize(
            _halved(image, height, width),
            (width, height),
            interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR,
        ).astype(np.uint8, copy=False)
    if height == width == size:
        return image, placement
    square = np.zeros((size, size, *image.shape[2:]), np.uint8)
    square[placement.window] = image
    return square, placement


def _halved(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The image with its sides halved as often as they divide and stay above those wanted.

    The mean of 2 x 2 pixels is quick, any other area interpolation is not: 1080p to 544 takes
    2 ms with it, 4.5 without, and differs by 0.4 of 255 in the mean.
    """
    while not (image.shape[0] % 2 or image.shape[1] % 2):
        half = image.shape[1] // 2, image.shape[0] // 2
        if half[0] < width or half[1] < height:
            break
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return image


def resize_and_pad_flow(field: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A flow field brought to the square network input as `resize_and_pad` brings its image.

    Args:
        field: (H, W, 2) float32 [px of the image], x and y.
        size: Side S of the square [px].

    Returns:
        (S, S, 2) float32 [px of the square]; no motion in the padding.

    Raises:
        ShapeError: If the field is not (H, W, 2), or holds NaN or infinity.
    """
    if field.ndim != 3 or field.shape[2] != 2 or not np.isfinite(field).all():
        raise ShapeError(
            f"a flow field must be (H, W, 2) of finite numbers, got shape {field.shape} with "
            f"{np.count_nonzero(~np.isfinite(field))} others; mend or leave out the flow"
        )
    placement = Placement(field.shape[0], field.shape[1], size)
    height, width = placement.inner
    if (height, width) != field.shape[:2]:
        shrink = placement.scale < 1
        field = cv2.resize(
            field, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
        ).astype(np.float32, copy=False)
    square = np.zeros((size, size, 2), np.float32)
    square[placement.window] = field * np.array(
        [width / placement.width, height / placement.height], np.float32
    )
    return square


def restore(
    response: NDArray[np.float32],
    placement: Placement,
    part: tuple[slice, slice] | None = None,
) -> NDArray[np.float32]:
    """Bring a response map back to the camera image: crop the padding, resize bilinearly.

    Args:
        response: (r, r) float32 response map of any resolution r.
        placement: As returned by `resize_and_pad`.
        part: Rows and columns of the camera image that are wanted; None: all.

    Returns:
        (H, W) float32 at the original image's size, or the part of it.
    """
    rows, columns = part or (slice(0, placement.height), slice(0, placement.width))
    # One affine map does the crop and the resize, pixel centres aligned, without rounding the
    # crop to whole response cells.
    (step_y, first_y), (step_x, first_x) = _cells(response.shape[0], placement)
    matrix = np.array(
        [
            [step_x, 0.0, first_x + columns.start * step_x],
            [0.0, step_y, first_y + rows.start * step_y],
        ]
    )
    return cv2.warpAffine(
        response,
        matrix,
        (columns.stop - columns.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32, copy=False)


def mask_above(
    response: NDArray[np.float32], threshold: float, placement: Placement
) -> NDArray[np.uint8]:
    """Where a response map, brought back to the camera image, exceeds a threshold.

    Only the part of the image that cells above the threshold reach is resized: a pixel between
    cells that do not exceed it does not either. Apart from rounding this is
    `restore(response, placement) > threshold`, in a fraction of its time.

    Args:
        response: (r, r) float32.
        threshold: A logit.
        placement: As returned by `resize_and_pad`.

    Returns:
        (H, W) uint8, 255 above and 0 elsewhere.
    """
    mask = np.zeros((placement.height, placement.width), np.uint8)
    row, column = np.nonzero(response > threshold)
    across, along = _cells(len(response), placement)
    rows = _reach(row, len(response), across, placement.height)
    columns = _reach(column, len(response), along, placement.width)
    if rows.start < rows.stop and columns.start < columns.stop:
        part = restore(response, placement, (rows, columns))
        mask[rows, columns] = (part > threshold).astype(np.uint8) * np.uint8(255)
    return mask


def _cells(side: int, placement: Placement) -> tuple[tuple[float, float], tuple[float, float]]:
    """Cells of a map with `side` cells per image pixel, and the first pixel's; y, then x."""
    ratio = side / placement.size
    steps = [
        inner / image
        for inner, image in zip(placement.inner, (placement.height, placement.width), strict=True)
    ]
    y, x = (
        (step * ratio, (before + 0.5 * step) * ratio - 0.5)
        for step, before in zip(steps, placement.offset, strict=True)
    )
    return y, x


def _reach(hit: NDArray[np.intp], side: int, cells: tuple[float, float], length: int) -> slice:
    """The image lines that interpolate from any of the hit cells, one to spare on either side."""
    if not len(hit):
        return slice(0, 0)
    step, first = cells
    low, high = int(hit.min()), int(hit.max())
    # Beyond the map its outermost cells are repeated.
    start = 0 if low == 0 else math.floor((low - 1 - first) / step) - 1
    stop = length if high == side - 1 else math.ceil((high + 1 - first) / step) + 2
    return slice(min(max(0, start), length), max(0, min(stop, length)))
