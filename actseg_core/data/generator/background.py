"""Drawn backgrounds: ground and sky or floor and wall, textured and lit."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.data.generator.palette import RGB, pick
from actseg_core.data.generator.textures import octaves, smooth_noise

Image = NDArray[np.uint8]
GROUND: dict[str, tuple[RGB, ...]] = {
    "grass": ((86, 120, 52), (110, 135, 70), (70, 105, 55)),
    "road": ((112, 112, 114), (90, 90, 95), (135, 132, 128)),
    "beach": ((205, 185, 145), (190, 170, 130)),
    "snow": ((225, 230, 238), (205, 212, 225)),
    "room": ((150, 110, 70), (120, 95, 75), (170, 160, 150)),
    "carpet": ((140, 120, 110), (105, 115, 130), (150, 60, 60), (90, 110, 90)),
    "forest": ((98, 88, 58), (85, 95, 50)),
    "water": ((60, 100, 125), (80, 120, 130), (50, 80, 110)),
}
SKIES: tuple[RGB, ...] = ((150, 185, 225), (190, 205, 220), (120, 165, 215), (200, 195, 190))
WALLS: tuple[RGB, ...] = ((200, 190, 170), (175, 185, 190), (215, 205, 200), (160, 150, 130))


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A picture larger than the frame, in world pixels.

    Attributes:
        image: (h, w, 3) uint8.
        left: World x of its first column [px].
        top: World y of its first row [px].
        horizon: World y where the ground begins [px].
        kind: Kind of place.
    """

    image: Image
    left: float
    top: float
    horizon: float
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
    horizon = share * height
    line = int(np.clip(horizon - top, 0, rows))
    image = np.empty((rows, columns, 3), np.uint8)
    if line > 0:
        image[:line] = _above(kind, line, columns, height, rng)
    if line < rows:
        image[line:] = _ground(kind, rows - line, columns, height, rng)
    if 0 < line < rows:
        _clutter(image, kind, line, height, rng)
        band = slice(max(0, line - 2), min(rows, line + 3))
        image[band] = cv2.GaussianBlur(image[band], (3, 3), 0)
    return Backdrop(_light(image, rng), left, top, max(0.0, horizon), kind)


def _lit(base: RGB, brightness: NDArray[np.float32]) -> Image:
    colour = np.array(base, np.float32)
    return np.clip(brightness[..., None] * colour, 0, 255).astype(np.uint8)


def _ground(kind: str, rows: int, columns: int, height: int, rng: np.random.Generator) -> Image:
    """Ground in perspective: the grain grows towards the viewer."""
    coarse = octaves(rng, rows, columns, height / 6, 4)
    fine = _perspective_noise(rows, columns, rng)
    strength = {"snow": 0.05, "road": 0.07, "room": 0.06, "water": 0.1}.get(kind, 0.14)
    depth = np.linspace(0.88, 1.08, rows, dtype=np.float32)[:, None]
    brightness = depth * (1.0 + np.float32(strength) * (0.7 * coarse + 0.8 * fine))
    image = _lit(pick(rng, GROUND[kind]), brightness)
    if kind == "road":
        _lanes(image, rng)
    elif kind == "room" and rng.random() < 0.7:
        _boards(image, rng)
    elif kind in ("grass", "forest"):
        patches = np.clip(0.35 * octaves(rng, rows, columns, height / 3, 2), 0, 0.6)[..., None]
        other = np.array(pick(rng, ((130, 125, 70), (70, 90, 40), (120, 95, 65))), np.float32)
        image = (image * (1 - patches) + other * patches).astype(np.uint8)
    return image


def _perspective_noise(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    flat = rng.standard_normal((128, 256), dtype=np.float32)
    depth = np.linspace(0.12, 1.0, rows, dtype=np.float32)[:, None]
    x = (np.arange(columns, dtype=np.float32)[None, :] - columns / 2) / (2.2 * depth) + 4096
    y = np.broadcast_to(np.float32(60.0) / depth, (rows, columns))
    mapped = cv2.remap(
        flat, np.mod(x, 255).astype(np.float32), np.mod(y, 127).astype(np.float32), cv2.INTER_LINEAR
    )
    return mapped.astype(np.float32)


def _lanes(image: Image, rng: np.random.Generator) -> None:
    rows, columns = image.shape[:2]
    colour = pick(rng, ((225, 225, 220), (220, 190, 70)))
    for share in rng.uniform(0.15, 0.95, size=2):
        y, wide = int(share * rows), max(1, int(share * rows * 0.03))
        dash = int(columns * rng.uniform(0.08, 0.2))
        for x in range(0, columns, 2 * dash):
            cv2.rectangle(image, (x, y), (x + dash, y + wide), colour, -1)


def _boards(image: Image, rng: np.random.Generator) -> None:
    rows, columns = image.shape[:2]
    vanish = columns * rng.uniform(0.3, 0.7)
    dark = (image.mean(axis=(0, 1)) * 0.75).astype(int).tolist()
    for x in np.linspace(-2 * columns, 3 * columns, 34):
        start, end = (int(vanish + (x - vanish) * 0.25), 0), (int(x), rows)
        cv2.line(image, start, end, dark, 1, cv2.LINE_AA)


def _above(kind: str, rows: int, columns: int, height: int, rng: np.random.Generator) -> Image:
    if kind == "room":
        noise = smooth_noise(rng, rows, columns, height / 3)
        return _lit(pick(rng, WALLS), 1.0 + 0.04 * noise)
    sky = np.array(pick(rng, SKIES), np.float32)
    clouds = np.clip(octaves(rng, rows, columns, height / 3, 4) * 0.35 - 0.1, 0, 0.7)[..., None]
    fade = np.linspace(0.9, 1.08, rows, dtype=np.float32)[:, None, None]
    mixed = sky * fade * (1 - clouds) + 238.0 * clouds
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _clutter(image: Image, kind: str, line: int, height: int, rng: np.random.Generator) -> None:
    """Things that stand at the horizon."""
    columns = image.shape[1]
    count = int(rng.integers(2, 6))
    for _ in range(count):
        x = int(rng.integers(0, columns))
        if kind == "room":
            _furniture(image, x, line, height, rng)
        elif kind == "road":
            _building(image, x, line, height, rng)
        elif kind in ("grass", "forest", "snow"):
            _tree(image, x, line, height, rng)
        elif kind in ("beach", "water") and rng.random() < 0.5:
            _hill(image, x, line, height, rng)


def _furniture(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    wide, high = (int(v * height) for v in rng.uniform((0.15, 0.12), (0.4, 0.3)))
    frame = rng.integers(50, 200, 3).tolist()
    inside = rng.integers(60, 240, 3).tolist()
    bottom = line if rng.random() < 0.5 else line - int(rng.uniform(0.02, 0.15) * height)
    cv2.rectangle(image, (x, bottom - high), (x + wide, bottom), frame, -1)
    edge = max(2, height // 80)
    cv2.rectangle(image, (x + edge, bottom - high + edge), (x + wide - edge, bottom - edge), inside, -1)


def _building(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    wide, high = (int(v * height) for v in rng.uniform((0.2, 0.15), (0.5, 0.5)))
    wall = rng.integers(90, 210, 3)
    cv2.rectangle(image, (x, line - high), (x + wide, line), wall.tolist(), -1)
    step = max(6, int(0.07 * height))
    glass = (wall * 0.45).astype(int).tolist()
    for u in range(x + step // 2, x + wide - step // 2, step):
        for v in range(line - high + step // 2, line - step // 2, step):
            cv2.rectangle(image, (u, v), (u + step // 2, v + step // 2), glass, -1)


def _tree(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    high = int(rng.uniform(0.2, 0.6) * height)
    base = line + int(rng.uniform(-0.02, 0.06) * height)
    trunk = rng.integers((60, 45, 30), (110, 85, 60)).tolist()
    cv2.line(image, (x, base), (x, base - high), trunk, max(2, int(0.025 * height)))
    green = rng.integers((30, 70, 25), (90, 130, 70))
    for _ in range(14):
        u = x + int(rng.normal(0, 0.1) * height)
        v = base - high + int(rng.normal(0, 0.08) * height)
        leaf = np.clip(green * rng.uniform(0.7, 1.3), 0, 255).astype(int).tolist()
        cv2.circle(image, (u, v), int(rng.uniform(0.03, 0.08) * height), leaf, -1, cv2.LINE_AA)


def _hill(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    axes = (int(rng.uniform(0.3, 0.9) * height), int(rng.uniform(0.05, 0.2) * height))
    cv2.ellipse(image, (x, line), axes, 0, 180, 360, rng.integers(80, 150, 3).tolist(), -1)


def _light(image: Image, rng: np.random.Generator) -> Image:
    """Uneven light over the whole picture."""
    rows, columns = image.shape[:2]
    glow = smooth_noise(rng, rows, columns, max(rows, columns) / 2.5)
    factor = 1.0 + np.float32(rng.uniform(0.0, 0.12)) * glow
    return np.clip(image * factor[..., None], 0, 255).astype(np.uint8)
