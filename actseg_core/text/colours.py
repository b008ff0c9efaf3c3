"""Colour words as shares of the eleven basic colour terms of English.

The eleven terms are those of Berlin and Kay, Basic Color Terms (1969). What another word means
in them ("navy" is a blue that is nearly black) is our own judgement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from actseg_core.text.sentence_parts import Look

Array = NDArray[np.float32]

BASIC_COLOURS = (
    *("black", "white", "grey", "red", "orange", "yellow"),
    *("green", "blue", "purple", "pink", "brown"),
)
Region = Literal["whole", "upper", "lower", "head", "feet"]
REGIONS: tuple[Region, ...] = ("whole", "upper", "lower", "head", "feet")

_OTHERS = {
    "gray": "grey",
    "silver": "grey 3 white 2",
    "charcoal": "black 3 grey 2",
    "ivory": "white 4 yellow 1",
    "cream": "white 3 yellow 1 brown 1",
    "beige": "brown 2 white 2 yellow 1",
    "tan": "brown 4 orange 1",
    "sandy": "brown 3 yellow 1 white 1",
    "khaki": "brown 2 green 1 yellow 1",
    "bronze": "brown 4 orange 1",
    "copper": "brown 3 orange 2",
    "rust": "brown 3 orange 2",
    "chestnut": "brown 4 red 1",
    "brunette": "brown 3 black 2",
    "ginger": "orange 3 brown 2",
    "blond": "yellow 3 brown 2 white 1",
    "gold": "yellow 3 brown 1 orange 1",
    "mustard": "yellow 3 brown 1",
    "crimson": "red",
    "scarlet": "red",
    "maroon": "red 3 brown 2 purple 1",
    "burgundy": "red 3 brown 1 purple 2",
    "coral": "pink 2 orange 2 red 1",
    "salmon": "pink 3 orange 2",
    "peach": "orange 2 pink 2",
    "rose": "pink",
    "magenta": "pink 3 purple 2",
    "violet": "purple",
    "lavender": "purple 3 pink 1",
    "lilac": "purple 3 pink 1",
    "plum": "purple",
    "indigo": "blue 3 purple 2",
    "navy": "blue 3 black 2",
    "denim": "blue 4 grey 1",
    "cyan": "blue 3 green 2",
    "aqua": "blue 3 green 2",
    "turquoise": "blue 3 green 2",
    "teal": "green 2 blue 3",
    "mint": "green 3 white 1",
    "lime": "green 3 yellow 1",
    "olive": "green 3 brown 2",
}
_SPELLINGS = {
    "blonde": "blond",
    "golden": "gold",
    "fuchsia": "magenta",
    "fawn": "tan",
    "tawny": "tan",
    "creamy": "cream",
    "snowy": "white",
    "silvery": "silver",
    "emerald": "green",
    "azure": "blue",
    "mauve": "lilac",
    "ebony": "black",
    "auburn": "chestnut",
    "amber": "gold",
    "orangish": "orange",
    "purplish": "purple",
    "reddish": "red",
    "brownish": "brown",
    "whitish": "white",
    "greyish": "grey",
    "grayish": "grey",
    "blackish": "black",
    "bluish": "blue",
    "greenish": "green",
    "yellowish": "yellow",
    "pinkish": "pink",
}
# How much each colour counts as dark, light or bright: a dark coat may be navy or a deep brown.
_SHADES = {
    "dark": {"black": 1.0, "brown": 0.5, "grey": 0.4, "blue": 0.4, "purple": 0.4, "green": 0.3},
    "light": {"white": 1.0, "yellow": 0.5, "pink": 0.4, "grey": 0.3},
    "bright": {"white": 0.6, "yellow": 1.0, "orange": 0.8, "pink": 0.7, "red": 0.5, "green": 0.4},
}
# Of hair: "the blond woman" need not wear blond, and red hair is no fire engine's red.
_HAIR_WORDS = frozenset(("blond", "blonde", "brunette"))
_ON_HAIR = {"red": "ginger", "yellow": "blond", "reddish": "ginger"}
_HAIR = frozenset(("hair", "hairs", "beard", "ponytail", "moustache", "mustache"))
_TINGES = {"dark": "black", "light": "white"}
COLOURFUL = "colourful"


def _weights(shares: Mapping[str, float]) -> Array:
    weights = np.array([shares.get(name, 0.0) for name in BASIC_COLOURS], np.float32)
    weights.setflags(write=False)
    return weights


def _parse(text: str) -> Array:
    words = text.split()
    if len(words) == 1:
        return _weights({words[0]: 1.0})
    parts = {name: float(number) for name, number in zip(words[::2], words[1::2], strict=True)}
    total = sum(parts.values())
    return _weights({name: number / total for name, number in parts.items()})


_TABLE = {name: _parse(name) for name in BASIC_COLOURS}
_TABLE |= {word: _parse(text) for word, text in _OTHERS.items()}
_TABLE |= {word: _TABLE[name] for word, name in _SPELLINGS.items()}
COLOUR_WORDS: Mapping[str, Array] = MappingProxyType(_TABLE)
"""Word -> (11,) float32 shares in the order of BASIC_COLOURS that sum to 1."""
SHADE_WORDS: Mapping[str, Array] = MappingProxyType(
    {word: _weights(shares) for word, shares in _SHADES.items()}
)
"""Word -> (11,) float32: how much each basic colour counts as dark, light or bright, 0 to 1."""


@dataclass(frozen=True, eq=False)
class ColourMention:
    """What a sentence says about the colours of one region of an object.

    Attributes:
        colours: (K, 11) float32, a row of COLOUR_WORDS per colour; all K are wanted ("brown and
            white"). None if only a shade was said.
        region: Where: "whole" (a dog, "in red"), "upper" (shirt), "lower" (jeans), "head" (hat),
            "feet" (shoes).
        shade: A word of SHADE_WORDS or "colourful", if no colour was said.
        negated: "not red".
    """

    colours: Array | None
    region: Region = "whole"
    shade: str | None = None
    negated: bool = False


def colour_mention(look: Look, words: Sequence[str]) -> ColourMention | None:
    """What a look says of colours; the very words count, so that "cream" is more than white.

    Args:
        look: A part of the sentence.
        words: The words of the sentence.

    Returns:
        The mention, or None if the look has neither a colour nor a shade ("a man with a hat",
        "a striped shirt").
    """
    region: Region = next((name for name in REGIONS if name == look.region), "whole")
    shade = next((name for name in look.shades if name in _SHADES), None)
    named = [name for name in look.colours if name in COLOUR_WORDS]
    said = [words[at] for at in look.words if words[at] in COLOUR_WORDS]
    if len(said) == len(named):
        named = said
    if look.on in _HAIR:
        named = [_ON_HAIR.get(name, name) for name in named]
    elif look.on is None and named and _HAIR_WORDS.issuperset(named):
        region = "head"
    if named:
        rows = np.stack([tinged(name, shade) for name in named])
        return ColourMention(rows, region, negated=look.negated)
    if COLOURFUL in look.colours:
        shade = COLOURFUL
    return None if shade is None else ColourMention(None, region, shade, look.negated)


def tinged(word: str, shade: str | None = None) -> Array:
    """(11,) float32 shares of a word of COLOUR_WORDS with "dark" or "light" before it, or without.

    "Bright" and other shades leave a colour as it is.
    """
    weights = COLOUR_WORDS[word]
    tinge = _TINGES.get(shade or "")
    if tinge is None:
        return weights
    mixed: Array = 0.75 * weights + 0.25 * COLOUR_WORDS[tinge]
    return mixed
