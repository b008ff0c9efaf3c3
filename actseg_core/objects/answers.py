"""From evidence to an answer: which objects are meant, how sure that is, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from actseg_core.objects.evidence import PartEvidence, Scene, SceneNaming, ridden, weigh
from actseg_core.text.sentence_parts import SentenceParts

Array = NDArray[np.float32]
MARGIN = 1.2  # "dog": objects whose total is this near to the best one's are meant as well
TOLD_APART_MARGIN = 0.4  # the same for "the black dog on the left", which tells it from others
PLURAL_MARGIN = 4.0  # "dogs"
AREA_WEIGHT = 0.8  # of the logarithm of an object's area: who asks for "a man" means no speck
MOTION_WEIGHT = 0.5  # of an object's motion: people talk about what moves
KEPT_BONUS = 0.8  # for what was meant in the frame before, so that answers do not flicker
HYSTERESIS = 0.4  # of its log-odds: what was found stays found a little longer
DOUBTS = {"who": 0.0, "looks": 2.0, "does": 3.5, "beside": 1.5, "where": 3.0}
"""Added to a part's log-odds before it lowers the confidence: how far a part is trusted to turn
an actor away that fits the noun."""
SURE = 2.0  # log-odds that cost no confidence


@dataclass(frozen=True, eq=False)
class MeantObject:
    """One object that a sentence means.

    Attributes:
        track: The track's id.
        confidence: Probability that it is what the sentence says.
        box: (4,) centre x, y, width, height, as shares of the picture's sides.
        mask: (m, m) float32 probabilities.
        log_odds: Of each part of the evidence.
    """

    track: int
    confidence: float
    box: Array
    mask: Array
    log_odds: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ObjectAnswer:
    """What a sentence means in one scene.

    Attributes:
        confidence: Probability that what is described is there.
        mask: (m, m) float32 probabilities of all that is meant; zeros if nothing is.
        meant: The objects, best first.
        evidence: The parts of the sentence that speak, in the order of `MeantObject.log_odds`.
    """

    confidence: float
    mask: Array
    meant: tuple[MeantObject, ...] = ()
    evidence: tuple[PartEvidence, ...] = ()


@dataclass(eq=False)
class AnswerMemory:
    """What one sentence meant in the frame before, of one stream."""

    tracks: frozenset[int] = field(default_factory=frozenset)
    found: bool = False


def answer(parts: SentenceParts, naming: SceneNaming, memory: AnswerMemory) -> ObjectAnswer:
    """What a sentence means in a scene.

    Args:
        parts: What the sentence says.
        naming: The scene, with at least one object.
        memory: What it meant before; kept up to date.
    """
    scene = naming.scene
    evidence = weigh(parts, naming)
    confidences = object_confidences(evidence)
    numbers = scene.numbers
    kept = np.array([number in memory.tracks for number in numbers], np.float32)
    count = parts.who.count
    chosen = choose(scene, evidence, confidences, KEPT_BONUS * kept, parts.who.plural, count)
    best = float(max(confidences[k] for k in chosen))
    if memory.found:
        odds = np.log(max(best, 1e-6) / max(1 - best, 1e-6)) + HYSTERESIS
        best = float(1 / (1 + np.exp(-odds)))
    shown = [*chosen, *ridden(parts, naming, chosen)]
    memory.tracks = frozenset(numbers[k] for k in chosen)
    return ObjectAnswer(
        best,
        scene.masks[shown].max(axis=0),
        tuple(
            MeantObject(
                numbers[k],
                float(confidences[k]),
                scene.boxes[k],
                scene.masks[k],
                tuple(float(item.log_odds[k]) for item in evidence),
            )
            for k in chosen
        ),
        tuple(evidence),
    )


def choose(
    scene: Scene,
    evidence: Sequence[PartEvidence],
    confidences: Array,
    bonus: Array,
    plural: bool,
    count: int | None,
) -> list[int]:
    """Rows of the objects that a sentence means, best first, at least one.

    Args:
        scene: K objects.
        evidence: Of each part for each object.
        confidences: (K,) of `object_confidences`.
        bonus: (K,) added to each object's log-odds.
        plural: Whether the sentence may mean several.
        count: How many it says, or None.
    """
    total = np.sum([item.log_odds for item in evidence], axis=0) + bonus
    size = np.log(np.maximum(scene.areas, 1e-4))
    saliency = AREA_WEIGHT * (size - size.max())
    saliency = saliency + MOTION_WEIGHT * np.clip(scene.motion[:, 3], 0, 3)
    order = np.argsort(-(total + saliency), kind="stable")
    best = int(order[0])
    worth = total if plural else total + saliency
    floor = max(0.5 * float(confidences[best]), 0.2)
    fits = [int(k) for k in order if confidences[k] >= floor]
    margin = PLURAL_MARGIN if plural else MARGIN if len(evidence) == 1 else TOLD_APART_MARGIN
    chosen = [k for k in fits if worth[k] >= worth[best] - margin] or [best]
    if count is not None:
        chosen = chosen[:count] if len(chosen) >= count else fits[:count] or [best]
    return chosen


def object_confidences(evidence: Sequence[PartEvidence]) -> Array:
    """(K,) probability that each object is what the sentence says: its parts' joint doubt."""
    result = np.ones_like(evidence[0].log_odds)
    for item in evidence:
        doubt = DOUBTS[item.part]
        best = 1.0 if item.part == "who" else _sigmoid(np.float32(SURE + doubt))
        result = result * np.minimum(_sigmoid(item.log_odds + doubt) / best, 1)
    return np.asarray(result, np.float32)


def _sigmoid(value: Array | np.float32) -> Array:
    return np.asarray(1 / (1 + np.exp(-value)), np.float32)
