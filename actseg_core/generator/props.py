"""Things that are no actors: shadows, what is climbed, bowls, and what stands in the way."""

from dataclasses import dataclass

import numpy as np

from actseg_core.generator.canvas import Canvas, Sprite
from actseg_core.generator.palette import RGB, pick, shade_of
from actseg_core.generator.scenery import muted, sheet
from actseg_core.generator.skeleton import Part, Track, affine


@dataclass(frozen=True, eq=False)
class Prop:
    """A thing in the world.

    Attributes:
        sprite: What is painted.
        track: (T, 3, 3) from sprite pixels to world pixels.
        solid: Whether it hides the actors behind it; a shadow does not.
    """

    sprite: Sprite
    track: Track
    solid: bool = True


def standing_at(sprite: Sprite, x: Track, y: Track, scale: Track | float = 1.0) -> Track:
    """(T, 3, 3) that puts a sprite's origin at (x, y) [world px]."""
    zero = np.zeros(len(x))
    s = zero + np.asarray(scale, float)
    origin = sprite.origin
    return affine(s, zero, zero, s, x - s * origin[0], y - s * origin[1])


def shadow(x: Track, ground: float, height: Track, size: float, wide: float) -> Prop:
    """A soft dark spot on the ground below an actor; smaller when the actor is high up.

    Args:
        x: (T,) world x [px].
        ground: World y of the ground [px].
        height: (T,) height of the actor above it [units].
        size: Pixels per unit.
        wide: Width of the spot [units].
    """
    radius = max(4, round(0.5 * wide * size))
    v, u = np.mgrid[-radius : radius + 1, -radius : radius + 1] / radius
    image = np.zeros((2 * radius + 1, 2 * radius + 1, 4), np.uint8)
    image[..., 3] = (105 * np.clip(1.15 - np.hypot(u, v * 4.0), 0.0, 1.0)).astype(np.uint8)
    sprite = Sprite(image, (float(radius), float(radius)), 1.0)
    scale = 1.0 / (1.0 + 0.6 * np.maximum(0.0, height))
    return Prop(sprite, standing_at(sprite, x, np.full(len(x), ground), scale), solid=False)


def support(
    x: float, top: float, bottom: float, size: float, frames: int, rng: np.random.Generator
) -> Prop:
    """Something to climb: pole, rope, trunk, ladder or wall, from top to bottom [world px]."""
    kind = pick(rng, ("pole", "rope", "trunk", "ladder", "wall"))
    wide = {"pole": 0.06, "rope": 0.03, "trunk": 0.18, "ladder": 0.26, "wall": 0.7}[kind] * size
    length = bottom - top
    canvas = Canvas((-wide / 2, 0.0, wide / 2, length), 1.0, rng)
    colour = shade_of("brown", rng) if kind in ("trunk", "rope", "ladder") else muted(rng)
    paint = sheet(rng, 96, colour, roughness=0.07, grain_px=5.0)
    if kind == "ladder":
        rail = max(2.0, 0.12 * wide)
        for sign in (-1, 1):
            canvas.line([(sign * wide * 0.44, 0), (sign * wide * 0.44, length)], rail, paint)
        for y in np.arange(0, length, max(6.0, 0.16 * size)):
            canvas.line([(-wide * 0.44, float(y)), (wide * 0.44, float(y))], rail, paint)
    else:
        canvas.polygon(
            [(-wide / 2, 0), (wide / 2, 0), (wide / 2, length), (-wide / 2, length)], paint
        )
    sprite = canvas.finish(0.3 if kind in ("pole", "trunk", "rope") else 0.0)
    centre = x + (wide / 2 if kind == "wall" else 0.0)
    return Prop(sprite, standing_at(sprite, np.full(frames, centre), np.full(frames, top)))


def bowl(x: float, ground: float, size: float, frames: int, rng: np.random.Generator) -> Prop:
    """A bowl of food on the ground."""
    wide = 0.3 * size
    canvas = Canvas((-wide / 2, -0.5 * wide, wide / 2, 0.0), 1.0, rng)
    canvas.ellipse((0, -0.36 * wide), (0.44 * wide, 0.12 * wide), shade_of("brown", rng))
    side = [(-0.5 * wide, -0.34 * wide), (0.5 * wide, -0.34 * wide), (0.36 * wide, 0.0)]
    canvas.polygon([*side, (-0.36 * wide, 0.0)], muted(rng))
    sprite = canvas.finish(0.3)
    return Prop(sprite, standing_at(sprite, np.full(frames, x), np.full(frames, ground)))


def food(hand: str, joint: tuple[float, float], scale: float, rng: np.random.Generator) -> Part:
    """Something to eat in a hand; painted with the figure, but no part of the actor's mask."""
    canvas = Canvas((-0.05, -0.05, 0.07, 0.07), scale, rng)
    colour: RGB = shade_of(pick(rng, ("yellow", "red", "brown", "orange", "green")), rng)
    if rng.random() < 0.5:
        canvas.capsule((-0.02, 0.0), (0.05, 0.03), 0.018, 0.014, colour)
    else:
        canvas.ellipse((0.01, 0.01), (0.035, 0.032), colour)
    return Part("food", canvas.finish(0.3), hand, joint, depth=9, carried=True)


def occluders(height: int, width: int, frames: int, rng: np.random.Generator) -> tuple[Prop, ...]:
    """One or two things between camera and actors: posts, bushes, boxes."""
    return tuple(
        _occluder(pick(rng, ("post", "bush", "box")), height, width, frames, rng)
        for _ in range(int(rng.integers(1, 3)))
    )


def _occluder(kind: str, height: int, width: int, frames: int, rng: np.random.Generator) -> Prop:
    x = rng.uniform(0.05, 0.95) * width
    if kind == "post":
        wide, high = rng.uniform(0.02, 0.06) * width, 1.6 * height
    elif kind == "bush":
        wide, high = rng.uniform(0.12, 0.25) * width, rng.uniform(0.15, 0.3) * height
    else:
        wide, high = rng.uniform(0.08, 0.18) * width, rng.uniform(0.1, 0.25) * height
    canvas = Canvas((-wide / 2, -high, wide / 2, 0.0), 1.0, rng)
    if kind == "bush":
        green = shade_of("green", rng)
        paint = sheet(rng, 128, green, pattern="patches", roughness=0.3)
        for _ in range(9):
            u, v = rng.uniform(-0.32, 0.32) * wide, rng.uniform(-0.75, -0.1) * high
            canvas.ellipse((u, v), (0.18 * wide, 0.22 * high), paint)
    else:
        paint = sheet(rng, 128, muted(rng, 40, 190), roughness=0.06, grain_px=5.0)
        canvas.polygon(
            [(-wide / 2, -high), (wide / 2, -high), (wide / 2, 0), (-wide / 2, 0)], paint
        )
    sprite = canvas.finish(0.3 if kind != "box" else 0.0)
    bottom = 1.3 * height if kind == "post" else rng.uniform(0.95, 1.1) * height
    return Prop(sprite, standing_at(sprite, np.full(frames, x), np.full(frames, bottom)))
