"""Drawn backgrounds: ground and sky or floor and wall, textured and lit."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.palette import RGB, pick
from actseg_core.generator.scenery import octaves, scenery, smooth_noise

Image = NDArray[np.uint8]
GROUND: dict[str, tuple[RGB, ...]] = {
    "grass": ((86, 120, 52), (110, 135, 70), (70, 105, 55)),
    "road": ((112, 112, 114), (90, 90, 95), (135, 132, 128)),
    "beach": ((205, 185, 145), (190, 170, 130)),
    "snow": ((225, 230, 238), (205, 212, 225)),
    "room": ((150, 110, 70), (120, 95, 75), (170, 160, 150)),
    "carpet": ((140, 120, 110), (105, 115, 130), (150, 80, 75), (95, 110, 92), (185, 175, 160)),
    "forest": ((98, 88, 58), (85, 95, 50)),
    "lake": ((150, 140, 105), (95, 115, 65)),
}
ROUGHNESS = {"snow": 0.05, "road": 0.07, "room": 0.05, "carpet": 0.07, "beach": 0.08}
WATERS: tuple[RGB, ...] = ((60, 100, 125), (80, 120, 130), (50, 80, 110))
SKIES: tuple[RGB, ...] = ((150, 185, 225), (190, 205, 220), (120, 165, 215), (200, 195, 190))
WALLS: tuple[RGB, ...] = ((200, 190, 170), (175, 185, 190), (215, 205, 200), (160, 150, 130))


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A picture larger than the frame, in world pixels.

    Attributes:
        image: (h, w, 3) uint8.
        left: World x of its first column [px].
        top: World y of its first row [px].
        kind: Kind of place.
    """

    image: Image
    left: float
    top: float
    kind: str


def draw_backdrop(
    kind: str, bounds: tuple[float, float, float, float], height: int, rng: np.random.Generator
) -> Backdrop:
    """A random place of a kind.

    Args:
        kind: See settings.BackgroundKind.
        bounds: x0, y0, x1, y1 that must be covered [world px].
        height: Frame height [px]; sets the size of what is drawn.
        rng: Source of randomness.
    """
    left, top = float(np.floor(bounds[0])), float(np.floor(bounds[1]))
    columns, rows = int(np.ceil(bounds[2] - left)), int(np.ceil(bounds[3] - top))
    share = rng.uniform(0.3, 0.55) if kind != "carpet" else -1.0
    line = int(np.clip(share * height - top, 0, rows))
    image = np.empty((rows, columns, 3), np.uint8)
    if line > 0:
        image[:line] = _above(kind, line, columns, height, rng)
    if line < rows:
        image[line:] = _ground(kind, rows - line, columns, height, rng)
    if 0 < line < rows:
        scenery(kind, image, line, height, rng)
        _soften(image, line, rng)
    return Backdrop(_light(image, rng), left, top, kind)


def _soften(image: Image, line: int, rng: np.random.Generator) -> None:
    """What is far is at times out of focus; the horizon is never knife-sharp."""
    edge = slice(max(0, line - 2), line + 3)
    image[edge] = cv2.GaussianBlur(image[edge], (3, 3), 0)
    if rng.random() < 0.5:
        far = slice(0, line + 2)
        image[far] = cv2.GaussianBlur(image[far], (0, 0), rng.uniform(0.6, 2.0))


def _lit(base: RGB, brightness: NDArray[np.float32]) -> Image:
    colour = np.array(base, np.float32)
    return np.asarray(np.clip(brightness[..., None] * colour, 0, 255), np.uint8)


def _ground(kind: str, rows: int, columns: int, height: int, rng: np.random.Generator) -> Image:
    """Ground in perspective: the grain grows towards the viewer."""
    coarse = octaves(rng, rows, columns, height / 5, 4)
    fine = _perspective_noise(rows, columns, rng)
    strength = np.float32(ROUGHNESS.get(kind, 0.13))
    depth = np.linspace(0.88, 1.08, rows, dtype=np.float32)[:, None]
    brightness = depth * (1.0 + strength * (0.6 * coarse + 0.9 * fine))
    image = _lit(pick(rng, GROUND[kind]), brightness)
    if kind == "road":
        _lanes(image, rng)
    elif kind == "room" and rng.random() < 0.7:
        _boards(image, rng)
    elif kind in ("beach", "lake"):
        _water(image, rng)
    elif kind == "carpet" and rng.random() < 0.5:
        _weave(image, rng)
    elif kind in ("grass", "forest"):
        patches = np.clip(0.35 * octaves(rng, rows, columns, height / 3, 2), 0, 0.6)[..., None]
        other = np.array(pick(rng, ((130, 125, 70), (70, 90, 40), (120, 95, 65))), np.float32)
        image = np.asarray(image * (1 - patches) + other * patches, np.uint8)
    return image


def _perspective_noise(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    flat = rng.standard_normal((128, 256), dtype=np.float32)
    depth = np.linspace(0.12, 1.0, rows, dtype=np.float32)[:, None]
    x = (np.arange(columns, dtype=np.float32)[None, :] - columns / 2) / (2.2 * depth) + 4096
    y = np.broadcast_to(np.float32(60.0) / depth, (rows, columns))
    u, v = np.mod(x, 255).astype(np.float32), np.mod(y, 127).astype(np.float32)
    return np.asarray(cv2.remap(flat, u, v, cv2.INTER_LINEAR), np.float32)


def _lanes(image: Image, rng: np.random.Generator) -> None:
    rows, columns = image.shape[:2]
    colour = pick(rng, ((225, 225, 220), (220, 190, 70)))
    for share in rng.uniform(0.15, 0.95, size=int(rng.integers(0, 3))):
        y, wide = int(share * rows), max(1, int(share * rows * 0.03))
        dash = int(columns * rng.uniform(0.08, 0.2))
        for x in range(0, columns, 2 * dash):
            cv2.rectangle(image, (x, y), (x + dash, y + wide), colour, -1)


def _boards(image: Image, rng: np.random.Generator) -> None:
    rows, columns = image.shape[:2]
    vanish = columns * rng.uniform(0.3, 0.7)
    dark = (image.mean(axis=(0, 1)) * 0.8).astype(int).tolist()
    for x in np.linspace(-2 * columns, 3 * columns, 34):
        start, end = (int(vanish + (x - vanish) * 0.25), 0), (int(x), rows)
        cv2.line(image, start, end, dark, 1, cv2.LINE_AA)


def _weave(image: Image, rng: np.random.Generator) -> None:
    """A border or a grid on a carpet."""
    rows, columns = image.shape[:2]
    colour = (image.mean(axis=(0, 1)) * rng.uniform(0.7, 1.25)).clip(0, 255).astype(int).tolist()
    step = int(rng.uniform(0.15, 0.4) * rows)
    wide = max(1, int(rng.uniform(0.005, 0.03) * rows))
    start = int(rng.integers(0, step))
    for y in range(start, rows, step):
        cv2.line(image, (0, y), (columns, y), colour, wide, cv2.LINE_AA)
    if rng.random() < 0.5:
        for x in range(start, columns, step):
            cv2.line(image, (x, 0), (x, rows), colour, wide, cv2.LINE_AA)


def _water(image: Image, rng: np.random.Generator) -> None:
    """A strip of water behind the shore."""
    rows, columns = image.shape[:2]
    shore = max(2, int(rng.uniform(0.08, 0.35) * rows))
    waves = smooth_noise(rng, shore, columns, 2.0, stretch=9.0)
    water = _lit(pick(rng, WATERS), 1.0 + np.float32(0.1) * waves)
    edge = shore - 2 + smooth_noise(rng, 1, columns, 25.0)[0] * 1.5
    image[:shore][np.arange(shore)[:, None] < edge[None, :]] = water[
        np.arange(shore)[:, None] < edge[None, :]
    ]


def _above(kind: str, rows: int, columns: int, height: int, rng: np.random.Generator) -> Image:
    if kind == "room":
        noise = smooth_noise(rng, rows, columns, height / 3)
        wall = _lit(pick(rng, WALLS), 1.0 + np.float32(0.04) * noise)
        if rng.random() < 0.6:
            strip = max(2, height // 50)
            wall[-strip:] = np.asarray(wall[-strip:] * rng.uniform(0.5, 1.1), np.uint8)
        return wall
    sky = np.array(pick(rng, SKIES), np.float32)
    clouds = np.clip(octaves(rng, rows, columns, height / 3, 4) * 0.35 - 0.1, 0, 0.7)[..., None]
    fade = np.linspace(0.9, 1.08, rows, dtype=np.float32)[:, None, None]
    return np.asarray(np.clip(sky * fade * (1 - clouds) + 238.0 * clouds, 0, 255), np.uint8)


def _light(image: Image, rng: np.random.Generator) -> Image:
    """Uneven light over the whole picture."""
    rows, columns = image.shape[:2]
    glow = smooth_noise(rng, rows, columns, max(rows, columns) / 2.5)
    factor = 1.0 + np.float32(rng.uniform(0.0, 0.12)) * glow
    return np.asarray(np.clip(image * factor[..., None], 0, 255), np.uint8)
