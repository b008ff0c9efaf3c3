"""The camera: where world pixels land in each frame."""

import numpy as np

from actseg_core.generator.figures.base import TAU
from actseg_core.generator.skeleton import Track, affine, turn


def camera_track(
    frames: int, height: int, width: int, rng: np.random.Generator, follow: Track | None = None
) -> Track:
    """A moving camera.

    Args:
        frames: T.
        height: Frame height [px].
        width: Frame width [px].
        rng: Source of randomness.
        follow: (T,) sideways shift [px] of an actor that the camera keeps in view.

    Returns:
        (T, 3, 3) from world pixels to frame pixels; the identity would be a still camera.
    """
    t: Track = np.arange(frames, dtype=np.float64) - (frames - 1) / 2
    pan_x = pan_y = angle = np.zeros(frames)
    zoom = np.ones(frames)
    if follow is not None:
        pan_x = pan_x + rng.uniform(0.6, 1.0) * follow
    elif rng.random() < 0.6:
        reach = 0.35 * width
        speed = rng.uniform(-0.012, 0.012) * width
        pan_x = pan_x + np.clip(speed * t, -reach, reach)
        pan_y = pan_y + np.clip(rng.uniform(-0.004, 0.004) * height * t, -reach / 3, reach / 3)
    if rng.random() < 0.5:
        shake = rng.uniform(0.002, 0.008) * width
        pan_x = pan_x + shake * _wobble(t, rng)
        pan_y = pan_y + shake * _wobble(t, rng)
        angle = rng.uniform(0.0, 0.02) * _wobble(t, rng)
    if rng.random() < 0.35:
        zoom = np.exp(np.clip(rng.uniform(-0.01, 0.01) * t, -0.3, 0.3))
    return _frame(pan_x, pan_y, angle, zoom, height, width)


def still_camera(frames: int) -> Track:
    """(T, 3, 3) identities."""
    return np.tile(np.eye(3), (frames, 1, 1))


def _wobble(t: Track, rng: np.random.Generator) -> Track:
    """Hand-held unrest of unit size: three sines of unrelated speeds."""
    speeds, phases = rng.uniform(0.02, 0.12, size=3), rng.uniform(0, TAU, size=3)
    waves = [np.sin(TAU * f * t + p) for f, p in zip(speeds, phases, strict=True)]
    return np.asarray(sum(waves)) / 1.7


def _frame(
    pan_x: Track, pan_y: Track, angle: Track, zoom: Track, height: int, width: int
) -> Track:
    zero, one = np.zeros(len(pan_x)), np.ones(len(pan_x))
    to_centre = affine(one, zero, zero, one, zero - width / 2 - pan_x, zero - height / 2 - pan_y)
    scaled = affine(zoom, zero, zero, zoom, zero, zero)
    return turn(angle, zero + width / 2, zero + height / 2) @ scaled @ to_centre


def world_bounds(camera: Track, height: int, width: int) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of all that the camera ever sees [world px], with a margin of 2 px."""
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], float)
    seen = np.linalg.inv(camera) @ corners
    low, high = seen[:, :2].min(axis=(0, 2)), seen[:, :2].max(axis=(0, 2))
    return float(low[0]) - 2, float(low[1]) - 2, float(high[0]) + 2, float(high[1]) + 2
