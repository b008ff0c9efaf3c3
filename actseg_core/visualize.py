"""Masks and sentences drawn over the camera image, for RViz, the demo and contact sheets."""

import math
import re
import textwrap
from collections.abc import Sequence
from functools import lru_cache
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
MARGIN_PX = 4
CAPTION_SHARE = 0.25  # of the image's height
CAPTION_SHADE = 0.65
SMALLEST_LETTERS = 0.4  # OpenCV's font scale
DIGIT = re.compile(r"\d")


def overlay(
    image: NDArray[np.uint8],
    answers: Sequence[tuple[str, MaskResult]],
    style: OverlayConfig = STYLE,
    colours: Sequence[int] = (),
) -> NDArray[np.uint8]:
    """The image with each mask tinted and outlined, and a caption for each sentence.

    Captions are wrapped at the image's width, and smaller where they would take more than a
    quarter of its height.

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
        _captions(canvas, answers, palette, style.evidence)
    return canvas


def reasons(result: MaskResult) -> str:
    """The evidence of the best actor and the words without effect, in one line for people.

    "dog 4.1, white -0.3; not used: old; unknown: qwertz"; empty for networks that give none.
    """
    parts = []
    if result.actors:
        said = (
            f"{' '.join(item.words) or item.part} {item.log_odds:.1f}"
            for item in result.actors[0].evidence
        )
        parts.append(", ".join(said))
    parts += [
        f"{title}: {', '.join(words)}"
        for title, words in (("not used", result.unused), ("unknown", result.unknown))
        if words
    ]
    return "; ".join(parts)


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
    x, y, width, height = cv2.boundingRect(mask)
    part, inside = canvas[y : y + height, x : x + width], mask[y : y + height, x : x + width]
    paint = np.full_like(part, colour)
    blend = cv2.addWeighted(part, 1 - style.opacity, paint, style.opacity, 0.0)
    cv2.copyTo(blend, inside, part)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    width_px = style.outline_px or max(1, canvas.shape[0] // 240)
    cv2.drawContours(canvas, outlines, -1, colour, width_px)


def _answer(result: MaskResult) -> str:
    return f"{result.confidence:.2f}" if result.found else f"not there {result.confidence:.2f}"


def _captions(
    canvas: NDArray[np.uint8],
    answers: Sequence[tuple[str, MaskResult]],
    palette: Sequence[tuple[int, int, int]],
    evidence: bool,
) -> None:
    """Below each other from the upper left corner, over a darkened ground."""
    height, width = canvas.shape[:2]
    # OpenCV's fonts hold ASCII only; other characters would come out as question marks.
    texts = [sentence.encode("ascii", "replace").decode() for sentence, _ in answers]
    told = [_answer(result) for _, result in answers]
    blanks = [DIGIT.sub("0", text).replace(" ", "_") for text in told]
    scale, lines = _layout(tuple(zip(texts, blanks, strict=True)), height, width)
    top = 0
    for i, colour in enumerate(palette):
        *before, last = lines[i]
        if last.endswith(blanks[i]):
            drawn = [*before, last.removesuffix(blanks[i]) + told[i]]
        else:  # the picture is too narrow for the answer alone
            drawn = _wrapped(f"{texts[i]}: {told[i]}", width, scale)
        if evidence and (why := reasons(answers[i][1])):
            drawn = [*drawn, *_wrapped(why.encode("ascii", "replace").decode(), width, scale)]
        for line in drawn:
            _draw_line(canvas, top, line, colour, scale)
            top += _line_px(scale)


@lru_cache(maxsize=64)
def _layout(
    captions: tuple[tuple[str, str], ...], height: int, width: int
) -> tuple[float, list[list[str]]]:
    """Size and lines of sentences, each with a stand-in of its answer; the same in every frame."""
    scale = min(height, width) / 800 + 0.15
    while True:
        lines = [_wrapped(f"{text}: {blank}", width, scale) for text, blank in captions]
        if sum(map(len, lines)) * _line_px(scale) <= CAPTION_SHARE * height:
            return scale, lines
        if scale <= SMALLEST_LETTERS:  # too many words for any letters that can be read
            return scale, [[_cut(text, blank, width, scale)] for text, blank in captions]
        scale = max(SMALLEST_LETTERS, 0.85 * scale)


def _wrapped(text: str, width: int, scale: float) -> list[str]:
    """Lines of whole words that fit a width [px]; a word that does not fit is broken."""
    for columns in range(len(text), 0, -1):
        lines = textwrap.wrap(text, columns)
        if max(_text_px(line, scale) for line in lines) + 2 * MARGIN_PX <= width:
            break
    return lines


def _cut(text: str, blank: str, width: int, scale: float) -> str:
    """One line that fits a width [px]: what goes there of a sentence, and its answer."""
    for letters in range(len(text), 0, -1):
        dots = "" if letters == len(text) else "..."
        line = f"{text[:letters].rstrip()}{dots}: {blank}"
        if _text_px(line, scale) + 2 * MARGIN_PX <= width:
            break
    return line


def _draw_line(
    canvas: NDArray[np.uint8], top: int, text: str, colour: tuple[int, int, int], scale: float
) -> None:
    right, below = _text_px(text, scale) + 2 * MARGIN_PX, top + _line_px(scale)
    ground = canvas[top:below, :right]
    ground[:] = (ground * (1.0 - CAPTION_SHADE)).astype(np.uint8)
    (_, height), _ = cv2.getTextSize(text, FONT, scale, _thickness(scale))
    place = MARGIN_PX, top + height + 2
    cv2.putText(canvas, text, place, FONT, scale, colour, _thickness(scale), cv2.LINE_AA)


def _text_px(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, FONT, scale, _thickness(scale))[0][0])


def _line_px(scale: float) -> int:
    (_, height), below = cv2.getTextSize("Ag", FONT, scale, _thickness(scale))
    return int(height + below + 4)


def _thickness(scale: float) -> int:
    return max(1, round(scale * 1.5))
