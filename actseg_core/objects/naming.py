"""How well a noun names an object: the detector's classes and ImageNet's names, joined.

A noun stands for COCO classes and ImageNet classes (text/nouns.py). What both networks say of an
object is joined by a small network to calibrated log-odds. The word itself is not read: what is
true of dogs that were seen in training holds for camels that were not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.text.nouns import Noun, Nouns

Array = NDArray[np.float32]
KINDS = ("person", "animal", "vehicle", "thing")
FEATURES = 19
HIDDEN = 24
FLOOR = 1e-3
WELL_KNOWN = 0.65
"""Animals and vehicles that are known less may be no class at all (goats are not ibexes)."""


@dataclass(frozen=True, eq=False)
class NamingInput:
    """What is known of K objects, of a frame or of tracks.

    Attributes:
        objectness: (K,) probabilities.
        classes: (K, 80) probabilities of COCO's classes.
        names: (K, 1000) probabilities of ImageNet's classes.
        areas: (K,) share of the picture that each covers.
    """

    objectness: Array
    classes: Array
    names: Array
    areas: Array


@cache
def kind_members() -> tuple[Array, Array]:
    """(4, 1000) and (4, 80): ImageNet's and COCO's classes of each kind."""
    nouns = Nouns.load()
    whole = {"person": "person", "animal": "animal", "vehicle": "vehicle"}
    found = [nouns.look_up(word) for word in whole.values()]
    imagenet = np.stack([noun.imagenet > 0.5 for noun in found]).astype(np.float32)
    coco = np.stack([noun.coco > 0.5 for noun in found]).astype(np.float32)
    rest = (1 - imagenet.max(axis=0), 1 - coco.max(axis=0))
    return np.vstack([imagenet, rest[0]]), np.vstack([coco, rest[1]])


def naming_features(noun: Noun, objects: NamingInput) -> Array:
    """(K, 19) float32: what speaks for a noun and each object, as `NamingModel` reads it."""
    meant, others = objects.classes * noun.coco, objects.classes * (noun.coco < 0.5)
    mine, rival = meant.max(axis=1), others.max(axis=1)
    named = np.minimum(objects.names @ noun.imagenet, 1.0)
    misnamed = (objects.names * (noun.imagenet < 0.5)).max(axis=1)
    of_imagenet, of_coco = kind_members()
    kind = KINDS.index(noun.kind) if noun.kind in KINDS else 3
    of_kind = objects.names @ of_imagenet[kind]
    count = len(objects.objectness)
    in_coco, in_imagenet = float(noun.coco.any()), float(noun.imagenet.any())
    return np.column_stack(
        [
            _logit(objects.objectness),
            _log(mine),
            _log(rival),
            np.full(count, in_coco),
            in_imagenet * _log(named),
            np.full(count, in_imagenet),
            np.full(count, noun.known),
            _log(objects.names.max(axis=1)),
            _log(of_kind),
            _log((objects.classes * of_coco[kind]).max(axis=1)),
            np.full(count, float(kind == 0)),
            np.full(count, float(kind == 1)),
            in_coco * _against(mine, rival),
            in_imagenet * _against(named, misnamed),
            in_imagenet * _against(named, np.maximum(of_kind - named, 0)),
            _log(misnamed),
            np.log(np.maximum(objects.areas, 1e-4)) / 4 + 1,
            _log(_agreed(noun, objects)),
            np.full(count, in_imagenet * _log(noun.imagenet.mean())),
        ]
    ).astype(np.float32)


@cache
def _coco_in_imagenet() -> Array:
    """(80, 1000): which of ImageNet's classes each of COCO's is, people none."""
    nouns = Nouns.load()
    found = [nouns.look_up(name) for name in nouns.lexicon.coco_names]
    return np.stack([noun.imagenet > 0.5 for noun in found]).astype(np.float32)


def _agreed(noun: Noun, objects: NamingInput) -> Array:
    """(K,) how far both networks agree that an object is something that the noun does not mean.

    Where they do not, it may be something that neither has a class for.
    """
    both = _coco_in_imagenet() * (noun.imagenet < 0.5)
    named = np.minimum(objects.names @ both.T, 1.0)
    named[:, _nameless()] = 1.0
    agreed = np.sqrt(objects.classes * named) * (noun.coco < 0.5)
    return np.asarray(agreed.max(axis=1), np.float32)


@cache
def _nameless() -> NDArray[np.bool_]:
    return np.asarray(_coco_in_imagenet().max(axis=1) == 0)


def _against(one: Array, other: Array) -> Array:
    """Log-odds of one of two rivals."""
    return np.asarray(np.log((one + FLOOR) / (other + FLOOR)) / 3, np.float32)


def _log(probability: Array | np.floating[Any]) -> Array:
    return np.asarray(np.log(probability + FLOOR) / 3 + 1, np.float32)


def _logit(probability: Array) -> Array:
    inside = np.clip(probability, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(inside / (1 - inside)) / 3, np.float32)


UNHEARD_OF = {"animal": 1.0, "vehicle": 0.0}
"""Added to the log-odds of nouns that no network has a class for: who asks for a goat has one."""
UNHEARD_OF_CLUTTER = 0.5
"""They are at most this much likelier than that there is an object at all."""


MOUNTS = (1, 3, 17, 31, 36, 37)
"""COCO's bicycle, motorcycle, horse, snowboard, skateboard, surfboard: they move with a rider."""
RIVALS = {"person": MOUNTS, "animal": ()}
"""Kinds of nouns that give way to rivals, and what is none: a bike's box holds its rider."""
RIVAL_MARGIN, RIVAL_SLOPE = 2.0, 2.0


def rival_limit(noun: Noun, objects: NamingInput) -> Array:
    """(K,) log-odds that a noun has at most where another class is likelier.

    From the ratio of what the noun means to the likeliest that it does not mean, by the network
    that speaks more for it. What was trained joins both softly and calls a flamingo a person at
    times.
    """
    if noun.kind not in RIVALS or not noun.coco.any():
        return np.full(len(objects.objectness), np.inf, np.float32)
    others = noun.coco < 0.5
    others[list(RIVALS[noun.kind])] = False
    ratio = _ratio(
        (objects.classes * noun.coco).max(axis=1), (objects.classes * others).max(axis=1)
    )
    if noun.imagenet.any():
        named = np.minimum(objects.names @ noun.imagenet, 1.0)
        misnamed = (objects.names * (noun.imagenet < 0.5)).max(axis=1)
        ratio = np.maximum(ratio, _ratio(named, misnamed))
    return np.asarray(RIVAL_SLOPE * ratio + RIVAL_MARGIN, np.float32)


def _ratio(one: Array, other: Array) -> Array:
    return np.asarray(np.log((one + FLOOR) / (other + FLOOR)), np.float32)


def without_classes(noun: Noun) -> Noun:
    """The noun as if no network had a class for it: of its kind, and nothing that they know."""
    nothing = (np.zeros_like(noun.imagenet), np.zeros_like(noun.coco))
    return replace(noun, imagenet=nothing[0], coco=nothing[1], known=0.0)


class NamingModel:
    """Calibrated log-odds that a noun names an object.

    Args:
        weights: "hidden.weight" (H, 12), "hidden.bias", "out.weight" (1, H), "out.bias".
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    def log_odds(self, noun: Noun, objects: NamingInput) -> Array:
        """(K,) float32 natural log-odds that each object is what the noun says."""
        found = np.minimum(self._log_odds(noun, objects), rival_limit(noun, objects))
        if noun.known < WELL_KNOWN and noun.kind in UNHEARD_OF:
            unheard = self._log_odds(without_classes(noun), objects) + UNHEARD_OF[noun.kind]
            sure = 3 * _logit(objects.objectness) + UNHEARD_OF_CLUTTER
            found = np.maximum(found, np.minimum(unheard, sure))
        return found

    def _log_odds(self, noun: Noun, objects: NamingInput) -> Array:
        w = self.weights
        features = naming_features(noun, objects)
        hidden = np.maximum(features @ w["hidden.weight"].T + w["hidden.bias"], 0)
        return np.asarray(hidden @ w["out.weight"][0] + w["out.bias"][0], np.float32)
