"""Cars with turning wheels, and balls."""

import numpy as np

from actseg_core.generator.canvas import Canvas, Sprite
from actseg_core.generator.figures.base import Image, Motion, darker, texture_side
from actseg_core.generator.looks import Look
from actseg_core.generator.palette import shade_of
from actseg_core.generator.scenery import sheet
from actseg_core.generator.skeleton import Part, Pose

WHEEL = 0.095
GLASS = (96, 118, 132)
OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "sedan": (
        *((-0.5, 0.06), (-0.5, -0.07), (-0.36, -0.1), (-0.24, -0.23), (0.08, -0.23), (0.22, -0.1)),
        *((0.46, -0.06), (0.5, 0.06)),
    ),
    "van": (
        *((-0.5, 0.06), (-0.5, -0.26), (-0.44, -0.31), (0.2, -0.31), (0.34, -0.12)),
        *((0.48, -0.08), (0.5, 0.06)),
    ),
    "truck": (
        *((-0.5, 0.06), (-0.5, -0.1), (0.05, -0.1), (0.08, -0.27), (0.26, -0.27), (0.34, -0.12)),
        *((0.48, -0.09), (0.5, 0.06)),
    ),
    "racer": (
        *(
            (-0.5, 0.05),
            (-0.5, -0.17),
            (-0.42, -0.17),
            (-0.4, -0.07),
            (-0.15, -0.15),
            (0.1, -0.08),
        ),
        *((0.5, -0.01), (0.52, 0.05)),
    ),
}
WINDOWS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "sedan": (
        ((-0.31, -0.11), (-0.22, -0.2), (-0.09, -0.2), (-0.09, -0.11)),
        ((-0.06, -0.11), (-0.06, -0.2), (0.06, -0.2), (0.17, -0.11)),
    ),
    "van": (
        ((-0.43, -0.16), (-0.43, -0.27), (-0.18, -0.27), (-0.18, -0.16)),
        ((-0.14, -0.16), (-0.14, -0.27), (0.04, -0.27), (0.04, -0.16)),
        ((0.08, -0.15), (0.08, -0.27), (0.18, -0.27), (0.27, -0.15)),
    ),
    "truck": (((0.11, -0.14), (0.11, -0.24), (0.23, -0.24), (0.29, -0.14)),),
    "racer": (((-0.12, -0.09), (-0.1, -0.13), (0.0, -0.12), (0.05, -0.08)),),
}


class Car:
    """A car seen from the side, facing right; one unit is its length."""

    def __init__(self, look: Look, scale: float, rng: np.random.Generator) -> None:
        self.look = look
        self._scale = scale
        self._rng = rng
        self._paint = sheet(rng, texture_side(scale), shade_of(look.colour, rng), roughness=0.05)
        self._rest = rng.uniform(0, 6.28, size=2)
        wheel = self._wheel()
        self.parts: tuple[Part, ...] = (
            Part("body", self._body(), depth=2),
            Part("rear", wheel, "body", (-0.3, 0.07), depth=3),
            Part("front", wheel, "body", (0.31, 0.07), depth=3),
        )

    def _body(self) -> Sprite:
        canvas = Canvas((-0.53, -0.34, 0.54, 0.12), self._scale, self._rng)
        outline = OUTLINES[self.look.kind]
        canvas.polygon(outline, self._paint)
        canvas.polygon([(-0.5, 0.03), (0.5, 0.03), (0.48, 0.09), (-0.48, 0.09)], (38, 38, 42))
        for window in WINDOWS[self.look.kind]:
            canvas.polygon(window, GLASS)
        for x in (-0.3, 0.31):
            canvas.ellipse((x, 0.07), (WHEEL * 1.2, WHEEL * 1.2), (22, 22, 24))
        canvas.ellipse((0.46, -0.02), (0.025, 0.025), (250, 245, 200))
        canvas.ellipse((-0.48, -0.02), (0.015, 0.03), (190, 30, 30))
        if self.look.kind == "sedan":
            canvas.line([(-0.075, -0.19), (-0.075, 0.03)], 0.012, darker(self._mean(), 0.6))
        return canvas.finish(0.25)

    def _mean(self) -> tuple[int, int, int]:
        red, green, blue = self._paint.reshape(-1, 3).mean(axis=0).astype(int).tolist()
        return red, green, blue

    def _wheel(self) -> Sprite:
        r = WHEEL
        canvas = Canvas((-r, -r, r, r), self._scale, self._rng)
        canvas.ellipse((0, 0), (r, r), (28, 28, 30)).ellipse(
            (0, 0), (r * 0.62, r * 0.62), (185, 188, 192)
        )
        for angle in np.arange(3) * 2.094:
            x, y = 0.6 * r * np.cos(angle), 0.6 * r * np.sin(angle)
            canvas.line([(0, 0), (float(x), float(y))], r * 0.26, (70, 72, 76))
        return canvas.ellipse((0, 0), (r * 0.14, r * 0.14), (40, 40, 42)).finish(0.0)

    def pose(self, motion: Motion) -> Pose:
        """Wheels turn with the way driven; rolling turns the whole car."""
        travelled = np.abs(np.diff(motion.x, prepend=motion.x[:1])).cumsum()
        turned = travelled / WHEEL if motion.action != "rolling" else motion.constant(0.0)
        angles = {"rear": turned + self._rest[0], "front": turned + self._rest[1]}
        lift = motion.constant(0.21 if motion.family == "roll" else 0.07 + WHEEL)
        tilt = motion.spin if motion.family in ("roll", "air") else 0.006 * motion.wave()
        return Pose(angles, lift, tilt)


class Ball:
    """A ball; one unit is its diameter. The pattern turns, the light stays."""

    def __init__(self, look: Look, scale: float, rng: np.random.Generator) -> None:
        self.look = look
        self._rng = rng
        self._scale = scale
        self._rest = float(rng.uniform(0, 6.28))
        self.parts: tuple[Part, ...] = (
            Part("disc", self._disc(), depth=1),
            Part("light", self._light(), depth=2, solid=False),
        )

    def _disc(self) -> Sprite:
        look, rng = self.look, self._rng
        canvas = Canvas((-0.5, -0.5, 0.5, 0.5), self._scale, rng)
        base = shade_of(look.colour, rng)
        second = shade_of(look.second, rng) if look.second else darker(base, 0.8)
        paint = sheet(rng, texture_side(self._scale), base, roughness=0.06)
        canvas.ellipse((0, 0), (0.5, 0.5), paint)
        line = darker(base, 0.35)
        if look.kind == "basketball":
            canvas.line([(-0.5, 0), (0.5, 0)], 0.05, line).line([(0, -0.5), (0, 0.5)], 0.05, line)
            seam = np.linspace(-0.45, 0.45, 9)
            for sign in (-1, 1):
                bend = sign * (0.22 + 0.75 * seam**2)
                canvas.line(list(zip(bend.tolist(), seam.tolist(), strict=True)), 0.05, line)
        elif look.kind == "soccer":
            for angle in (None, 0.3, 1.56, 2.81, 4.07, 5.33):
                x = 0.0 if angle is None else 0.4 * float(np.cos(angle))
                y = 0.0 if angle is None else 0.4 * float(np.sin(angle))
                canvas.ellipse((x, y), (0.13, 0.13), second)
        else:
            wide = 0.17 if look.second else 0.05
            canvas.line([(-0.5, 0.08), (0.5, 0.08)], wide, second)
            canvas.ellipse((0.2, -0.22), (0.1, 0.1), second)
        return self._clip(canvas.finish(0.0))

    def _clip(self, sprite: Sprite) -> Sprite:
        """Cut what was painted outside the disc."""
        return Sprite(_inside_disc(sprite.image, sprite, 0.5), sprite.origin, sprite.scale)

    def _light(self) -> Sprite:
        """Dark rim as a black layer of varying transparency."""
        blank = Canvas((-0.5, -0.5, 0.5, 0.5), self._scale, self._rng)
        sprite = blank.ellipse((0, 0), (0.5, 0.5), (0, 0, 0)).finish(0.0)
        height, width = sprite.image.shape[:2]
        y, x = np.mgrid[0:height, 0:width]
        away = np.hypot(
            x - sprite.origin[0] + 0.16 * sprite.scale, y - sprite.origin[1] + 0.2 * sprite.scale
        )
        dark = np.clip((away / sprite.scale - 0.2) * 0.9, 0.0, 0.48)
        image = np.zeros_like(sprite.image)
        image[..., 3] = (sprite.image[..., 3] * dark).astype(np.uint8)
        return Sprite(image, sprite.origin, sprite.scale)

    def pose(self, motion: Motion) -> Pose:
        """The disc turns by the motion's spin."""
        angles = {"disc": motion.spin + self._rest}
        return Pose(angles, motion.constant(0.5), motion.constant(0.0))


def _inside_disc(image: Image, sprite: Sprite, radius: float) -> Image:
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    away = np.hypot(x - sprite.origin[0], y - sprite.origin[1])
    keep = np.clip(radius * sprite.scale - away + 0.5, 0.0, 1.0)
    return np.asarray(image * keep[..., None], np.uint8)
