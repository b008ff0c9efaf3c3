"""Adults and babies: head, torso, arms and legs of two segments each."""

from dataclasses import dataclass

import numpy as np

from actseg_core.generator.canvas import Canvas, Sprite
from actseg_core.generator.figures.base import Image, Motion, darker, texture_side
from actseg_core.generator.looks import Look
from actseg_core.generator.palette import HAIRS, RGB, SKINS, pick, shade_of
from actseg_core.generator.scenery import sheet
from actseg_core.generator.skeleton import Part, Pose, Track


@dataclass(frozen=True)
class Proportions:
    """Lengths in units of body height."""

    head: float
    torso: float
    leg: float
    arm: float
    girth: float


ADULT = Proportions(head=0.135, torso=0.31, leg=0.49, arm=0.36, girth=0.062)
BABY = Proportions(head=0.24, torso=0.34, leg=0.31, arm=0.29, girth=0.092)


class Human:
    """A person seen from the side (facing right) or from the front."""

    def __init__(self, look: Look, scale: float, rng: np.random.Generator) -> None:
        self.look = look
        self._p = BABY if look.actor == "baby" else ADULT
        self._scale = scale
        self._rng = rng
        self._front = look.view == "front"
        side = texture_side(scale)
        cloth = shade_of(look.colour, rng)
        self._shirt = sheet(rng, side, cloth, pattern=look.pattern, roughness=0.1)
        legs = cloth if look.dress else shade_of(look.second, rng)
        self._trousers = sheet(rng, side, legs, roughness=0.12)
        self._skin = pick(rng, SKINS)
        self._hair = pick(rng, HAIRS)
        self._shoe = darker(pick(rng, HAIRS), 0.8)
        self._bare_arms = rng.random() < 0.45
        self._bare_legs = look.dress or rng.random() < 0.25
        self.parts = self._build()

    @property
    def grip(self) -> tuple[str, tuple[float, float]]:
        """The part that holds things, and where on it [units]."""
        return "near_hand", (0.0, 0.48 * self._p.arm + 0.4 * self._p.girth)

    def _canvas(self, x0: float, y0: float, x1: float, y1: float) -> Canvas:
        return Canvas((x0, y0, x1, y1), self._scale, self._rng)

    def _build(self) -> tuple[Part, ...]:
        p = self._p
        shoulder = -0.86 * p.torso
        width = 1.9 * p.girth if self._front else 0.0
        hips = 0.75 * p.girth if self._front else 0.0
        parts = [Part("torso", self._torso(), depth=5)]
        if self.look.dress:
            parts.append(Part("skirt", self._skirt(), depth=6))
        parts.append(Part("head", self._head(), "torso", (0.0, -p.torso), depth=7))
        for side, sign, depth, tone in (("far", -1, 1, 0.72), ("near", 1, 8, 1.0)):
            tone = 1.0 if self._front else tone
            arm_depth = 4 if self._front else depth
            upper, lower = self._arm(tone)
            joint = (sign * width, shoulder)
            parts.append(Part(f"{side}_arm", upper, "torso", joint, depth=arm_depth))
            elbow = (0.0, 0.48 * p.arm)
            parts.append(Part(f"{side}_hand", lower, f"{side}_arm", elbow, depth=arm_depth))
            thigh, shin = self._leg(tone)
            leg_depth = 3 if side == "near" or self._front else 2
            parts.append(Part(f"{side}_leg", thigh, None, (sign * hips, 0.0), depth=leg_depth))
            knee = (0.0, 0.5 * p.leg)
            parts.append(Part(f"{side}_foot", shin, f"{side}_leg", knee, depth=leg_depth))
        return tuple(parts)

    def _torso(self) -> Sprite:
        p = self._p
        wide = 1.75 if self._front else 1.12
        g, top = p.girth * wide, -p.torso
        canvas = self._canvas(-g * 1.3, top - 0.06, g * 1.3, 0.1)
        canvas.capsule((0, top - 0.04), (0, top + 0.04), 0.03, 0.035, darker(self._skin, 0.9))
        outline = [
            *(
                (-g * 0.9, top + 0.02),
                (0, top - 0.01),
                (g * 0.9, top + 0.02),
                (g * 1.15, top * 0.6),
            ),
            *((g * 0.95, top * 0.25), (g, 0.05), (0, 0.07), (-g, 0.05)),
            *((-g * 0.95, top * 0.25), (-g * 1.15, top * 0.6)),
        ]
        canvas.blob(outline, self._shirt)
        if not self.look.dress:
            belt = [(-g, 0.0), (g, 0.0), (g * 1.02, 0.06), (0, 0.08), (-g * 1.02, 0.06)]
            canvas.polygon(belt, self._trousers)
        return canvas.finish(0.4)

    def _skirt(self) -> Sprite:
        p = self._p
        g = p.girth * (1.6 if self._front else 1.2)
        length = 0.5 * p.leg
        canvas = self._canvas(-g * 2, -0.06, g * 2, length + 0.02)
        hem = [(-g, -0.05), (g, -0.05), (g * 1.8, length), (0, length * 1.03), (-g * 1.8, length)]
        return canvas.polygon(hem, self._shirt).finish(0.3)

    def _head(self) -> Sprite:
        p = self._p
        r = 0.5 * p.head
        y = -r * 0.95
        long_hair = self.look.kind in ("woman", "girl")
        canvas = self._canvas(-r * 1.6, y - r * 1.6, r * 1.6, r * 1.6)
        if long_hair:
            drop = [(-r * 1.1, y - r * 0.6), (r * 0.3, y - r * 0.9), (0, y), (-r * 0.1, r * 0.9)]
            canvas.blob([*drop, (-r * 0.9, r * 1.2)], self._hair)
        canvas.ellipse((0, y), (r * 0.82, r), self._skin)
        canvas.blob(
            [
                *((-r, y + r * 0.3), (-r * 1.05, y - r * 0.9), (0, y - r * 1.3)),
                *((r * 1.05, y - r * 0.8), (r * 0.5, y - r * 0.35), (-r * 0.4, y - r * 0.3)),
            ],
            self._hair,
        )
        self._face(canvas, r, y)
        if self.look.hat:
            hat = shade_of(self.look.hat, self._rng)
            crown = [(-r, y - r * 0.4), (-r * 0.8, y - r * 1.5), (r * 0.8, y - r * 1.5)]
            canvas.blob([*crown, (r, y - r * 0.4)], hat)
            canvas.capsule((-r * 0.7, y - r * 0.5), (r * 1.4, y - r * 0.5), 0.1 * r, 0.1 * r, hat)
        return canvas.finish(0.25)

    def _face(self, canvas: Canvas, r: float, y: float) -> None:
        dark = (45, 30, 28)
        if self._front:
            for sign in (-1, 1):
                canvas.ellipse((sign * r * 0.32, y + r * 0.05), (r * 0.1, r * 0.1), dark)
            canvas.line(
                [(-r * 0.25, y + r * 0.55), (r * 0.25, y + r * 0.55)], r * 0.1, (150, 70, 70)
            )
            return
        nose = [(r * 0.7, y), (r * 1.02, y + r * 0.25), (r * 0.7, y + r * 0.35)]
        canvas.polygon(nose, darker(self._skin, 0.95))
        canvas.ellipse((r * 0.48, y - r * 0.02), (r * 0.1, r * 0.12), dark)
        canvas.ellipse((-r * 0.15, y + r * 0.1), (r * 0.14, r * 0.2), darker(self._skin, 0.8))
        canvas.line([(r * 0.4, y + r * 0.58), (r * 0.72, y + r * 0.55)], r * 0.1, (150, 70, 70))

    def _arm(self, tone: float) -> tuple[Sprite, Sprite]:
        p = self._p
        length, r = 0.48 * p.arm, 0.52 * p.girth
        upper = self._canvas(-r, -r, r, length + r)
        upper.capsule((0, 0), (0, length), r, r * 0.8, self._shirt)
        lower = self._canvas(-r * 1.2, -r, r * 1.2, length + r * 2.4)
        paint: Image | RGB = self._skin if self._bare_arms else self._shirt
        lower.capsule((0, 0), (0, length), r * 0.8, r * 0.62, paint)
        lower.ellipse((0, length + r * 0.6), (r * 0.75, r), self._skin)
        return upper.finish(0.4, tone), lower.finish(0.4, tone)

    def _leg(self, tone: float) -> tuple[Sprite, Sprite]:
        p = self._p
        length, r = 0.5 * p.leg, 0.82 * p.girth
        thigh = self._canvas(-r, -r, r, length + r)
        thigh.capsule((0, 0), (0, length), r, r * 0.72, self._trousers)
        paint: Image | RGB = self._skin if self._bare_legs else self._trousers
        shin = self._canvas(-r, -r, r * 2.2, length + r)
        shin.capsule((0, 0), (0, length * 0.92), r * 0.72, r * 0.48, paint)
        if self._front:
            shin.ellipse((0, length * 0.97), (r * 0.7, r * 0.55), self._shoe)
        else:
            sole = [(-r * 0.6, length * 0.82), (r * 0.5, length * 0.82), (r * 1.8, length * 0.95)]
            shin.blob([*sole, (r * 1.8, length * 1.04), (-r * 0.7, length * 1.04)], self._shoe)
        return thigh.finish(0.4, tone), shin.finish(0.4, tone)

    def pose(self, motion: Motion) -> Pose:
        """Joint angles for a motion; the root is the pelvis."""
        make = {"crawl": self._crawl, "climb": self._climb, "roll": self._tuck, "eat": self._eat}
        if self._front and motion.family == "stand":
            return self._stand_front(motion)
        return make.get(motion.family, self._stand)(motion)

    def _stand(self, motion: Motion) -> Pose:
        angles: dict[str, Track] = {"torso": motion.constant(0.05 + 0.12 * motion.bend)}
        stride = 0.15 + 0.6 * motion.swing
        for side, offset in (("near", 0.0), ("far", 0.5)):
            swing = motion.wave(offset)
            rising = motion.wave(offset + 0.25)
            angles[f"{side}_leg"] = -stride * swing - 0.1
            angles[f"{side}_foot"] = 0.12 + 1.2 * stride * np.maximum(0.0, rising)
            angles[f"{side}_arm"] = 0.9 * stride * swing
            angles[f"{side}_hand"] = motion.constant(-0.2 - 1.3 * motion.bend) - 0.2 * swing
        reach = 0.5 * self._p.leg * (np.cos(angles["near_leg"]) + 1.0)
        other = 0.5 * self._p.leg * (np.cos(angles["far_leg"]) + 1.0)
        lift = np.maximum(reach, other)
        return Pose(angles, lift, motion.constant(0.0))

    def _stand_front(self, motion: Motion) -> Pose:
        angles: dict[str, Track] = {}
        stretch: dict[str, Track] = {}
        reach = 0.1 + 0.3 * motion.swing
        for side, sign, offset in (("near", 1, 0.0), ("far", -1, 0.5)):
            swing = motion.wave(offset)
            angles[f"{side}_arm"] = -sign * (0.12 + 0.25 * motion.bend) + 0.1 * swing
            angles[f"{side}_hand"] = sign * 0.25 * motion.bend + 0.1 * swing
            angles[f"{side}_leg"] = motion.constant(-sign * 0.06)
            ones = motion.constant(1.0)
            stretch[f"{side}_leg"] = np.stack([ones, 1.0 - reach * np.maximum(0, swing)], axis=1)
            stretch[f"{side}_arm"] = np.stack([ones, 1.0 - reach * np.maximum(0, -swing)], axis=1)
        angles["torso"] = 0.04 * motion.wave()
        return Pose(angles, motion.constant(self._p.leg), motion.constant(0.0), stretch)

    def _crawl(self, motion: Motion) -> Pose:
        lean = 1.35
        angles: dict[str, Track] = {"torso": motion.constant(lean)}
        angles["head"] = motion.constant(-0.75) + 0.06 * motion.wave(0.1)
        stride = 0.2 + 0.35 * motion.swing
        for side, offset in (("near", 0.0), ("far", 0.5)):
            swing = motion.wave(offset)
            angles[f"{side}_leg"] = -stride * swing
            angles[f"{side}_foot"] = 1.45 + stride * swing
            angles[f"{side}_arm"] = -lean + stride * swing
            angles[f"{side}_hand"] = -0.15 - 0.25 * np.maximum(0, motion.wave(offset + 0.75))
        lift = motion.constant(0.5 * self._p.leg + 0.3 * self._p.girth)
        return Pose(angles, lift, motion.constant(0.0))

    def _climb(self, motion: Motion) -> Pose:
        angles: dict[str, Track] = {"torso": motion.constant(0.08), "head": motion.constant(-0.3)}
        for side, offset in (("near", 0.0), ("far", 0.5)):
            swing = motion.wave(offset)
            angles[f"{side}_arm"] = -2.3 + 0.45 * swing
            angles[f"{side}_hand"] = -0.5 - 0.4 * swing
            angles[f"{side}_leg"] = -0.85 + 0.45 * swing
            angles[f"{side}_foot"] = 1.2 - 0.5 * swing
        lift = motion.constant(0.75 * self._p.leg)
        return Pose(angles, lift, motion.constant(0.0))

    def _tuck(self, motion: Motion) -> Pose:
        fold = 0.25 + 0.75 * motion.bend
        angles: dict[str, Track] = {
            "torso": motion.constant(0.5 * fold),
            "head": motion.constant(0.4 * fold),
        }
        for side, offset in (("near", 0.0), ("far", 0.12)):
            angles[f"{side}_leg"] = -1.9 * fold + 0.1 * motion.wave(offset)
            angles[f"{side}_foot"] = motion.constant(2.1 * fold)
            angles[f"{side}_arm"] = -1.3 * fold + 0.15 * motion.wave(offset)
            angles[f"{side}_hand"] = motion.constant(-0.9 * fold)
        lift = motion.constant(0.18 + 0.1 * (1.0 - fold))
        return Pose(angles, lift, motion.spin)

    def _eat(self, motion: Motion) -> Pose:
        pose = self._stand(motion)
        bite = 0.5 + 0.5 * motion.wave()
        angles = dict(pose.angles)
        for side in ("near", "far"):
            for part in ("leg", "foot"):
                angles[f"{side}_{part}"] = motion.constant(float(pose.angles[f"{side}_{part}"][0]))
        lift = motion.constant(float(pose.lift[0]))
        angles["near_arm"] = -0.55 - 0.35 * bite
        angles["near_hand"] = -1.25 - 0.95 * bite
        angles["far_arm"] = motion.constant(-0.45)
        angles["far_hand"] = motion.constant(-1.2)
        angles["head"] = 0.05 + 0.18 * bite
        return Pose(angles, lift, motion.constant(0.0))
