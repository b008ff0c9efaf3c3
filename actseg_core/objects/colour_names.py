"""From RGB to the eleven basic colour terms, softly, and robust to the light of a frame.

A colour is named by the prototypes near it in CIELAB. The prototypes are ours, chosen after what
is known of colour naming: eleven basic terms (Berlin and Kay, 1969); terms overlap and real
objects are named more broadly than colour chips (van de Weijer et al., Learning color names for
real-world applications, 2009); brown is dark orange and yellow, pink is light red, and the three
achromatic terms widen towards black, where chroma is no longer seen.
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.text.colours import BASIC_COLOURS

Array = NDArray[np.float32]
LEVELS = 32  # of each channel in the look-up table

# sRGB, then the terms that people use for it; equal shares unless a number follows.
_PROTOTYPES = """
000000 black; 0c0c0e black; 1a1a1c black; 26262a black 5 grey 1; 343438 black 2 grey 1
46464a grey 3 black 2; 5c5c60 grey; 787878 grey; 929296 grey; aaaaae grey 3 white 1
c0c0c4 grey 1 white 1; d4d4d6 white 3 grey 1; e6e6e8 white; ffffff white; f4f8ff white
1c1410 black 4 brown 1; 2c201a black 3 brown 2; 3c2a20 brown 2 black 2; 141822 black 5 blue 1
20283a black 1 blue 1; 2a1216 black 2 red 1; 141e16 black 4 green 1; 24182a black 2 purple 1
3a3e48 grey 2 blue 1 black 2; 4a4540 grey 2 brown 1 black 1; 6a625a grey 3 brown 2
8a8278 grey 3 brown 1; a8a094 grey 3 brown 1 white 1; c8c0b2 white 2 grey 2 brown 1
e0d8c8 white 5 brown 1; f5eedd white; fff8dc white 4 yellow 1; f0e4c0 white 4 yellow 1 brown 1
e0cca0 white 2 brown 2 yellow 1; d2b48c brown 4 white 1; c4a478 brown; b08c60 brown
a07850 brown; 8a6040 brown; 704a30 brown; 5a3a26 brown; 4a2e20 brown 5 black 1
8b5a2b brown; 9a5a2a brown 3 orange 1; b06a30 orange 3 brown 2; c68642 brown 2 orange 2
78706a grey 3 brown 2; 6e5c4a brown 3 grey 1; 8c7c66 brown 3 grey 1; 544838 brown 3 grey 1
6e4438 brown 4 red 1; 804838 brown 3 red 2; a8685a brown 2 pink 1 red 1; c09080 brown 2 pink 2
e0b8a0 brown 2 pink 2 white 1; f0d0c0 pink 2 white 2
ff0000 red; e01020 red; c01020 red; a01020 red; 801018 red 4 brown 1; 600c14 red 3 brown 2
400a10 red 2 black 2 brown 1; c83c3c red; b04848 red 3 pink 1; 9a3038 red; 902848 red 3 purple 2
d04030 red 4 orange 1; e84820 orange 2 red 3; ff5010 orange 3 red 1; 8a2c28 red 3 brown 2
ff8000 orange; ff9020 orange; f07020 orange; e08030 orange; d07028 orange 3 brown 1; ffa030 orange
ffb040 orange 3 yellow 2; f0a868 orange 3 brown 1; ff9a70 orange 2 pink 1; d89050 orange 2 brown 2
ffc020 yellow 3 orange 2; ffd800 yellow; ffff00 yellow; f0e040 yellow; fff080 yellow
e8d060 yellow; d8c030 yellow; c8a828 yellow 3 brown 2; b89830 yellow 2 brown 2
fff4b0 yellow 2 white 2; d8c880 yellow 2 brown 1; a08028 brown 2 yellow 1; d8e060 yellow 3 green 2
00ff00 green; 20c020 green; 108010 green; 0c5010 green; 062a0a green 2 black 2; 80c040 green
a0e060 green; b8d84c green 3 yellow 2; 6a8a30 green; 788040 green 3 brown 1; 5a5c2c green 2 brown 2
3c4024 black 3 green 2 brown 1; 90a070 green 3 grey 1; 688068 green 3 grey 2; 9cc8a0 green
c8e8c8 green 2 white 2; 00a868 green; 30785a green; 1c4438 green 3 black 1; 40d0a0 green
a8a060 brown 2 green 2 yellow 1; 7a7448 brown 2 green 2; 48584c green 3 grey 2
00c8c8 blue 3 green 2; 109090 blue 2 green 3; 0c5c64 blue 3 green 3; 70d8d8 blue 3 green 2
a0d0d4 blue 3 green 1 white 1; 7aa0a0 blue 2 green 1 grey 2; 4a6a6c blue 3 green 1 grey 2
0000ff blue; 1030c0 blue; 102080 blue; 0c1450 blue 3 black 1; 080c2c blue 2 black 3; 2060d0 blue
3080e0 blue; 40a0f0 blue; 80c0f0 blue; a8d0f0 blue 3 white 1; 5878a8 blue; 3c5078 blue
2c3a58 blue 3 black 1; 6c84a0 blue 3 grey 1; 8ca0b8 blue 2 grey 2; 6c7888 grey 2 blue 2
50586a grey 2 blue 2; b0bccc grey 2 blue 2 white 1; d0dcea white 3 blue 2; 1c2c4a blue 2 black 2
98b0d8 blue; 4858a0 blue; 4040e0 blue 4 purple 1; c4ccd8 white 2 grey 2 blue 1
8000ff purple; 6020a0 purple; 501880 purple; 301048 purple 3 black 1; 9040c0 purple
b070e0 purple; c8a0e8 purple; 7868b0 purple 3 blue 1; 604878 purple; 807090 purple 3 grey 2
a890b8 purple 3 grey 1; d8c8e8 purple 2 white 2; 702060 purple; 583050 purple 3 brown 1
5c4860 purple 2 grey 2; 6040e0 purple 2 blue 2; b040a0 purple 2 pink 1; 804060 purple 2 red 1
ff00ff pink 2 purple 2; e020a0 pink; ff1090 pink; ff60b0 pink; ff90c0 pink; ffb8d0 pink
f0a0a8 pink; ffd8e0 pink 2 white 2; e87890 pink; d05080 pink; d83068 pink 2 red 2
c87890 pink; b06080 pink 2 purple 2; d8a0b0 pink; ff8080 pink 3 red 1; e06060 red 2 pink 2
c8a8ac pink 3 grey 2; a88488 pink 3 grey 2 brown 1; e8c8c4 pink 2 white 2
ff7058 orange 2 pink 1 red 1; 20220e black 4 green 1; 2c3018 black 3 green 1
444828 black 2 green 2 brown 1; 3a3a26 black 3 brown 1
"""
# People say grey and brown only where no other term will do: such shares count less (fitted).
_WEIGHTS = {"grey": 0.42, "brown": 0.46, "purple": 0.85, "yellow": 1.25, "black": 0.92}
_SPREAD = 7.0  # width of a prototype in the compressed CIELAB below
_LIGHT_STEP = 3  # every third row and column is enough to estimate the light
_SHADE_STEP = 4
_GAMMA = 2.2  # of sRGB, nearly
# Photographs of grey and white things are a little blue, above all in the shade (fitted).
_WARMED = np.array([1.067, 1.0, 0.935])
_CHROMA_KNEE = 30.0  # above it, steps of chroma count less and less


def _compressed_lab(rgb: NDArray[np.uint8]) -> Array:
    """(N, 3) sRGB to (N, 3) CIELAB with high chroma drawn together: strong reds are all red."""
    pixels = rgb[:, None].astype(np.float32) / 255.0
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab), np.float32)[:, 0]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    scale = _CHROMA_KNEE * np.arcsinh(chroma / _CHROMA_KNEE) / np.maximum(chroma, 1e-6)
    return np.stack([0.8 * lab[:, 0], scale * lab[:, 1], scale * lab[:, 2]], 1)


def _prototypes() -> tuple[NDArray[np.uint8], Array]:
    """(P, 3) sRGB and (P, 11) memberships that sum to 1."""
    entries = [
        entry.split() for entry in _PROTOTYPES.replace("\n", ";").split(";") if entry.strip()
    ]
    rgb = np.array([list(bytes.fromhex(entry[0])) for entry in entries], np.uint8)
    weights = np.zeros((len(entries), len(BASIC_COLOURS)), np.float32)
    for row, entry in zip(weights, entries, strict=True):
        words = entry[1:] if len(entry) > 2 else [entry[1], "1"]
        for name, number in zip(words[::2], words[1::2], strict=True):
            row[BASIC_COLOURS.index(name)] = float(number) * _WEIGHTS.get(name, 1.0)
    return rgb, weights / weights.sum(1, keepdims=True)


def _cube() -> NDArray[np.uint8]:
    """(LEVELS^3, 3) sRGB in the middle of each cell."""
    level = ((np.arange(LEVELS) + 0.5) * 256 / LEVELS).astype(np.uint8)
    return np.stack(np.meshgrid(level, level, level, indexing="ij"), -1).reshape(-1, 3)


@cache
def colour_table() -> Array:
    """(LEVELS^3, 11) float32: memberships of each cell of the RGB cube, rows sum to 1; shared."""
    rgb = _cube()
    centres, weights = _prototypes()
    table = np.empty((len(rgb), weights.shape[1]), np.float32)
    prototypes = _compressed_lab(centres)
    for start in range(0, len(rgb), 4096):
        lab = _compressed_lab(rgb[start : start + 4096])
        squared = (lab**2).sum(1)[:, None] - 2 * lab @ prototypes.T + (prototypes**2).sum(1)[None]
        squared -= squared.min(1, keepdims=True)
        near = np.exp(-squared / (2 * _SPREAD**2))
        table[start : start + 4096] = near @ weights / near.sum(1, keepdims=True)
    table.setflags(write=False)
    return table


@cache
def skin_table() -> Array:
    """(LEVELS^3,) float32: how much each cell of the RGB cube is skin, 0 to 1; shared.

    Skin of all tones has much the same ratios of the channels: blood and melanin both take blue
    away first, then green; only its brightness differs.
    """
    rgb = _cube().astype(np.float32)
    logs = np.log(rgb + 4.0)
    red_green = (logs[:, 0] - logs[:, 1] - 0.29) / 0.15
    green_blue = (logs[:, 1] - logs[:, 2] - 0.18) / 0.16
    bright = np.clip((rgb[:, 0] - 40.0) / 40.0, 0.0, 1.0)
    table: Array = (np.exp(-0.5 * (red_green**2 + green_blue**2)) * bright).astype(np.float32)
    table.setflags(write=False)
    return table


class ColourNamer:
    """Names the colours of a frame after taking part of its light away.

    The light is estimated by shades of grey (Finlayson and Trezzi, 2004) and by the brightest
    pixels, and undone only as far as is plausible: a lawn does not make the light green.

    Args:
        tint_strength: Share of the estimated tint that is undone, 0 to 1.
        max_tint: Largest factor on one channel.
        max_exposure: Largest factor on all channels of a dark frame, in linear light.
        shade_strength: Share of the darkness of a pixel's surroundings that is undone, 0 to 1.
        max_shade: Largest factor in the shade, in linear light.
    """

    def __init__(
        self,
        tint_strength: float = 0.6,
        max_tint: float = 1.3,
        max_exposure: float = 6.0,
        shade_strength: float = 0.6,
        max_shade: float = 1.8,
    ) -> None:
        self.tint_strength = tint_strength
        self.max_tint = max_tint
        self.max_exposure = max_exposure
        self.shade_strength = shade_strength
        self.max_shade = max_shade

    def light(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(256, 3) uint8: the look-up table per channel that undoes the light of the image.

        Black pixels are left out: they are the padding.
        """
        pixels = image[::_LIGHT_STEP, ::_LIGHT_STEP].reshape(-1, 3)
        pixels = pixels[pixels.max(1) > 0]
        if not len(pixels):
            return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
        linear = _LINEAR[pixels]
        norm = (linear**6).mean(0) ** (1 / 6) + 1e-4
        tint = (norm.mean() / norm) ** self.tint_strength
        tint = np.clip(tint, 1 / self.max_tint, self.max_tint)
        bright = float(np.percentile(linear.max(1), 97))
        exposure = np.clip(0.85 / max(bright, 1e-3), 1.0, self.max_exposure)
        gained = np.clip(_LINEAR[:, None] * (tint * exposure * _WARMED), 0.0, 1.0)
        return np.asarray(np.rint(255.0 * gained ** (1 / _GAMMA)), np.uint8)

    def shade(self, image: NDArray[np.uint8]) -> Array:
        """(H, W) float32 factors, at least 1, that lift what lies in the shade of a bright frame.

        A white shirt in the shade has the values of a grey one in the sun, but so has what is
        around it. Part of the darkness of the surroundings is therefore taken away.

        Args:
            image: (H, W, 3) uint8 RGB after `light`, black where the frame is padded.
        """
        height, width = image.shape[:2]
        grid = (max(width // _SHADE_STEP, 1), max(height // _SHADE_STEP, 1))
        small = np.asarray(cv2.resize(image, grid, interpolation=cv2.INTER_AREA), np.uint8)
        coarse = _LINEAR[small].mean(2)
        inside = (coarse > 0).astype(np.float32)
        radius = 0.13 * max(grid)
        powers = cv2.GaussianBlur(coarse**4, (0, 0), radius, borderType=cv2.BORDER_REFLECT)
        weights = cv2.GaussianBlur(inside, (0, 0), radius, borderType=cv2.BORDER_REFLECT)
        around = (powers / np.maximum(weights, 1e-3)) ** 0.25 + 1e-3
        sunny = float(np.percentile(around[inside > 0], 90)) if inside.any() else 1.0
        lift = np.clip((sunny / around) ** self.shade_strength, 1.0, self.max_shade)
        lift = lift ** (1 / _GAMMA)
        return np.asarray(cv2.resize(lift.astype(np.float32), (width, height)), np.float32)

    def cells(self, image: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Rows of `colour_table` and `skin_table` for every pixel, in plain light.

        Args:
            image: (H, W, 3) uint8 RGB; black where the frame is padded.

        Returns:
            (H, W) int32.

        Raises:
            ShapeError: If the image has another shape or type.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ShapeError(
                f"colours are named on an (H, W, 3) uint8 RGB image, got {image.shape} "
                f"{image.dtype}; convert it first"
            )
        lit = np.asarray(cv2.LUT(image, self.light(image)[None]), np.uint8)
        lift = self.shade(lit)
        level = np.minimum(lit * (lift[..., None] * (LEVELS / 256)), LEVELS - 1).astype(np.int32)
        cells: NDArray[np.int32] = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[
            ..., 2
        ]
        return cells

    def __call__(self, image: NDArray[np.uint8]) -> Array:
        """(H, W, 11) float32 memberships of every pixel in BASIC_COLOURS; see `cells`."""
        named: Array = colour_table()[self.cells(image)]
        return named


_LINEAR: Array = ((np.arange(256) / 255.0) ** _GAMMA).astype(np.float32)
