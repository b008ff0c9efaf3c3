"""Masks and sentences drawn over the camera image, for RViz, the demo and contact sheets."""

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.config import OverlayConfig
from actseg_core.errors import ShapeError, VideoError
from actseg_core.types import MaskResult

# Okabe and Ito's palette: told apart by colour-blind people as well.
PALETTE = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (0, 114, 178),
)
STYLE = OverlayConfig()
FONT = cv2.FONT_HERSHEY_SIMPLEX


def overlay(
    image: NDArray[np.uint8],
    answers: Sequence[tuple[str, MaskResult]],
    style: OverlayConfig = STYLE,
    colours: Sequence[int] = (),
) -> NDArray[np.uint8]:
    """The image with each mask tinted and outlined and one caption line per sentence.

    Args:
        image: (H, W, 3) uint8 RGB.
        answers: Sentences with their results, masks of the image's size.
        style: Tint, outline and captions.
        colours: A number per answer that keeps its colour from frame to frame; empty: its place.

    Returns:
        (H, W, 3) uint8 RGB; the input is not changed.

    Raises:
        ShapeError: If a mask has another size than the image.
    """
    canvas = image.copy()
    palette = [PALETTE[number % len(PALETTE)] for number in colours or range(len(answers))]
    for (_, result), colour in zip(answers, palette, strict=True):
        if result.mask.shape != image.shape[:2]:
            raise ShapeError(
                f"the mask must be {image.shape[:2]} like the image, got {result.mask.shape}"
            )
        if result.found:
            _tint(canvas, result.mask, colour, style)
    if style.captions:
        for index, ((sentence, result), colour) in enumerate(zip(answers, palette, strict=True)):
            _caption(canvas, index, f"{sentence}: {_answer(result)}", colour)
    return canvas


def tile(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures (H, W, 3) of any sizes, at least one, in a grid with about as many rows as columns.

    Returns:
        uint8 RGB; each picture in the upper left of its cell, the rest is black.
    """
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    canvas = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, picture in enumerate(pictures):
        top, left = index // columns * height, index % columns * width
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def save_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) RGB or (H, W) picture beside its place and rename it.

    Raises:
        VideoError: If it cannot be written. cv2.imwrite would only return False.
    """
    image = picture if picture.ndim == 2 else picture[..., ::-1]
    done, content = cv2.imencode(".png", image)
    partial = path.with_name(f".{path.name}.part")
    try:
        if not done:
            raise OSError("the picture cannot be encoded")
        partial.write_bytes(content.tobytes())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise VideoError(f"cannot write {path}: {error}; is the disk full?") from error


def _tint(
    canvas: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    colour: tuple[int, int, int],
    style: OverlayConfig,
) -> None:
    inside = mask > 0
    blend = canvas[inside] * (1 - style.opacity) + np.array(colour) * style.opacity
    canvas[inside] = blend.astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    width_px = style.outline_px or max(1, canvas.shape[0] // 240)
    cv2.drawContours(canvas, outlines, -1, colour, width_px)


def _answer(result: MaskResult) -> str:
    return f"{result.confidence:.2f}" if result.found else f"not there {result.confidence:.2f}"


def _caption(
    canvas: NDArray[np.uint8], index: int, caption: str, colour: tuple[int, int, int]
) -> None:
    # OpenCV's fonts hold ASCII only; other characters would come out as question marks.
    text = caption.encode("ascii", "replace").decode()
    scale = canvas.shape[0] / 800 + 0.15
    thickness = max(1, round(scale * 1.5))
    (width, height), below = cv2.getTextSize(text, FONT, scale, thickness)
    line = height + below + 4
    top = index * line
    cv2.rectangle(canvas, (0, top), (min(width + 8, canvas.shape[1]), top + line), (0, 0, 0), -1)
    cv2.putText(canvas, text, (4, top + height + 2), FONT, scale, colour, thickness, cv2.LINE_AA)
