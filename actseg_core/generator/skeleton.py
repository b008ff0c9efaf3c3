"""Figures of rigid parts on joints, and where each part is at each time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.canvas import Point, Sprite

Track = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """A drawn piece that turns about its joint on its parent.

    Attributes:
        name: Unique in the figure.
        sprite: What it looks like.
        parent: Name of the part it hangs on, or None for the figure's root.
        joint: Where its origin sits in the parent's frame [units].
        depth: Painted in rising order.
        solid: Whether it hides what is behind it (shine and shade do not).
        carried: Whether it is a thing of its own and no part of the actor's mask.
    """

    name: str
    sprite: Sprite
    parent: str | None = None
    joint: Point = (0.0, 0.0)
    depth: int = 0
    solid: bool = True
    carried: bool = False


@dataclass(frozen=True, eq=False)
class Pose:
    """How a figure moves its parts over T frames.

    Attributes:
        angles: Part -> (T,) rotation about its joint [rad], clockwise on screen.
        stretch: Part -> (T, 2) scale of the part and all that hangs on it.
        shear: Part -> (T,) sideways shift per unit downwards.
        lift: (T,) height of the root above the ground [units].
        tilt: (T,) rotation of the whole figure about its root [rad], clockwise.
    """

    angles: Mapping[str, Track]
    lift: Track
    tilt: Track
    stretch: Mapping[str, Track] = field(default_factory=dict)
    shear: Mapping[str, Track] = field(default_factory=dict)


def affine(a: Track, b: Track, c: Track, d: Track, x: Track, y: Track) -> Track:
    """(T, 3, 3) matrices [[a, b, x], [c, d, y], [0, 0, 1]] from (T,) entries."""
    a, b, c, d, x, y = np.broadcast_arrays(a, b, c, d, x, y)
    matrix = np.zeros((*a.shape, 3, 3))
    matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 0, 2] = a, b, x
    matrix[..., 1, 0], matrix[..., 1, 1], matrix[..., 1, 2] = c, d, y
    matrix[..., 2, 2] = 1.0
    return matrix


def turn(angle: Track, x: Track | float = 0.0, y: Track | float = 0.0) -> Track:
    """(T, 3, 3) rotations by `angle` [rad] (clockwise with y down), then a shift."""
    c, s = np.cos(angle), np.sin(angle)
    return affine(c, -s, s, c, np.asarray(x, float), np.asarray(y, float))


def place(parts: tuple[Part, ...], root: Track, pose: Pose) -> list[Track]:
    """Where every part is at every time.

    Args:
        parts: The figure's parts, parents first.
        root: (T, 3, 3) from the figure's units to the world [px].
        pose: Joint angles and stretches.

    Returns:
        Per part, (T, 3, 3) from its sprite's pixels to the world [px].
    """
    frames: dict[str, Track] = {}
    placed = []
    still = np.zeros(root.shape[0])
    for part in parts:
        base = root if part.parent is None else frames[part.parent]
        frame = base @ turn(pose.angles.get(part.name, still), *part.joint)
        scale = pose.stretch.get(part.name)
        if scale is not None:
            frame = frame @ affine(scale[:, 0], still, still, scale[:, 1], still, still)
        shear = pose.shear.get(part.name)
        if shear is not None:
            frame = frame @ affine(still + 1.0, shear, still, still + 1.0, still, still)
        frames[part.name] = frame
        to_units = np.diag([1 / part.sprite.scale, 1 / part.sprite.scale, 1.0])
        to_units[:2, 2] = -np.array(part.sprite.origin) / part.sprite.scale
        placed.append(frame @ to_units)
    return placed
