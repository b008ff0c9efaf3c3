"""Sentences for photographs: category words, colour, side, motion."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Words for a category; the first is the usual one. Persons get words of any age and gender,
# because the photographs do not say which is right and the detector must answer to all of them.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "person": ("person", "person", "man", "woman", "adult", "someone", "guy", "player", "lady"),
    "sports ball": ("ball", "ball", "sports ball"),
    "bicycle": ("bicycle", "bike"),
    "motorcycle": ("motorcycle", "motorbike"),
    "airplane": ("airplane", "plane", "aircraft"),
    "car": ("car", "car", "vehicle", "automobile"),
    "truck": ("truck", "lorry"),
    "tv": ("tv", "television", "screen"),
    "couch": ("couch", "sofa"),
    "cell phone": ("phone", "cell phone"),
    "dog": ("dog", "dog", "puppy"),
    "cat": ("cat", "cat", "kitten"),
    "boat": ("boat", "ship"),
}
MIN_COLOUR_SHARE = 0.5


def category_words(rng: np.random.Generator, category: str) -> str:
    """A word or two for a category."""
    options = SYNONYMS.get(category, (category,))
    return options[rng.integers(len(options))]


def colour_word(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> str:
    """The colour that covers at least half of the mask, "" if none does.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool; for persons pass the upper half, where the shirt is.
    """
    pixels = image[mask]
    if len(pixels) < 30:
        return ""
    hue, saturation, value = cv2.cvtColor(pixels[np.newaxis], cv2.COLOR_RGB2HSV)[0].T.astype(int)
    names = np.full(len(pixels), "", dtype="<U6")
    vivid = (saturation > 80) & (value > 60)
    names[(value < 60)] = "black"
    names[(saturation < 40) & (value > 185)] = "white"
    names[(saturation < 40) & (value >= 60) & (value <= 185)] = "gray"
    bounds = (
        ("red", 0, 8),
        ("orange", 8, 20),
        ("yellow", 20, 34),
        ("green", 34, 85),
        ("blue", 85, 130),
        ("purple", 130, 150),
        ("pink", 150, 170),
        ("red", 170, 181),
    )
    for name, low, high in bounds:
        names[vivid & (hue >= low) & (hue < high)] = name
    names[vivid & (hue >= 5) & (hue < 20) & (value < 140)] = "brown"
    found, counts = np.unique(names, return_counts=True)
    best = int(counts.argmax())
    return str(found[best]) if counts[best] >= MIN_COLOUR_SHARE * len(pixels) else ""


def side_word(centre_x: float, others_x: list[float], margin: float) -> str:
    """left, right or middle when a centre is set apart from the others by a margin; else ""."""
    if not others_x:
        return ""
    if centre_x < min(others_x) - margin:
        return "left"
    if centre_x > max(others_x) + margin:
        return "right"
    return ""


def compose(
    rng: np.random.Generator, noun: str, colour: str = "", side: str = "", action: str = ""
) -> str:
    """A sentence of the given parts; empty parts are left out.

    "person", "man in red on the left", "white dog is moving".
    """
    worn = noun in SYNONYMS["person"]
    if colour and worn:
        garment = ("", " shirt", " clothes")[rng.integers(3)]
        head = f"{noun} in {colour}{garment}"
    else:
        head = f"{colour} {noun}".strip()
    article = ("", "a ", "the ")[rng.integers(3)]
    verb = f" {('', 'is ')[rng.integers(2)]}{action}" if action else ""
    place = f" {('on the', 'at the')[rng.integers(2)]} {side}" if side else ""
    return f"{article}{head}{verb}{place}"
