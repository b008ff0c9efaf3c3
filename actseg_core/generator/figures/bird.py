"""Birds: body, head with beak, two wings of two segments, tail, legs."""

import numpy as np

from actseg_core.generator.canvas import Canvas, Sprite
from actseg_core.generator.figures.base import Motion, texture_side
from actseg_core.generator.looks import Look
from actseg_core.generator.palette import shade_of
from actseg_core.generator.scenery import sheet
from actseg_core.generator.skeleton import Part, Pose, Track

LEG = 0.2


class Bird:
    """A bird seen from the side, facing right; one unit is beak to tail."""

    def __init__(self, look: Look, scale: float, rng: np.random.Generator) -> None:
        self.look = look
        self._scale = scale
        self._rng = rng
        base = shade_of(look.colour, rng)
        other = look.second or look.colour
        side = texture_side(scale)
        self._plumage = sheet(rng, side, base, roughness=0.12, grain_px=4.0)
        self._wing_paint = sheet(
            rng, side, shade_of(other, rng), pattern="feathers", roughness=0.12, grain_px=4.0
        )
        beak = "orange" if look.kind == "duck" else "black" if look.kind == "parrot" else "yellow"
        self._beak = shade_of(beak, rng)
        self.parts = self._build()

    def _canvas(self, x0: float, y0: float, x1: float, y1: float) -> Canvas:
        return Canvas((x0, y0, x1, y1), self._scale, self._rng)

    def _build(self) -> tuple[Part, ...]:
        parts = [
            Part("body", self._body(), depth=5),
            Part("tail", self._tail(), "body", (-0.25, 0.0), depth=4),
            Part("head", self._head(), "body", (0.24, -0.1), depth=6),
        ]
        for side, depth, tone in (("far", 1, 0.7), ("near", 8, 1.0)):
            inner, outer = self._wing(tone)
            parts.append(Part(f"{side}_wing", inner, "body", (0.1, -0.06), depth=depth))
            parts.append(Part(f"{side}_tip", outer, f"{side}_wing", (-0.02, -0.31), depth=depth))
            joint = (0.03 if side == "near" else 0.0, 0.13)
            parts.append(Part(f"{side}_leg", self._leg(tone), "body", joint, depth=3))
        return tuple(parts)

    def _body(self) -> Sprite:
        canvas = self._canvas(-0.34, -0.2, 0.32, 0.22)
        outline = [
            (-0.34, 0.0),
            (-0.12, -0.17),
            (0.16, -0.2),
            (0.32, -0.08),
            (0.25, 0.13),
            (0, 0.21),
        ]
        return canvas.blob([*outline, (-0.2, 0.13)], self._plumage).finish(0.45)

    def _head(self) -> Sprite:
        parrot, duck = self.look.kind == "parrot", self.look.kind == "duck"
        r = 0.125 if parrot else 0.105
        canvas = self._canvas(-r * 1.3, -r * 2.2, r * 3.0, r * 1.2)
        y = -r * 0.7
        if duck:
            bill = [(r * 0.5, y - r * 0.1), (r * 2.2, y + r * 0.25), (r * 2.2, y + r * 0.5)]
            canvas.polygon([*bill, (r * 0.5, y + r * 0.6)], self._beak)
        elif parrot:
            hook = [(r * 0.5, y - r * 0.5), (r * 1.6, y - r * 0.1), (r * 1.4, y + r * 0.9)]
            canvas.blob([*hook, (r * 0.6, y + r * 0.5)], self._beak)
        else:
            canvas.polygon(
                [(r * 0.6, y - r * 0.3), (r * 2.1, y + r * 0.1), (r * 0.6, y + r * 0.4)],
                self._beak,
            )
        canvas.capsule((0, 0), (0, y), r * 0.85, r, self._plumage)
        canvas.ellipse((r * 0.4, y - r * 0.2), (r * 0.22, r * 0.22), (245, 240, 225))
        canvas.ellipse((r * 0.44, y - r * 0.2), (r * 0.13, r * 0.15), (15, 15, 15))
        return canvas.finish(0.3)

    def _wing(self, tone: float) -> tuple[Sprite, Sprite]:
        """Both segments point up when spread; folding turns them backwards."""
        inner = self._canvas(-0.36, -0.36, 0.14, 0.06)
        arm = [(0.12, 0.04), (0.12, -0.18), (0.06, -0.36), (-0.2, -0.36)]
        inner.blob([*arm, (-0.36, -0.12), (-0.24, 0.04)], self._wing_paint)
        outer = self._canvas(-0.34, -0.46, 0.12, 0.06)
        hand = [(0.1, 0.05), (0.08, -0.2), (-0.12, -0.46), (-0.22, -0.34)]
        outer.blob([*hand, (-0.3, -0.16), (-0.28, 0.04)], self._wing_paint)
        return inner.finish(0.3, tone), outer.finish(0.3, tone * 0.95)

    def _tail(self) -> Sprite:
        length = 0.45 if self.look.kind == "parrot" else 0.26
        canvas = self._canvas(-length, -0.08, 0.06, 0.1)
        fan = [(0.05, -0.07), (0.05, 0.06), (-length, 0.08), (-length, -0.02)]
        return canvas.polygon(fan, self._wing_paint).finish(0.3)

    def _leg(self, tone: float) -> Sprite:
        canvas = self._canvas(-0.05, -0.02, 0.1, LEG + 0.03)
        orange = (215, 140, 50)
        canvas.line([(0, 0), (0, LEG)], 0.035, orange)
        canvas.line([(-0.03, LEG), (0.08, LEG)], 0.03, orange)
        return canvas.finish(0.0, tone)

    def pose(self, motion: Motion) -> Pose:
        """Joint angles for a motion; the root is the middle of the body."""
        angles: dict[str, Track] = {
            "head": 0.05 * motion.wave(0.25),
            "tail": motion.constant(-0.1),
        }
        stretch: dict[str, Track] = {}
        lift, tilt = motion.constant(LEG + 0.13), motion.constant(-0.25)
        if motion.family == "air":
            self._spread(motion, angles, stretch)
            tilt = motion.constant(-0.1)
            lift = motion.constant(0.3)
        else:
            self._fold(motion, angles, stretch)
            for side, offset in (("near", 0.0), ("far", 0.5)):
                stride = 0.15 + 0.6 * motion.swing
                angles[f"{side}_leg"] = -stride * motion.wave(offset) + 0.25
        if motion.family == "eat":
            peck = 0.5 + 0.5 * motion.wave()
            tilt = 0.3 + 0.4 * peck
            angles["head"] = 0.4 + 0.3 * peck
            angles["near_leg"] = -tilt + 0.1
            angles["far_leg"] = -tilt - 0.1
        elif motion.family == "climb":
            tilt = motion.constant(-1.2)
        elif motion.family == "roll":
            tilt, lift = motion.spin, motion.constant(0.2)
        return Pose(angles, lift, tilt, stretch)

    def _fold(self, motion: Motion, angles: dict[str, Track], stretch: dict[str, Track]) -> None:
        """Wings lie along the body, one segment over the other."""
        for side in ("near", "far"):
            angles[f"{side}_wing"] = motion.constant(-1.5)
            angles[f"{side}_tip"] = motion.constant(0.1)
            stretch[f"{side}_wing"] = np.full((len(motion), 2), (0.7, 0.72))

    def _spread(self, motion: Motion, angles: dict[str, Track], stretch: dict[str, Track]) -> None:
        """Wings beat by shortening to and fro across the body; legs are tucked.

        A wing is never seen exactly edge-on, and a gliding or posing bird holds it well open.
        """
        beat = motion.wave()
        least = 0.2 if np.ptp(motion.phase) > 0.3 else 0.55
        beat = np.where(beat < 0, np.minimum(beat, -least), np.maximum(beat, least))
        for side in ("near", "far"):
            stretch[f"{side}_wing"] = np.stack([motion.constant(1.0), beat], axis=1)
            angles[f"{side}_wing"] = motion.constant(-0.25 if side == "near" else 0.2)
            angles[f"{side}_tip"] = motion.constant(-0.3)
            angles[f"{side}_leg"] = motion.constant(1.3)
