"""Painting of a scene: frames, instance map and true flow; then what a cheap camera does to it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.canvas import Sprite
from actseg_core.generator.scene import Scene
from actseg_core.generator.skeleton import Track, place


def degrade(frames: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Apply one random camera to all frames, in place.

    Args:
        frames: (T, H, W, 3) uint8.
        rng: Source of randomness.

    Returns:
        The same array.
    """
    tone = _tone_curve(rng)
    blur = float(rng.uniform(0.3, 1.0)) if rng.random() < 0.7 else 0.0
    grain = _grain(frames.shape[1], frames.shape[2], rng) if rng.random() < 0.7 else None
    quality = int(rng.integers(40, 90)) if rng.random() < 0.5 else 0
    for frame in frames:
        picture = np.asarray(cv2.LUT(frame, tone), np.uint8)
        if blur:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8)
        if grain is not None:
            noisy = cv2.add(picture, _cut(grain, frame.shape, rng), dtype=cv2.CV_8U)
            picture = np.asarray(noisy, np.uint8)
        if quality:
            data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        frame[:] = picture
    return frames


def _tone_curve(rng: np.random.Generator) -> NDArray[np.uint8]:
    """(256, 3) uint8: gamma, contrast and a colour cast."""
    x = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.normal(0.0, 0.15))
    gain = rng.uniform(0.8, 1.08) * (1.0 + rng.normal(0.0, 0.03, size=3))
    lifted = rng.uniform(0.0, 0.05) + gain * x**gamma
    return np.asarray(np.clip(np.rint(255 * lifted), 0, 255), np.uint8)[None]


def _grain(height: int, width: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """A sheet of sensor noise somewhat larger than a frame."""
    sigma = np.float32(rng.uniform(1.0, 6.0))
    shape = (height + 32, width + 32, 3)
    noise = sigma * rng.standard_normal(shape, dtype=np.float32)
    return noise.astype(np.int16)


def _cut(
    grain: NDArray[np.int16], shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.int16]:
    top, left = rng.integers(0, 32, size=2).tolist()
    return grain[top : top + shape[0], left : left + shape[1]]


@dataclass(frozen=True, eq=False)
class Layer:
    """One part of one actor over time.

    Attributes:
        sprite: What is painted.
        track: (T, 3, 3) from sprite pixels to frame pixels.
        instance: Actor's id, 0 for things that are no actor.
        solid: Whether it covers what is behind it in the instance map.
        boxes: (T, 4) int x0, y0, x1, y1 of its place in the frame, clipped; empty if x1 <= x0.
    """

    sprite: Sprite
    track: Track
    instance: int
    solid: bool
    boxes: NDArray[np.int64]


def make_layer(
    sprite: Sprite, track: Track, instance: int, solid: bool, height: int, width: int
) -> Layer:
    """A layer with its clipped boxes."""
    h, w = sprite.image.shape[:2]
    corners = np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]], float)
    seen = track @ corners
    low = np.floor(seen[:, :2].min(axis=2)).astype(np.int64) - 1
    high = np.ceil(seen[:, :2].max(axis=2)).astype(np.int64) + 1
    limit = np.array([width, height])
    boxes = np.concatenate([np.clip(low, 0, limit), np.clip(high, 0, limit)], axis=1)
    return Layer(sprite, track, instance, solid, boxes)


def scene_layers(scene: Scene, height: int, width: int) -> list[Layer]:
    """All parts from back to front."""
    layers: list[Layer] = []

    def add(sprite: Sprite, track: Track, instance: int, solid: bool) -> None:
        layers.append(make_layer(sprite, scene.camera @ track, instance, solid, height, width))

    for index, member in enumerate(scene.cast):
        for prop in member.props:
            add(prop.sprite, prop.track, 0, prop.solid)
        tracks = place(member.parts, member.root, member.pose)
        painted = sorted(zip(member.parts, tracks, strict=True), key=lambda pair: pair[0].depth)
        for part, track in painted:
            add(part.sprite, track, 0 if part.carried else index + 1, part.solid)
    for prop in scene.occluders:
        add(prop.sprite, prop.track, 0, prop.solid)
    return layers


def paint(
    scene: Scene, layers: list[Layer], height: int, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Frames (T, H, W, 3) uint8, instance ids (T, H, W) uint8, flow (T-1, H, W, 2) float32."""
    count = scene.camera.shape[0]
    frames = np.empty((count, height, width, 3), np.uint8)
    instances = np.empty((count, height, width), np.uint8)
    flow = np.empty((max(0, count - 1), height, width, 2), np.float32)
    identities = np.array([0, *(layer.instance for layer in layers)], np.uint8)
    motions = _motions(scene, layers)
    surface = np.empty((height, width), np.int16)
    for t in range(count):
        _paint_backdrop(scene, t, frames[t])
        surface[:] = 0
        for number, layer in enumerate(layers, start=1):
            _paint_layer(layer, t, number, frames[t], surface)
        instances[t] = identities[surface]
        if t < count - 1:
            flow[t] = _flow(motions[:, t], surface)
    return frames, instances, flow


def _paint_backdrop(scene: Scene, t: int, out: NDArray[np.uint8]) -> None:
    shift = np.eye(3)
    shift[:2, 2] = scene.backdrop.left, scene.backdrop.top
    matrix = (scene.camera[t] @ shift)[:2]
    size = (out.shape[1], out.shape[0])
    out[:] = cv2.warpAffine(
        scene.backdrop.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _paint_layer(
    layer: Layer, t: int, number: int, frame: NDArray[np.uint8], surface: NDArray[np.int16]
) -> None:
    """Alpha-blend one part into the frame and enter its number into the surface map."""
    x0, y0, x1, y1 = layer.boxes[t].tolist()
    if x1 <= x0 or y1 <= y0:
        return
    matrix = layer.track[t, :2].copy()
    matrix[:, 2] -= x0, y0
    patch = cv2.warpAffine(layer.sprite.image, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    alpha = patch[..., 3]
    behind = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB)
    region = frame[y0:y1, x0:x1]
    covered = cv2.multiply(region, behind, scale=1 / 255)
    region[:] = cv2.add(covered, cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB))
    if layer.solid:
        surface[y0:y1, x0:x1][alpha >= 128] = number


def _motions(scene: Scene, layers: list[Layer]) -> NDArray[np.float32]:
    """(L+1, T-1, 6) float32: displacement = (a x + b y + c, d x + e y + f) per surface."""
    tracks = np.stack([scene.camera, *(layer.track for layer in layers)])
    step = tracks[:, 1:] @ np.linalg.inv(tracks[:, :-1]) - np.eye(3)
    return step[:, :, :2].reshape(len(tracks), -1, 6).astype(np.float32)


def _flow(motion: NDArray[np.float32], surface: NDArray[np.int16]) -> NDArray[np.float32]:
    """(H, W, 2) float32 from each surface's affine displacement."""
    height, width = surface.shape
    a, b, c, d, e, f = (np.take(column, surface) for column in motion.T.copy())
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    result = np.empty((height, width, 2), np.float32)
    result[..., 0] = a * x + b * y + c
    result[..., 1] = d * x + e * y + f
    return result
