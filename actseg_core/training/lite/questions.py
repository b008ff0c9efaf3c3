"""Words for things, and questions about a picture whose things are known: true and false ones."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.claims import NEAR
from actseg_core.training.lite.clip import Question

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
MIN_TARGET_SHARE = 0.01  # of the picture; smaller things are left out as targets
ABSENT_SHARE = 0.35
RARE_ACTORS = ("dog", "cat", "bird", "sports ball", "car", "cow", "sheep", "horse")
LIVING = ("person", "dog", "cat", "bird", "cow", "sheep", "horse")
POSTURE_SHARE = 0.2
UPRIGHT = 1.8  # height over width of a person who surely stands
MIDDLE = (0.42, 0.58)  # beyond these shares of the width something is surely left or right


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


@dataclass(frozen=True, eq=False)
class Thing:
    """Something in a picture.

    Attributes:
        category: Its name.
        mask: (S, S) bool.
        action: What it does, "" if that is not known.
    """

    category: str
    mask: NDArray[np.bool_]
    action: str = ""


class Asker:
    """Asks about pictures.

    Args:
        categories: All that may be asked for where it is absent.
        count: Questions per picture.
    """

    def __init__(self, categories: list[str], count: int) -> None:
        self._categories = categories
        self._count = count

    def ask(
        self, rng: np.random.Generator, picture: NDArray[np.uint8], things: list[Thing], all_: bool
    ) -> tuple[Question, ...]:
        """Questions about (S, S, 3) uint8 RGB.

        Args:
            rng: Source of randomness.
            picture: The newest frame.
            things: What is in it.
            all_: Whether that is all of these categories that is in it; if not, nothing is asked
                about what may be absent.
        """
        big = [index for index, thing in enumerate(things) if big_enough(thing.mask)]
        questions = []
        for _ in range(self._count):
            if all_ and (not big or rng.random() < ABSENT_SHARE):
                questions.append(self._absent(rng, picture, things))
            else:
                questions.append(_present(rng, picture, things, big))
        return tuple(questions)

    def _absent(
        self, rng: np.random.Generator, picture: NDArray[np.uint8], things: list[Thing]
    ) -> Question:
        """About a category that is nowhere, or in another colour or place."""
        nothing = np.zeros(picture.shape[:2], bool)
        if things and rng.random() < 0.35:
            sentence = _wrong_detail(rng, picture, things)
            if sentence:
                return Question(sentence, nothing)
        present = {thing.category for thing in things}
        likely = [c for c in ("person", *RARE_ACTORS) if c not in present]
        rest = [c for c in self._categories if c not in present]
        options = likely if likely and (not rest or rng.random() < 0.75) else rest
        noun = category_words(rng, options[rng.integers(len(options))])
        colours = ("", "", "red", "white", "black", "blue", "brown", "yellow", "green")
        sides = ("", "", "", "left", "right")
        colour, side = colours[rng.integers(len(colours))], sides[rng.integers(len(sides))]
        return Question(compose(rng, noun, colour, side), nothing)


def big_enough(mask: NDArray[np.bool_]) -> bool:
    """Whether a thing is large enough to be asked for."""
    return bool(mask.sum() >= MIN_TARGET_SHARE * mask.size)


def _present(
    rng: np.random.Generator, picture: NDArray[np.uint8], things: list[Thing], big: list[int]
) -> Question:
    """About one of the big things, told apart from its kind where there are several."""
    known = ("person", *RARE_ACTORS)
    weights = np.array([3.0 if things[index].category in known else 1.0 for index in big])
    target = big[rng.choice(len(big), p=weights / weights.sum())]
    meant = things[target]
    same = [
        thing.mask
        for index, thing in enumerate(things)
        if thing.category == meant.category and index != target and thing.mask.any()
    ]
    noun = category_words(rng, meant.category)
    action = meant.action or (_posture(rng, meant) if rng.random() < POSTURE_SHARE else "")
    colour = _colour(picture, meant) if rng.random() < 0.4 else ""
    if not same:
        side = _place(meant.mask) if rng.random() < 0.25 else ""
        return Question(compose(rng, noun, colour, side, action), meant.mask, meant.category)
    side = side_word(
        _centre_x(meant.mask), [_centre_x(mask) for mask in same], 0.08 * meant.mask.shape[1]
    )
    rivals = [_colour(picture, Thing(meant.category, mask)) for mask in same]
    apart = colour and "" not in rivals and not {colour, *NEAR.get(colour, ())} & set(rivals)
    if side or apart:
        return Question(compose(rng, noun, colour, side, action), meant.mask, meant.category)
    # Nothing tells them apart: the bare category means all of them.
    everyone = np.logical_or.reduce([meant.mask, *same])
    return Question(compose(rng, noun), everyone, meant.category)


def _posture(rng: np.random.Generator, thing: Thing) -> str:
    """A verb for a living thing that does not move; upright persons stand."""
    if thing.category not in LIVING:
        return ""
    rows, columns = (np.nonzero(thing.mask.any(axis=axis))[0] for axis in (1, 0))
    upright = np.ptp(rows) > UPRIGHT * np.ptp(columns)
    stands = upright or (thing.category != "person" and rng.random() < 0.5)
    return ("standing", "standing still")[rng.integers(2)] if stands else "sitting"


def _wrong_detail(
    rng: np.random.Generator, picture: NDArray[np.uint8], things: list[Thing]
) -> str:
    """A category that is there with a colour or side that none of its things has; "" if unsure."""
    category = things[rng.integers(len(things))].category
    same = [thing for thing in things if thing.category == category and thing.mask.any()]
    if not same:
        return ""
    noun = category_words(rng, category)
    if rng.random() < 0.5:
        places = {_place(thing.mask) for thing in same}
        if places in ({"left"}, {"right"}):
            return compose(rng, noun, side="right" if places == {"left"} else "left")
        return ""
    colours = {_colour(picture, thing) for thing in same}
    if "" in colours:
        return ""
    taken = colours.union(*(NEAR[colour] for colour in colours))
    free = [colour for colour in NEAR if colour not in taken]
    return compose(rng, noun, colour=free[rng.integers(len(free))]) if free else ""


def _place(mask: NDArray[np.bool_]) -> str:
    """Left or right if all of a thing is on that side of the picture's middle, else ""."""
    columns = np.nonzero(mask.any(axis=0))[0] / mask.shape[1]
    if columns.max() < MIDDLE[1] and columns.mean() < MIDDLE[0]:
        return "left"
    if columns.min() > MIDDLE[0] and columns.mean() > MIDDLE[1]:
        return "right"
    return ""


def _colour(picture: NDArray[np.uint8], thing: Thing) -> str:
    """Colour word of a thing; of a person's shirt."""
    person = thing.category == "person"
    return colour_word(picture, _upper_half(thing.mask) if person else thing.mask)


def _centre_x(mask: NDArray[np.bool_]) -> float:
    return float(np.nonzero(mask)[1].mean())


def _upper_half(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of a person between a fifth and a half of its height: mostly the shirt."""
    rows = np.nonzero(mask.any(axis=1))[0]
    if len(rows) == 0:
        return mask
    top, bottom = rows[0], rows[-1] + 1
    part = np.zeros_like(mask)
    part[top + (bottom - top) // 5 : top + (bottom - top) // 2] = True
    return mask & part
