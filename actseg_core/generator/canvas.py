"""Drawing of body parts: anti-aliased, textured, shaded, with transparency."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.palette import RGB

Point = tuple[float, float]
Paint = NDArray[np.uint8] | RGB
SUPERSAMPLING = 2


@dataclass(frozen=True, eq=False)
class Sprite:
    """One drawn part.

    Attributes:
        image: (h, w, 4) uint8, RGB multiplied by alpha, and alpha.
        origin: Where the part's own (0, 0), its joint, lies in the image [px].
        scale: Pixels of the image per unit of the figure.
    """

    image: NDArray[np.uint8]
    origin: Point
    scale: float


class Canvas:
    """A transparent sheet to draw one part on, in units of the figure with y downwards.

    Args:
        bounds: x0, y0, x1, y1 of what will be drawn [units]; (0, 0) is the part's joint.
        scale: Pixels per unit of the finished sprite.
        rng: Source of randomness for where textures are cut.
    """

    def __init__(
        self, bounds: tuple[float, float, float, float], scale: float, rng: np.random.Generator
    ) -> None:
        self._scale = scale
        self._fine = scale * SUPERSAMPLING
        margin = 2.0 / scale
        self._x0, self._y0 = bounds[0] - margin, bounds[1] - margin
        width = int(np.ceil((bounds[2] + margin - self._x0) * scale))
        height = int(np.ceil((bounds[3] + margin - self._y0) * scale))
        shape = (height * SUPERSAMPLING, width * SUPERSAMPLING)
        self._rgb = np.zeros((*shape, 3), np.uint8)
        self._alpha = np.zeros(shape, np.uint8)
        self._rng = rng

    def _px(self, point: Point) -> tuple[int, int]:
        return (
            round((point[0] - self._x0) * self._fine),
            round((point[1] - self._y0) * self._fine),
        )

    def _length(self, units: float) -> int:
        return max(1, round(units * self._fine))

    def polygon(self, points: Sequence[Point], paint: Paint) -> "Canvas":
        """A filled polygon."""
        mask = np.zeros_like(self._alpha)
        cv2.fillPoly(mask, [np.array([self._px(p) for p in points], np.int32)], 255)
        return self._fill(mask, paint)

    def blob(self, points: Sequence[Point], paint: Paint) -> "Canvas":
        """A filled closed curve through the points (quadratic through edge midpoints)."""
        corners = np.array(points, np.float64)
        before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
        u = np.linspace(0.0, 1.0, 7)[None, :, None]
        start, end = (corners + before)[:, None] / 2, (corners + after)[:, None] / 2
        curve = (1 - u) ** 2 * start + 2 * u * (1 - u) * corners[:, None] + u**2 * end
        return self.polygon([(float(x), float(y)) for x, y in curve.reshape(-1, 2)], paint)

    def capsule(self, start: Point, end: Point, r0: float, r1: float, paint: Paint) -> "Canvas":
        """A limb: two discs of radius r0 and r1 [units] and the hull between them."""
        mask = np.zeros_like(self._alpha)
        cv2.circle(mask, self._px(start), self._length(r0), 255, -1)
        cv2.circle(mask, self._px(end), self._length(r1), 255, -1)
        along = np.subtract(end, start)
        side = np.array([-along[1], along[0]]) / max(1e-9, float(np.hypot(*along)))
        hull = (start + side * r0, end + side * r1, end - side * r1, start - side * r0)
        corners = [self._px((float(p[0]), float(p[1]))) for p in hull]
        cv2.fillConvexPoly(mask, np.array(corners, np.int32), 255)
        return self._fill(mask, paint)

    def ellipse(self, centre: Point, radii: Point, paint: Paint, degrees: float = 0) -> "Canvas":
        """A filled ellipse, turned clockwise."""
        mask = np.zeros_like(self._alpha)
        axes = (self._length(radii[0]), self._length(radii[1]))
        cv2.ellipse(mask, self._px(centre), axes, degrees, 0, 360, 255, -1)
        return self._fill(mask, paint)

    def line(self, points: Sequence[Point], width: float, paint: Paint) -> "Canvas":
        """An open line of a width [units]."""
        mask = np.zeros_like(self._alpha)
        path = np.array([self._px(p) for p in points], np.int32)
        cv2.polylines(mask, [path], False, 255, self._length(width))
        return self._fill(mask, paint)

    def _fill(self, mask: NDArray[np.uint8], paint: Paint) -> "Canvas":
        if isinstance(paint, tuple):
            self._rgb[mask > 0] = paint
        else:
            cv2.copyTo(self._cut(paint), mask, self._rgb)
        np.maximum(self._alpha, mask, out=self._alpha)
        return self

    def _cut(self, paint: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A piece of the texture as large as the canvas."""
        height, width = self._alpha.shape
        if paint.shape[0] < height or paint.shape[1] < width:
            repeats = (-(-height // paint.shape[0]), -(-width // paint.shape[1]), 1)
            paint = np.tile(paint, repeats)
        top = int(self._rng.integers(paint.shape[0] - height + 1))
        left = int(self._rng.integers(paint.shape[1] - width + 1))
        return np.ascontiguousarray(paint[top : top + height, left : left + width])

    def finish(self, roundness: float = 0.35, tone: float = 1.0) -> Sprite:
        """Shade, reduce to final resolution, and return.

        Args:
            roundness: How much darker edges are than the middle, 0 to 1.
            tone: Brightness of the whole part; far limbs are below 1.
        """
        rgb = self._rgb.astype(np.float32)
        if roundness > 0:
            depth = cv2.distanceTransform(self._alpha, cv2.DIST_L2, 3)
            depth = np.sqrt(np.minimum(1.0, depth / max(1.0, 0.9 * float(depth.max()))))
            light = np.linspace(1.08, 0.9, rgb.shape[0], dtype=np.float32)[:, None]
            rgb *= ((1.0 - roundness + roundness * depth) * light * tone)[..., None]
        elif tone != 1.0:
            rgb *= np.float32(tone)
        rgb *= (self._alpha > 0)[..., None]
        both = np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), self._alpha])
        size = (both.shape[1] // SUPERSAMPLING, both.shape[0] // SUPERSAMPLING)
        image = cv2.resize(both, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        origin = (-self._x0 * self._scale - 0.25, -self._y0 * self._scale - 0.25)
        return Sprite(image, origin, self._scale)
