"""Training of the naming network: which nouns are right for which object.

Nouns are drawn for each object: its own category and words for it, nouns that are wrong, the
harder ones of its own kind among them, and nouns that no training picture shows (camel, goat).
Because the network reads evidence and not words, it learns what evidence is worth.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from actseg_core.networks.objects_model import NamingNetwork
from actseg_core.objects.naming import (
    KINDS,
    NamingInput,
    kind_members,
    naming_features,
    without_classes,
)
from actseg_core.text.nouns import Noun, Nouns
from actseg_core.training.lite.object_table import NOTHING, UNSURE, ObjectTable

Array = NDArray[np.float32]


def _words(text: str) -> list[str]:
    return text.split()


PEOPLE = _words("""
    person man woman boy girl child kid lady player rider dancer pedestrian worker
""")
WORDS_FOR = {
    "person": PEOPLE,
    "dog": ["dog", "puppy", "animal"],
    "cat": ["cat", "kitten", "animal"],
    "horse": ["horse", "animal"],
    "cow": ["cow", "cattle", "animal"],
    "sheep": ["sheep", "animal"],
    "elephant": ["elephant", "animal"],
    "bear": ["bear", "animal"],
    "zebra": ["zebra", "animal"],
    "giraffe": ["giraffe", "animal"],
    "bird": ["bird", "animal"],
    "rhino": ["rhinoceros", "animal"],
    "emu": ["emu", "bird", "animal"],
    "flamingo": ["flamingo", "bird", "animal"],
    "car": ["car", "vehicle", "automobile"],
    "truck": ["truck", "vehicle"],
    "bus": ["bus", "vehicle"],
    "train": ["train", "vehicle"],
    "motorcycle": ["motorcycle", "motorbike", "vehicle"],
    "bicycle": ["bicycle", "bike", "vehicle"],
    "boat": ["boat", "vehicle"],
    "airplane": ["airplane", "plane", "vehicle"],
    "sports ball": ["ball"],
    "couch": ["couch", "sofa"],
    "tv": ["tv", "television"],
    "cell phone": ["phone"],
}
NEVER_SHOWN = _words("""
    swan camel lion goat fox wolf deer monkey rabbit goose turtle snake fish penguin pig
    donkey bison tiger leopard kangaroo squirrel hamster helicopter tractor tank ambulance
    taxi van jeep canoe kayak submarine tricycle frog lizard spider crab shark parrot
    eagle owl ostrich peacock pelican koala panda hippopotamus antelope llama buffalo ram
""")
OVERLAPS = 0.3
ASKED_RIGHT = 0.45
OF_ITS_KIND = 0.3
TEMPTED = 0.3
TEMPTING = 6
DROP = 0.2
UNSEEN = 0.35
BATCH = 384
MANY = 3  # classes: "animal" cannot be a kind that nobody has seen
Dropped = Literal["", "coco", "imagenet", "unseen"]
DROPPED: tuple[Dropped, ...] = ("", "coco", "imagenet")


@dataclass(frozen=True)
class NamingMeasure:
    """Of held-out objects, nouns right and wrong about evenly.

    Attributes:
        recall: Share of right nouns with log-odds above 0.
        specificity: Share of wrong nouns with log-odds below 0.
        cross_entropy: Mean, in nats.
    """

    recall: float
    specificity: float
    cross_entropy: float


class NamingQuestions:
    """Draws nouns for objects, and says whether they are right."""

    def __init__(self, table: ObjectTable, nouns: Nouns) -> None:
        self._table = table
        counts = Counter(table.categories.tolist())
        self._categories = [name for name in counts if name not in (NOTHING, UNSURE)]
        self._words = {name: WORDS_FOR.get(name, [name]) for name in self._categories}
        vocabulary = {word for words in self._words.values() for word in words}
        self._vocabulary = sorted(vocabulary | set(NEVER_SHOWN) | {"animal", "vehicle"})
        self._nouns = {word: nouns.look_up(word) for word in self._vocabulary}
        self._own = {name: nouns.look_up(name) for name in self._categories}
        self._of_kind = {
            kind: [w for w in self._vocabulary if self._nouns[w].kind == kind]
            for kind in {noun.kind for noun in self._own.values()}
        }
        self._features = {
            (word, dropped): naming_features(_without(noun, dropped), table.naming)
            for word, noun in self._nouns.items()
            for dropped in DROPPED
        }
        rng = np.random.default_rng(0)
        self._features |= {
            (word, "unseen"): naming_features(
                without_classes(noun), _unseen(noun, table.naming, rng)
            )
            for word, noun in self._nouns.items()
            if self._can_be_unseen(word)
        }
        # What ImageNet's names suggest though it is wrong teaches most: a person is none of its
        # classes, so people in clutter are given any name.
        imagenet = np.stack([self._nouns[word].imagenet for word in self._vocabulary])
        suggested = table.naming.names @ imagenet.T
        self._tempting = np.argsort(-suggested, axis=1)[:, :TEMPTING]
        worth = {name: 1 / np.sqrt(number) for name, number in counts.items()}
        self._worth = np.array([worth[name] for name in table.categories])

    def draw(
        self, objects: NDArray[np.intp], count: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """(M, 19) features and (M,) 1 for right nouns, 0 for wrong ones; M at most `count`."""
        worth = self._worth[objects]
        chosen = rng.choice(objects, size=count, p=worth / worth.sum())
        features, right = [], []
        for index in chosen:
            word, answer = self._ask(int(index), rng)
            if answer is not None:
                dropped = self._drop(word, rng)
                features.append(self._features[word, dropped][index])
                right.append(float(answer))
        return np.stack(features), np.array(right, np.float32)

    def _drop(self, word: str, rng: np.random.Generator) -> Dropped:
        """Which of the two lists is taken away from a noun that both know."""
        noun, chance = self._nouns[word], rng.random()
        if chance > 1 - UNSEEN and self._can_be_unseen(word):
            return "unseen"
        if chance > 2 * DROP or not (noun.coco.any() and noun.imagenet.any()):
            return ""
        return "coco" if chance < DROP else "imagenet"

    def _can_be_unseen(self, word: str) -> bool:
        noun = self._nouns[word]
        return noun.kind in KINDS[1:3] and noun.coco.sum() < MANY

    def _ask(self, index: int, rng: np.random.Generator) -> tuple[str, bool | None]:
        category = str(self._table.categories[index])
        if category and rng.random() < ASKED_RIGHT:
            words = self._words[category]
            return words[rng.integers(len(words))], True
        words, chance = self._vocabulary, rng.random()
        if chance < TEMPTED:
            words = [self._vocabulary[k] for k in self._tempting[index]]
        elif category and chance < TEMPTED + OF_ITS_KIND:
            words = self._of_kind[self._own[category].kind]
        word = words[rng.integers(len(words))]
        if not category:
            return word, False
        return word, _is_right(word, self._nouns[word], self._words[category], self._own[category])


def _without(noun: Noun, dropped: Dropped) -> Noun:
    """The noun as if one of the lists had no class for it.

    Hardly a training picture shows what COCO has no class for, so that is what tells the network
    how far ImageNet's names alone are to be believed.
    """
    if not dropped:
        return noun
    nothing = np.zeros_like(noun.coco if dropped == "coco" else noun.imagenet)
    changed: dict[str, Any] = {dropped: nothing}
    return replace(noun, **changed)


def _unseen(noun: Noun, objects: NamingInput, rng: np.random.Generator) -> NamingInput:
    """What the networks might say if they had never heard of a noun's classes.

    What they said of these goes to others of the same kind, each network choosing its own: a goat
    is a bear to one and a terrier to the other.
    """
    count = np.arange(len(objects.objectness))
    of_imagenet, of_coco = kind_members()
    kind = KINDS.index(noun.kind)
    classes, names = objects.classes.copy(), objects.names.copy()
    for values, mine, of_kind in (
        (classes, noun.coco > OVERLAPS, of_coco[kind] > 0),
        (names, noun.imagenet > OVERLAPS, of_imagenet[kind] > 0),
    ):
        lost = values[:, mine].sum(axis=1)
        values[:, mine] = 0
        left = np.flatnonzero(of_kind & ~mine)
        for part in (0.6, 0.3):
            taken = rng.choice(left, size=len(count))
            values[count, taken] += part * rng.uniform(0.5, 1, len(count)) * lost
    return replace(objects, classes=np.minimum(classes, 1), names=names)


def _is_right(word: str, noun: Noun, words: list[str], own: Noun) -> bool | None:
    """Whether a word is right for a category; None if that cannot be said."""
    if word in words:
        return True
    if own.kind == "person":
        return None if noun.kind == "person" else False
    shared = (noun.coco > OVERLAPS) & (own.coco > OVERLAPS)
    named = (noun.imagenet > OVERLAPS) & (own.imagenet > OVERLAPS)
    return None if shared.any() or named.any() else False


def train_naming(
    network: NamingNetwork,
    table: ObjectTable,
    held_out: NDArray[np.bool_],
    log: Callable[[str], None],
    steps: int = 3000,
    seed: int = 0,
) -> NamingMeasure:
    """Train on the objects that are not held out; measure on the others.

    Args:
        network: The network.
        table: Objects.
        held_out: (N,) which of them only to measure on.
        log: Told of the progress.
        steps: Optimiser steps.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    questions = NamingQuestions(table, Nouns.load())
    sure = table.categories != UNSURE
    test = questions.draw(np.flatnonzero(sure & held_out), 6000, rng)
    train = np.flatnonzero(sure & ~held_out)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for step in range(steps):
        features, right = (torch.from_numpy(x) for x in questions.draw(train, BATCH, rng))
        loss = functional.binary_cross_entropy_with_logits(network(features), right)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        plan.step()
        if (step + 1) % 500 == 0:
            log(f"naming step {step + 1}: loss {loss.item():.4f}, {_measure(network, *test)}")
    return _measure(network, *test)


@torch.no_grad()
def _measure(network: NamingNetwork, features: Array, right: Array) -> NamingMeasure:
    odds: Tensor = network(torch.from_numpy(features))
    wanted = torch.from_numpy(right)
    entropy = functional.binary_cross_entropy_with_logits(odds, wanted)
    return NamingMeasure(
        float((odds[wanted == 1] > 0).float().mean()),
        float((odds[wanted == 0] < 0).float().mean()),
        float(entropy),
    )
