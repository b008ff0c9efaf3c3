"""Dogs and cats: body, neck and head, four legs of two segments, tail."""

from dataclasses import dataclass

import numpy as np

from actseg_core.generator.canvas import Canvas, Sprite
from actseg_core.generator.figures.base import Motion, darker, texture_side
from actseg_core.generator.looks import Look
from actseg_core.generator.palette import pick, shade_of
from actseg_core.generator.scenery import sheet
from actseg_core.generator.skeleton import Part, Pose, Track

LEGS = (
    ("near_front", 0.27, 0.0, 8, 1.0),
    ("near_hind", -0.27, 0.5, 8, 1.0),
    ("far_front", 0.31, 0.5, 1, 0.65),
    ("far_hind", -0.22, 0.0, 1, 0.65),
)
"""Name, place along the body, phase offset, depth, tone."""


@dataclass(frozen=True)
class Build:
    """Lengths in units of body length without tail."""

    leg: float
    thickness: float
    girth: float
    head: float
    snout: float
    tail: float


class Quadruped:
    """A dog or a cat seen from the side, facing right."""

    def __init__(self, look: Look, scale: float, rng: np.random.Generator) -> None:
        self.look = look
        self._scale = scale
        self._rng = rng
        self._cat = look.actor == "cat"
        if self._cat:
            self._b = Build(0.4, 0.055, 0.155, 0.125, 0.05, 0.34)
        else:
            leg = float(rng.uniform(0.38, 0.52))
            self._b = Build(leg, 0.06, 0.17, 0.115, float(rng.uniform(0.1, 0.17)), 0.2)
        self._floppy = bool(rng.random() < 0.65)
        base = shade_of(look.colour, rng, fur=True)
        second = shade_of(look.second, rng, fur=True) if look.second else None
        side = texture_side(scale)
        self._fur = sheet(
            rng, side, base, second=second, pattern=look.pattern, roughness=0.13, grain_px=3.0
        )
        self._plain = sheet(rng, side, base, roughness=0.13, grain_px=3.0)
        self._paw = second or base
        self._offsets = pick(
            rng, ((0.0, 0.5, 0.5, 0.0), (0.0, 0.25, 0.5, 0.75), (0, 0.5, 0.1, 0.6))
        )
        self.parts = self._build()

    def _canvas(self, x0: float, y0: float, x1: float, y1: float) -> Canvas:
        return Canvas((x0, y0, x1, y1), self._scale, self._rng)

    def _build(self) -> tuple[Part, ...]:
        b = self._b
        tail, tip = self._tail()
        parts = [
            Part("body", self._body(), depth=5),
            Part("tail", tail, "body", (-0.4, -0.5 * b.girth), depth=4),
            Part("tip", tip, "tail", (0.0, 0.5 * b.tail), depth=4),
            Part("neck", self._neck(), "body", (0.36, -0.35 * b.girth), depth=6),
            Part("head", self._head(), "neck", (0.0, 0.17), depth=7),
        ]
        for name, x, _, depth, tone in LEGS:
            upper, lower = self._leg(tone)
            parts.append(Part(name, upper, "body", (x, 0.4 * b.girth), depth=depth))
            parts.append(Part(f"{name}_paw", lower, name, (0.0, 0.5 * b.leg), depth=depth))
        return tuple(sorted(parts, key=lambda part: part.name not in ("body",)))

    def _body(self) -> Sprite:
        g = self._b.girth
        canvas = self._canvas(-0.52, -g * 1.3, 0.52, g * 1.3)
        back = [
            (-0.5, -g * 0.2),
            (-0.42, -g * 1.05),
            (-0.1, -g * 0.92),
            (0.2, -g),
            (0.46, -g * 0.9),
        ]
        belly = [
            (0.5, g * 0.2),
            (0.38, g * 1.1),
            (0.05, g * 0.95),
            (-0.2, g * 0.72),
            (-0.42, g * 0.9),
        ]
        return canvas.blob([*back, *belly], self._fur).finish(0.45)

    def _neck(self) -> Sprite:
        r = 0.62 * self._b.girth
        canvas = self._canvas(-r, -r, r, 0.17 + r)
        return canvas.capsule((0, 0), (0, 0.17), r, r * 0.75, self._fur).finish(0.4)

    def _head(self) -> Sprite:
        """The head looks along +x with the neck coming from below."""
        b, r = self._b, self._b.head
        reach = r * 0.9 + b.snout
        canvas = self._canvas(-r * 1.5, -r * 2.1, reach + r * 0.7, r * 1.6)
        nose = (40, 32, 32)
        if self._cat:
            for x in (-r * 0.55, r * 0.3):
                canvas.polygon(
                    [(x - r * 0.4, -r * 0.5), (x, -r * 1.75), (x + r * 0.5, -r * 0.6)], self._plain
                )
            canvas.ellipse((0, 0), (r * 1.08, r), self._plain)
            canvas.ellipse((r * 0.72, r * 0.3), (b.snout + r * 0.25, r * 0.42), self._paw)
            canvas.ellipse((r * 0.95, r * 0.12), (r * 0.14, r * 0.1), (200, 120, 120))
            canvas.ellipse((r * 0.42, -r * 0.18), (r * 0.2, r * 0.22), (190, 190, 70))
            canvas.ellipse((r * 0.46, -r * 0.18), (r * 0.08, r * 0.2), nose)
            return canvas.finish(0.3)
        canvas.capsule((0, r * 0.1), (reach, r * 0.4), r * 0.8, r * 0.42, self._plain)
        canvas.ellipse((0, 0), (r, r), self._plain)
        canvas.ellipse((reach + r * 0.25, r * 0.22), (r * 0.2, r * 0.17), nose)
        canvas.ellipse((r * 0.5, -r * 0.2), (r * 0.15, r * 0.16), nose)
        canvas.line([(reach * 0.55, r * 0.68), (reach, r * 0.66)], r * 0.1, nose)
        if self._floppy:
            ear = [(-r * 0.5, -r * 0.8), (r * 0.2, -r * 0.7), (0, r * 0.6), (-r * 0.5, r * 0.9)]
            canvas.blob([*ear, (-r * 0.8, 0)], darker(self._ear(), 0.7))
        else:
            canvas.polygon(
                [(-r * 0.7, -r * 0.5), (-r * 0.3, -r * 1.9), (r * 0.3, -r * 0.7)], self._plain
            )
        return canvas.finish(0.3)

    def _ear(self) -> tuple[int, int, int]:
        red, green, blue = self._plain.reshape(-1, 3).mean(axis=0).astype(int).tolist()
        return red, green, blue

    def _leg(self, tone: float) -> tuple[Sprite, Sprite]:
        b = self._b
        length, r = 0.5 * b.leg, b.thickness
        upper = self._canvas(-r * 1.6, -r * 1.6, r * 1.6, length + r)
        upper.capsule((0, 0), (0, length), r * 1.5, r * 0.85, self._fur)
        lower = self._canvas(-r, -r, r * 2, length + r)
        lower.capsule((0, 0), (0, length * 0.9), r * 0.85, r * 0.65, self._plain)
        lower.ellipse((r * 0.35, length * 0.95), (r * 1.0, r * 0.6), self._paw)
        return upper.finish(0.22, tone), lower.finish(0.3, tone)

    def _tail(self) -> tuple[Sprite, Sprite]:
        length, r = 0.5 * self._b.tail, 0.03 if self._cat else 0.038
        first = self._canvas(-r, -r, r, length + r)
        first.capsule((0, 0), (0, length), r, r * 0.9, self._plain)
        second = self._canvas(-r, -r, r, length + r)
        second.capsule((0, 0), (0, length), r * 0.9, r * 0.5, self._fur)
        return first.finish(), second.finish()

    def pose(self, motion: Motion) -> Pose:
        """Joint angles for a motion; the root is the middle of the body."""
        make = {"crawl": self._crawl, "climb": self._climb, "roll": self._roll, "eat": self._eat}
        return make.get(motion.family, self._stand)(motion)

    def _height(self) -> float:
        return self._b.leg + 0.4 * self._b.girth

    def _upper(self, motion: Motion, neck: float = -2.3) -> dict[str, Track]:
        """Neck (pointing up and forward), head level, tail."""
        return {
            "neck": neck + 0.08 * motion.wave(0.2),
            "head": motion.constant(-neck + 0.05) - 0.08 * motion.wave(0.2),
            "tail": (1.9 if self._cat else 2.2) + 0.25 * motion.wave(0.35),
            "tip": (0.5 if self._cat else 0.2) + 0.3 * motion.wave(0.5),
        }

    def _legs(self, motion: Motion, stride: float, rest: float = 0.0) -> dict[str, Track]:
        angles: dict[str, Track] = {}
        for (name, *_), offset in zip(LEGS, self._offsets, strict=True):
            swing = motion.wave(offset)
            lifted = np.maximum(0.0, motion.wave(offset + 0.25))
            hind = "hind" in name
            angles[name] = -stride * swing + (-rest if not hind else rest * 0.4)
            fold = (0.25 + 0.9 * stride * lifted) + 1.4 * rest
            angles[f"{name}_paw"] = fold if not hind else -0.6 * fold
        return angles

    def _stand(self, motion: Motion) -> Pose:
        angles = self._upper(motion) | self._legs(motion, 0.12 + 0.55 * motion.swing)
        angles["body"] = 0.03 * motion.wave(0.1)
        return Pose(angles, motion.constant(self._height() - 0.03), motion.constant(0.0))

    def _crawl(self, motion: Motion) -> Pose:
        angles = self._upper(motion, -1.75)
        angles |= self._legs(motion, 0.12 + 0.3 * motion.swing, rest=0.9)
        lift = 0.55 * self._b.leg + 0.5 * self._b.girth
        return Pose(angles, motion.constant(lift), motion.constant(0.0))

    def _climb(self, motion: Motion) -> Pose:
        angles = self._upper(motion, -2.0) | self._legs(motion, 0.35 + 0.3 * motion.swing, 0.25)
        return Pose(angles, motion.constant(0.5), motion.constant(-1.25))

    def _roll(self, motion: Motion) -> Pose:
        angles = self._upper(motion, -2.1)
        for name, x, offset, _, _ in LEGS:
            angles[name] = -np.sign(x) * 0.3 + 0.35 * motion.wave(offset)
            angles[f"{name}_paw"] = 1.0 * np.sign(x) + 0.3 * motion.wave(offset + 0.2)
        return Pose(angles, motion.constant(self._b.girth + 0.05), motion.spin)

    def _eat(self, motion: Motion) -> Pose:
        still = self._legs(motion, 0.12 + 0.4 * motion.swing)
        angles = {name: motion.constant(float(track[0])) for name, track in still.items()}
        bite = motion.wave()
        angles |= self._upper(motion)
        angles["neck"] = -0.95 + 0.14 * bite
        angles["head"] = 1.35 + 0.2 * motion.wave(0.15)
        angles["body"] = motion.constant(0.08)
        return Pose(angles, motion.constant(self._height() - 0.04), motion.constant(0.0))
