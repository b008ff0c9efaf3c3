"""A photographed actor as a figure: an upper body and two halves below that step by shearing."""

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.canvas import Sprite
from actseg_core.generator.cutouts import Cutout
from actseg_core.generator.figures.base import Motion
from actseg_core.generator.looks import Look
from actseg_core.generator.skeleton import Part, Pose, Track

HIPS = {"adult": 0.52, "dog": 0.62, "cat": 0.62}
"""Where the legs begin, as a share of the height."""

ACTIONS = {
    "adult": ("jumping", "rolling", "running", "walking", "climbing", "none"),
    "ball": ("flying", "jumping", "rolling", "none"),
    "bird": ("flying", "jumping", "rolling", "walking", "climbing", "none"),
    "car": ("flying", "jumping", "rolling", "running", "none"),
    "cat": ("climbing", "eating", "jumping", "rolling", "running", "walking", "none"),
    "dog": ("eating", "jumping", "rolling", "running", "walking", "none"),
}
"""What a stiff picture can act."""


class CutoutFigure:
    """A cut-out; one unit is its height for people, the longer side for balls, else its length.

    Args:
        cutout: The picture.
        scale: Size of the unit on screen [px].
    """

    parts: tuple[Part, ...]

    def __init__(self, cutout: Cutout, scale: float) -> None:
        self.look: Look = cutout.look
        height, width = cutout.image.shape[:2]
        unit = height if self.look.actor == "adult" else width
        if self.look.actor == "ball":
            unit = max(height, width)
        image = _scaled(cutout.image, 1.1 * scale / unit)
        self._unit_px = 1.1 * scale
        self.tall = image.shape[0] / self._unit_px
        self.parts = self._split(image)

    def _split(self, image: NDArray[np.uint8]) -> tuple[Part, ...]:
        height, width = image.shape[:2]
        share = HIPS.get(self.look.actor)
        if share is None:
            return (Part("body", self._sprite(image, width / 2, height / 2)),)
        hip, middle = int(share * height), width // 2
        lap = max(2, height // 25)  # the pieces overlap, or a seam would show
        upper = self._sprite(image[:hip], width / 2, height / 2)
        parts = [Part("body", upper, depth=3)]
        for name, left, right in (("rear", 0, middle + 2), ("front", middle, width)):
            piece = self._sprite(image[hip - lap :, left:right], width / 2 - left, float(lap))
            joint = (0.0, (hip - height / 2) / self._unit_px)
            parts.append(Part(name, piece, None, joint, depth=2))
        return tuple(parts)

    def _sprite(self, image: NDArray[np.uint8], x: float, y: float) -> Sprite:
        """A piece whose origin is at (x, y) of its pixels, RGB multiplied by alpha."""
        alpha = image[..., 3:].astype(np.float32) / 255
        rgb = (image[..., :3] * alpha).astype(np.uint8)
        return Sprite(np.dstack([rgb, image[..., 3]]), (x, y), self._unit_px)

    def pose(self, motion: Motion) -> Pose:
        """The root is the middle of the picture; legs shear to and fro below the hips."""
        shear: dict[str, Track] = {}
        if motion.family in ("stand", "climb"):
            reach = 0.1 + 0.3 * motion.swing
            shear = {"rear": reach * motion.wave(), "front": reach * motion.wave(0.5)}
        tilt = motion.constant(0.0)
        lift = motion.constant(self.tall / 2)
        if motion.family == "eat":
            tilt = 0.2 + 0.12 * motion.wave()
        elif motion.family == "climb" and self.look.actor != "adult":
            tilt = motion.constant(-1.2)
        elif motion.family == "roll" or self.look.actor == "ball":
            tilt = motion.spin
            lift = motion.constant(0.5 * min(self.tall, 1.0))
        elif motion.family == "air":
            tilt = motion.spin
        angles = {"body": 0.03 * motion.wave(0.2)} if shear else {}
        return Pose(angles, lift, tilt, shear=shear)


def _scaled(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    size = (max(4, round(image.shape[1] * factor)), max(4, round(image.shape[0] * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
