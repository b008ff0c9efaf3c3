"""Right or wrong by boxes drawn by hand, for clips that nobody has masks of. [ours]

Each actor has a box around all of it and a core: a box in which nearly every pixel is the actor's
own (a person's trunk). A mask is right when it is where the actor is, holds the actor's core, and
leaves the others alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

INSIDE_SHARE = 0.8
CORE_SHARE = 0.4
OTHERS_SHARE = 0.2

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom [px]
Verdict = Literal["right", "missed", "not there but marked", "beside", "in part", "others too"]


@dataclass(frozen=True)
class Box:
    """An actor in a frame.

    Attributes:
        outer: Around all of it.
        core: Where nearly every pixel is the actor's own.
    """

    outer: Rectangle
    core: Rectangle

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Box":
        """From 4 numbers (the core is the middle half in x and y) or 8.

        Raises:
            ValueError: If there is another number of them, or a rectangle has no area.
        """
        if len(numbers) not in (4, 8):
            raise ValueError(f"a box has 4 numbers, or 8 with its core, got {list(numbers)}")
        left, top, right, bottom = numbers[:4]
        if not all(map(math.isfinite, numbers)) or right <= left or bottom <= top:
            raise ValueError(f"a box is left, top, right, bottom [px], got {list(numbers)}")
        width, height = right - left, bottom - top
        core = tuple(numbers[4:]) or (
            left + width / 4,
            top + height / 4,
            right - width / 4,
            bottom - height / 4,
        )
        return cls((left, top, right, bottom), (core[0], core[1], core[2], core[3]))


def judge(
    mask: NDArray[np.bool_],
    meant: Sequence[Box],
    others: Sequence[Box] = (),
    at_least: int | None = None,
) -> Verdict:
    """Whether a mask marks the actors meant and nobody else.

    Args:
        mask: (H, W) bool.
        meant: Whom the sentence means; nobody: the mask must be empty.
        others: Who must not be marked. Whoever may be marked or not is in neither list.
        at_least: How many of those meant must be marked; None: all.

    Returns:
        "right" if at least INSIDE_SHARE of the mask is inside the boxes of those meant, CORE_SHARE
        of each one's core is marked, and of the others neither OTHERS_SHARE of a core (outside
        the cores of those meant) is marked nor does OTHERS_SHARE of the mask lie in their boxes
        (outside the boxes of those meant); else what is wrong first.
    """
    area = int(np.count_nonzero(mask))
    if not meant:
        return "not there but marked" if area else "right"
    if not area:
        return "missed"
    boxes = _union(mask.shape, [box.outer for box in meant])
    cores = _union(mask.shape, [box.core for box in meant])
    foreign = _union(mask.shape, [box.outer for box in others]) & ~boxes
    touched = (_share(mask, _union(mask.shape, [box.core]) & ~cores) for box in others)
    if np.count_nonzero(mask & foreign) >= OTHERS_SHARE * area or any(
        share >= OTHERS_SHARE for share in touched
    ):
        return "others too"
    if np.count_nonzero(mask & boxes) < INSIDE_SHARE * area:
        return "beside"
    marked = sum(_share(mask, _union(mask.shape, [box.core])) >= CORE_SHARE for box in meant)
    needed = len(meant) if at_least is None else at_least
    return "right" if marked >= needed else "in part"


def marks_the_one(
    mask: NDArray[np.bool_], meant: NDArray[np.bool_], other: NDArray[np.bool_]
) -> bool:
    """Whether a mask marks the right one of two, whose true masks (H, W) are known.

    It does if INSIDE_SHARE of its pixels on the two are on the one who is meant, and a fifth of
    that one is marked; how well is not asked.
    """
    on_meant = int(np.count_nonzero(mask & meant))
    on_other = int(np.count_nonzero(mask & other))
    mostly = on_meant >= INSIDE_SHARE * (on_meant + on_other)
    return on_meant > 0 and mostly and on_meant >= int(np.count_nonzero(meant)) / 5


def _union(shape: tuple[int, ...], rectangles: Sequence[Rectangle]) -> NDArray[np.bool_]:
    region = np.zeros(shape, np.bool_)
    for left, top, right, bottom in rectangles:
        region[round(max(0, top)) : round(bottom), round(max(0, left)) : round(right)] = True
    return region


def _share(mask: NDArray[np.bool_], region: NDArray[np.bool_]) -> float:
    """Share of a region that is marked; 0 of an empty one."""
    pixels = np.count_nonzero(region)
    return np.count_nonzero(mask & region) / pixels if pixels else 0.0
