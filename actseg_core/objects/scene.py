"""What one frame holds: up to 32 objects, each with mask, names, looks and motion."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
MAX_OBJECTS = 32


@dataclass(frozen=True, eq=False)
class Objects:
    """K objects of one frame, best first; rows of the arrays belong together.

    Attributes:
        boxes: (K, 4) float32: centre x, y, width, height [px of the network's input].
        masks: (K, S/4, S/4) float32 probabilities.
        objectness: (K,) float32: probability that the box holds one whole object.
        classes: (K, 80) float32: probability of each COCO class, if it is an object.
        names: (K, 1000) float32: probability of each ImageNet class, averaged over the mask.
        embeddings: (K, D) float32 features of the box.
        colours: (K, R, 11) float32: see `objects.looks.object_colours`.
        skin: (K, 2) float32: see `objects.looks.bare_skin`.
    """

    boxes: Array
    masks: Array
    objectness: Array
    classes: Array
    names: Array
    embeddings: Array
    colours: Array
    skin: Array

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, which: NDArray[np.intp]) -> "Objects":
        """Some of the objects."""
        return Objects(**{f.name: getattr(self, f.name)[which] for f in fields(self)})


def no_objects(side: int) -> Objects:
    """A frame without objects, masks being `side` cells wide."""
    shapes = ((4,), (side, side), (), (80,), (1000,), (1,), (1, 1), (2,))
    return Objects(*(np.zeros((0, *shape), np.float32) for shape in shapes))


def box_overlap(one: Array, other: Array) -> Array:
    """Intersection over union of each pair of (M, 4) and (N, 4) boxes: (M, N)."""
    low = np.maximum(
        (one[:, :2] - one[:, 2:] / 2)[:, None], (other[:, :2] - other[:, 2:] / 2)[None]
    )
    high = np.minimum(
        (one[:, :2] + one[:, 2:] / 2)[:, None], (other[:, :2] + other[:, 2:] / 2)[None]
    )
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = one[:, 2:].prod(axis=1)[:, None] + other[:, 2:].prod(axis=1)[None] - shared
    return np.asarray(shared / np.maximum(areas, 1e-6), np.float32)


def mask_overlap(one: Array, other: Array) -> Array:
    """Intersection over union of each pair of (M, m, m) and (N, m, m) masks cut at 0.5: (M, N)."""
    first = (one.reshape(len(one), -1) > 0.5).astype(np.float32)
    second = (other.reshape(len(other), -1) > 0.5).astype(np.float32)
    shared = first @ second.T
    areas = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - shared
    return np.asarray(shared / np.maximum(areas, 1.0), np.float32)
