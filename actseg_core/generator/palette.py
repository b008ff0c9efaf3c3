"""Colours as people name them, each with typical RGB values."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
RGB = tuple[int, int, int]

COLOURS: dict[str, tuple[RGB, ...]] = {
    "red": ((200, 30, 35), (170, 20, 30), (220, 55, 50)),
    "blue": ((35, 70, 190), (50, 110, 210), (25, 45, 130)),
    "green": ((40, 140, 60), (70, 165, 70), (25, 95, 45)),
    "yellow": ((235, 205, 45), (245, 225, 90)),
    "orange": ((235, 125, 30), (220, 105, 40)),
    "pink": ((240, 130, 175), (235, 160, 190), (225, 90, 150)),
    "purple": ((120, 50, 160), (145, 80, 180)),
    "white": ((238, 238, 236), (225, 225, 220)),
    "black": ((28, 28, 30), (42, 40, 42)),
    "gray": ((125, 125, 128), (150, 150, 150), (105, 108, 112)),
    "brown": ((110, 68, 38), (135, 88, 52), (90, 55, 32)),
}
"""Colour word -> example RGB values, 0 to 255."""

SYNONYMS: dict[str, tuple[str, ...]] = {"gray": ("gray", "grey"), "purple": ("purple", "violet")}

CLOTHES = ("red", "blue", "green", "yellow", "orange", "pink", "purple", "white", "black", "gray")
TROUSERS = ("blue", "black", "gray", "brown", "white", "red", "green")
PAINTS = ("red", "blue", "green", "yellow", "orange", "white", "black", "gray")
SKINS: tuple[RGB, ...] = ((240, 205, 180), (224, 180, 148), (190, 140, 105), (120, 80, 55))
HAIRS: tuple[RGB, ...] = (
    (35, 28, 25),
    (80, 52, 30),
    (150, 110, 60),
    (190, 165, 105),
    (90, 88, 86),
)
FURS = {
    "dog": ("brown", "black", "white", "gray", "yellow", "orange"),
    "cat": ("orange", "black", "white", "gray", "brown"),
    "bird": ("white", "black", "gray", "blue", "green", "red", "yellow", "brown", "orange"),
}
FUR_TONES: dict[str, tuple[RGB, ...]] = {
    "yellow": ((214, 178, 110), (200, 160, 95)),
    "orange": ((205, 125, 60), (190, 110, 50)),
}


def shade_of(colour: str, rng: np.random.Generator, *, fur: bool = False) -> RGB:
    """A random RGB value that people call `colour`; furs have duller yellow and orange."""
    choices = FUR_TONES.get(colour, COLOURS[colour]) if fur else COLOURS[colour]
    base = np.array(choices[rng.integers(len(choices))], dtype=np.float64)
    jitter = rng.normal(0.0, 6.0) + rng.normal(0.0, 3.0, size=3)
    red, green, blue = np.clip(np.rint(base + jitter), 0, 255).astype(int).tolist()
    return red, green, blue


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One item, uniformly."""
    return items[int(rng.integers(len(items)))]
