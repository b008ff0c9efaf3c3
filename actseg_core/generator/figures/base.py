"""What every figure offers to the renderer."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.skeleton import Part, Pose, Track

TAU = 2 * np.pi


@dataclass(frozen=True, eq=False)
class Motion:
    """What an action does over T frames, in units of the actor's size.

    Attributes:
        action: One of labels.ACTIONS.
        family: Kind of body pose: stand, crawl, climb, roll, eat or air.
        phase: (T,) progress of the limbs [cycles].
        x: (T,) sideways shift, to the right.
        up: (T,) height above the resting place.
        spin: (T,) rotation of the whole body [rad], clockwise.
        facing: (T,) 1 to the right, -1 to the left, in between while turning; never 0.
        depth: (T,) size on screen compared to the middle of the clip; grows when approaching.
        swing: How far the limbs go, 0 to 1.
        bend: How far the limbs are bent at rest, 0 to 1.
    """

    action: str
    family: str
    phase: Track
    x: Track
    up: Track
    spin: Track
    facing: Track
    depth: Track
    swing: float = 0.6
    bend: float = 0.4

    def __len__(self) -> int:
        return len(self.phase)

    def wave(self, offset: float = 0.0) -> Track:
        """(T,) sine of the limb phase, shifted by `offset` cycles."""
        return np.asarray(np.sin(TAU * (self.phase + offset)))

    def constant(self, value: float) -> Track:
        """(T,) of one value."""
        return np.full(len(self.phase), value)


class Figure(Protocol):
    """An actor that can be posed."""

    parts: tuple[Part, ...]

    def pose(self, motion: Motion) -> Pose:
        """Joint angles for a motion."""
        ...


def texture_side(scale: float) -> int:
    """Side [px] of a material sheet large enough for a part of one unit at `scale` px."""
    return int(np.clip(scale * 2.3, 64, 420))


def darker(colour: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    """A colour at another brightness."""
    red, green, blue = (int(min(255, max(0, value * factor))) for value in colour)
    return red, green, blue


Image = NDArray[np.uint8]
