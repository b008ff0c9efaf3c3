"""How well a noun names an object: the detector's classes and ImageNet's names, joined.

A noun stands for COCO classes and ImageNet classes (text/nouns.py). What both networks say of an
object is joined by a small network to calibrated log-odds. The word itself is not read: what is
true of dogs that were seen in training holds for camels that were not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from actseg_core.text.nouns import Noun, Nouns

Array = NDArray[np.float32]
KINDS = ("person", "animal", "vehicle", "thing")
FEATURES = 12
HIDDEN = 24
FLOOR = 1e-3


@dataclass(frozen=True, eq=False)
class NamingInput:
    """What is known of K objects, of a frame or of tracks.

    Attributes:
        objectness: (K,) probabilities.
        classes: (K, 80) probabilities of COCO's classes.
        names: (K, 1000) probabilities of ImageNet's classes.
        embeddings: (K, D) features.
    """

    objectness: Array
    classes: Array
    names: Array
    embeddings: Array


@cache
def _kind_members() -> tuple[Array, Array]:
    """(4, 1000) and (4, 80): ImageNet's and COCO's classes of each kind."""
    nouns = Nouns.load()
    whole = {"person": "person", "animal": "animal", "vehicle": "vehicle"}
    found = [nouns.look_up(word) for word in whole.values()]
    imagenet = np.stack([noun.imagenet > 0.5 for noun in found]).astype(np.float32)
    coco = np.stack([noun.coco > 0.5 for noun in found]).astype(np.float32)
    rest = (1 - imagenet.max(axis=0), 1 - coco.max(axis=0))
    return np.vstack([imagenet, rest[0]]), np.vstack([coco, rest[1]])


def naming_features(noun: Noun, objects: NamingInput) -> Array:
    """(K, 12) float32: what speaks for a noun and each object, as `NamingModel` reads it."""
    meant = objects.classes * noun.coco
    others = objects.classes * (noun.coco < 0.5)
    mine = meant.max(axis=1)
    named = np.minimum(objects.names @ noun.imagenet, 1.0)
    of_imagenet, of_coco = _kind_members()
    kind = KINDS.index(noun.kind) if noun.kind in KINDS else 3
    count = len(objects.objectness)
    return np.column_stack(
        [
            _logit(objects.objectness),
            _log(mine),
            _log(others.max(axis=1)),
            np.full(count, float(noun.coco.any())),
            _log(named) if noun.imagenet.any() else np.zeros(count),
            np.full(count, float(noun.imagenet.any())),
            np.full(count, noun.known),
            _log(np.sort(objects.names, axis=1)[:, -1]),
            _log(objects.names @ of_imagenet[kind]),
            _log((objects.classes * of_coco[kind]).max(axis=1)),
            np.full(count, float(kind == 0)),
            np.full(count, float(kind == 1)),
        ]
    ).astype(np.float32)


def _log(probability: Array) -> Array:
    return np.asarray(np.log(probability + FLOOR) / 3 + 1, np.float32)


def _logit(probability: Array) -> Array:
    inside = np.clip(probability, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(inside / (1 - inside)) / 3, np.float32)


class NamingModel:
    """Calibrated log-odds that a noun names an object.

    Args:
        weights: "hidden.weight" (H, 12), "hidden.bias", "out.weight" (1, H), "out.bias".
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    def log_odds(self, noun: Noun, objects: NamingInput) -> Array:
        """(K,) float32 natural log-odds that each object is what the noun says."""
        w = self.weights
        features = naming_features(noun, objects)
        hidden = np.maximum(features @ w["hidden.weight"].T + w["hidden.bias"], 0)
        return np.asarray(hidden @ w["out.weight"][0] + w["out.bias"][0], np.float32)
