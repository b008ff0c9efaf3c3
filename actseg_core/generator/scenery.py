"""Surfaces, and things that stand at the horizon or against the wall of a drawn background."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.palette import RGB, pick

Pattern = Literal["plain", "stripes", "tabby", "spots", "patches", "feathers", "checks"]
Image = NDArray[np.uint8]


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, cell_px: float, stretch: float = 1.0
) -> NDArray[np.float32]:
    """Noise of one scale, (height, width) float32 of mean 0 and about unit deviation.

    Args:
        rng: Source of randomness.
        height: Rows.
        width: Columns.
        cell_px: Size of the grain [px].
        stretch: How many times wider than high the grain is.
    """
    rows = max(2, int(np.ceil(height / cell_px)) + 2)
    columns = max(2, int(np.ceil(width / (cell_px * stretch))) + 2)
    grid = rng.standard_normal((rows, columns), dtype=np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def octaves(
    rng: np.random.Generator, height: int, width: int, coarsest_px: float, count: int = 4
) -> NDArray[np.float32]:
    """Sum of noises of halving scale and strength ("1/f"), as natural surfaces have.

    Returns:
        (height, width) float32 of mean 0 and about unit deviation.
    """
    total = np.zeros((height, width), np.float32)
    weight, power = 1.0, 0.0
    for level in range(count):
        cell = max(1.0, coarsest_px / 2**level)
        total += np.float32(weight) * smooth_noise(rng, height, width, cell)
        power += weight**2
        weight *= 0.6
    return total / np.float32(np.sqrt(power) * 0.7)


def tint(base: RGB, brightness: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Multiply a colour with a brightness map: (H, W) float32 around 1 -> (H, W, 3) uint8."""
    lifted = np.maximum(np.array(base, np.float32), 14.0)  # even black cloth shows folds
    return np.clip(brightness[..., None] * lifted, 0, 255).astype(np.uint8)


def sheet(
    rng: np.random.Generator,
    size_px: int,
    base: RGB,
    *,
    second: RGB | None = None,
    pattern: Pattern = "plain",
    roughness: float = 0.12,
    grain_px: float = 4.0,
) -> NDArray[np.uint8]:
    """A square of material to cut parts from, (size_px, size_px, 3) uint8.

    Args:
        rng: Source of randomness.
        size_px: Side of the square [px].
        base: Main colour.
        second: Colour of the pattern; a darker base if missing.
        pattern: What the second colour draws.
        roughness: Strength of the brightness noise, 0 for a flat colour.
        grain_px: Size of that noise's grain [px].
    """
    fine = smooth_noise(rng, size_px, size_px, grain_px)
    coarse = smooth_noise(rng, size_px, size_px, max(8.0, size_px / 10))
    brightness = 1.0 + np.float32(roughness) * (0.6 * fine + 0.7 * coarse)
    image = tint(base, brightness)
    if pattern == "plain":
        return image
    other = second or tuple(int(0.55 * value) for value in base)
    mask = _pattern(rng, size_px, pattern)
    np.copyto(image, tint(other, brightness), where=(mask > 0)[..., None])  # type: ignore[arg-type]
    return image


def _pattern(rng: np.random.Generator, size: int, kind: Pattern) -> NDArray[np.bool_]:
    """Where the second colour goes, (size, size) bool."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    period = np.float32(max(6.0, size / rng.uniform(12, 24)))
    bend = smooth_noise(rng, size, size, size / 4) * period
    if kind == "stripes":
        return np.asarray((y % period) < period * 0.45)
    if kind == "tabby":
        return np.asarray(((x + 0.45 * bend) % period) < period * 0.38)
    if kind == "checks":
        return np.asarray(((x % period) < period / 2) ^ ((y % period) < period / 2))
    if kind == "feathers":
        return np.asarray(((y + 0.6 * np.abs((x % period) - period / 2)) % period) < period * 0.3)
    if kind == "spots":
        return smooth_noise(rng, size, size, size / 16) > 0.8
    return smooth_noise(rng, size, size, size / 5) > 0.35


def muted(rng: np.random.Generator, low: int = 60, high: int = 215) -> RGB:
    """A random colour of low saturation, as walls and furniture have."""
    level = rng.uniform(low, high)
    red, green, blue = np.clip(level + rng.normal(0, 16, size=3), 0, 255).astype(int).tolist()
    return red, green, blue


def scenery(kind: str, image: Image, line: int, height: int, rng: np.random.Generator) -> None:
    """Add what belongs to a place, in place.

    Args:
        kind: Kind of background.
        image: (h, w, 3) uint8 to paint on.
        line: Row of the horizon.
        height: Frame height [px]; sets the size of things.
        rng: Source of randomness.
    """
    if kind in ("grass", "forest", "snow", "lake") and rng.random() < 0.75:
        _treeline(image, line, height, rng)
    makers = {
        "room": (furniture, picture, picture),
        "road": (building, building, tree),
        "grass": (tree,),
        "forest": (tree, tree, trunk),
        "snow": (tree, trunk),
        "beach": (hill,),
        "lake": (hill, tree),
    }.get(kind, ())
    if not makers:
        return
    for _ in range(int(rng.integers(1, 6))):
        pick(rng, makers)(image, int(rng.integers(0, image.shape[1])), line, height, rng)


def _textured(
    image: Image, box: tuple[int, int, int, int], colour: RGB, rng: np.random.Generator
) -> None:
    """A rectangle x0, y0, x1, y1 with surface noise and a light that falls off."""
    rows, columns = image.shape[:2]
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(columns, box[2]), min(rows, box[3])
    if x1 <= x0 or y1 <= y0:
        return
    noise = octaves(rng, y1 - y0, x1 - x0, 12.0, 3)
    fall = np.linspace(1.06, 0.92, x1 - x0, dtype=np.float32)[None, :]
    brightness = (fall * (1.0 + np.float32(0.05) * noise))[..., None]
    image[y0:y1, x0:x1] = np.clip(np.array(colour, np.float32) * brightness, 0, 255)


def furniture(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    """A couch, cupboard or shelf that stands on the floor."""
    wide, high = (int(v * height) for v in rng.uniform((0.2, 0.12), (0.5, 0.32)))
    colour = muted(rng, 40, 180)
    _textured(image, (x, line - high, x + wide, line + high // 6), colour, rng)
    dark = tuple(int(0.6 * value) for value in colour)
    for share in rng.uniform(0.15, 0.85, size=int(rng.integers(1, 4))):
        if rng.random() < 0.5:
            u = x + int(share * wide)
            cv2.line(image, (u, line - high), (u, line), dark, 1, cv2.LINE_AA)
        else:
            v = line - int(share * high)
            cv2.line(image, (x, v), (x + wide, v), dark, 1, cv2.LINE_AA)
    cv2.rectangle(image, (x, line + high // 6 - 2), (x + wide, line + high // 6), (40, 35, 32), -1)


def picture(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    """A picture or a window on the wall."""
    wide, high = (int(v * height) for v in rng.uniform((0.1, 0.1), (0.3, 0.25)))
    bottom = line - int(rng.uniform(0.05, 0.25) * height)
    edge = max(1, height // 90)
    _textured(image, (x, bottom - high, x + wide, bottom), muted(rng, 30, 160), rng)
    inner = (x + edge, bottom - high + edge, x + wide - edge, bottom - edge)
    _textured(image, inner, muted(rng, 90, 245), rng)


def building(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    """A house front with rows of windows."""
    wide, high = (int(v * height) for v in rng.uniform((0.2, 0.15), (0.6, 0.5)))
    wall = muted(rng, 80, 205)
    _textured(image, (x, line - high, x + wide, line), wall, rng)
    across, up = (max(5, int(v * height)) for v in rng.uniform(0.05, 0.1, size=2))
    for u in range(x + across // 3, x + wide - across // 2, across):
        for v in range(line - high + up // 3, line - up // 2, up):
            glass = tuple(int(value * rng.uniform(0.3, 0.6)) for value in wall)
            cv2.rectangle(image, (u, v), (u + across // 2, v + up // 2), glass, -1)


def trunk(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    """A bare trunk that leaves the picture at the top."""
    wide = max(2, int(rng.uniform(0.02, 0.06) * height))
    base = line + int(rng.uniform(0.0, 0.12) * height)
    _textured(image, (x, 0, x + wide, base), muted(rng, 45, 95), rng)


def tree(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    """A trunk and a crown whose edge and inside are noise."""
    high = int(rng.uniform(0.2, 0.6) * height)
    base = line + int(rng.uniform(-0.02, 0.06) * height)
    bark = rng.integers((60, 45, 30), (110, 85, 60)).tolist()
    cv2.line(image, (x, base), (x, base - high), bark, max(2, int(0.02 * height)))
    radius = max(6, int(rng.uniform(0.1, 0.24) * height))
    _foliage(image, x, base - high, radius, radius, rng)


def _treeline(image: Image, line: int, height: int, rng: np.random.Generator) -> None:
    """A far wood along the whole horizon."""
    reach = int(rng.uniform(0.05, 0.2) * height)
    columns = image.shape[1]
    _foliage(image, columns // 2, line - reach // 2, int(0.75 * columns), max(4, reach), rng)


def _foliage(image: Image, x: int, y: int, wide: int, high: int, rng: np.random.Generator) -> None:
    """Leaves inside an ellipse with a ragged edge."""
    rows, columns = image.shape[:2]
    x0, x1 = max(0, x - wide), min(columns, x + wide)
    y0, y1 = max(0, y - high), min(rows, y + high)
    if x1 <= x0 or y1 <= y0:
        return
    v, u = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    away = np.hypot((u - x) / wide, (v - y) / high)
    ragged = octaves(rng, y1 - y0, x1 - x0, max(4.0, high / 2), 3)
    mask = away + 0.22 * ragged < 0.8
    green = rng.uniform((35, 60, 25), (95, 120, 65)).astype(np.float32)
    sun = 1.15 - 0.5 * (v - y0) / max(1, y1 - y0)
    leaves = sun * (1.0 + 0.28 * octaves(rng, y1 - y0, x1 - x0, max(3.0, high / 5), 2))
    region = image[y0:y1, x0:x1]
    region[mask] = np.clip(leaves[..., None] * green, 0, 255)[mask].astype(np.uint8)


def hill(image: Image, x: int, line: int, height: int, rng: np.random.Generator) -> None:
    """A hill behind the horizon, bluish with distance."""
    axes = (int(rng.uniform(0.4, 1.2) * height), int(rng.uniform(0.05, 0.2) * height))
    blank = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(blank, (x, line), axes, 0, 180, 360, 255, -1)
    colour = np.array(muted(rng, 80, 150), np.float32) + np.array((-10, 0, 12), np.float32)
    rows, columns = image.shape[:2]
    noise = smooth_noise(rng, rows, columns, height / 12)
    shaded = np.clip(colour * (1.0 + 0.06 * noise[..., None]), 0, 255).astype(np.uint8)
    cv2.copyTo(shaded, blank, image)
