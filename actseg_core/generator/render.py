"""Painting of a scene: frames, instance map and true flow."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.generator.canvas import Sprite
from actseg_core.generator.scene import Scene
from actseg_core.generator.skeleton import Track, place


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
