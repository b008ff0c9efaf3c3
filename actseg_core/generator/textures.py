"""Textures made of noise: cloth, fur, feathers, metal, ground."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.palette import RGB

Pattern = Literal["plain", "stripes", "tabby", "spots", "patches", "feathers", "checks"]


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
