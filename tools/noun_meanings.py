"""What a noun means to a robot: which of its senses, and the classes of those."""

import math
import re
from dataclasses import dataclass, field
from functools import cache

from noun_classes import Classes
from noun_vectors import Near

# How much likelier a robot's operator means such a sense than running text does.
FAVOUR = {"animal": 4.0, "vehicle": 4.0, "person": 1.5, "thing": 1.0, "garment": 2.0}
FAVOUR |= {"body": 1.0, "place": 0.7, "none": 0.5}
NAMED_FAVOUR = 6.0  # a class bears this very meaning
SENSE_SHARPNESS = 7.0  # of the cosine between a word and its sense: e times likelier per 1 / 7
LEAST_SHARE = 0.3  # senses below this share of the first one's score are left out
CLOSE = 4  # steps up to the ancestor whose classes are kin
KIN_LIMIT = 40  # an ancestor with more classes below says too little
KIN = 0.6  # weight of a class that is only kin
NEAREST_KIN = 6
LEAST_COSINE = 0.4
COSINE_SPAN = 0.15  # kin further from the word than this below the nearest are left out
COVERED = 2.0  # a thing is well known if half of what it may be has a class
LEAST_KNOWN = 0.2
LARGEST_KIND = 120  # classes of dogs; an "animal" is no kind that something is a young of
YOUNG = re.compile(
    r"^(?:an? )?(?:young|immature|adult|mature|male|female)(?: \w+)? (?:of )?(?:an? )?"
    r"(?:domestic )?([a-z]+)"
)


@dataclass(frozen=True)
class Meaning:
    """What a noun stands for.

    Attributes:
        imagenet: Weight by class.
        coco: Weight by class.
        role: As in ROOTS of noun_classes, or "none".
        known: In [0, 1].
    """

    imagenet: dict[int, float] = field(default_factory=dict)
    coco: dict[int, float] = field(default_factory=dict)
    role: str = "none"
    known: float = 0.0


class Meanings:
    """Meanings of senses and lemmas.

    Args:
        classes: On WordNet's hierarchy.
        near: Word vectors.
    """

    def __init__(self, classes: Classes, near: Near) -> None:
        self.classes, self.near, self.nouns = classes, near, classes.nouns

    @cache  # noqa: B019
    def of_sense(self, offset: int, word: str) -> Meaning:
        """The classes of one sense of a word: at it, below it, above it, or else its kin."""
        role = self.classes.role(offset)
        coco = dict.fromkeys(self.classes.coco(offset), 1.0)
        at_or_below = self.classes.imagenet_below(offset)
        imagenet = dict.fromkeys(at_or_below or self.classes.imagenet_above(offset), 1.0)
        known = self._known(offset, role, bool(imagenet or coco))
        if not imagenet and role in ("animal", "vehicle") and not self._is_young(offset):
            imagenet = self._kin(offset, word)
            known = max(known, KIN if imagenet else 0.0)
        if not imagenet and (adult := self._adult(offset)) is not None:
            of_adult = self.of_sense(adult, word)
            imagenet, coco = of_adult.imagenet, coco or of_adult.coco
            known = max(known, of_adult.known)
        return Meaning(imagenet, coco, role, known)

    def _known(self, offset: int, role: str, named: bool) -> float:
        """1 for what has a class; for things that are many things, how many of them have one."""
        above = self.nouns.ancestors(offset)
        if not named:
            return 0.0
        exact = any(o in self.classes.imagenet_of or o in self.classes.coco_of for o in above)
        if exact or role == "person":
            return 1.0
        share = min(1.0, COVERED * self.classes.coverage(offset))
        return max(LEAST_KNOWN, math.sqrt(share))

    def _kin(self, offset: int, word: str) -> dict[int, float]:
        """Classes below the nearest ancestor that has any, those nearest to the word."""
        cosines = self.near.to_classes(word)
        for above in self.nouns.ancestors(offset)[1 : 1 + CLOSE]:
            members = self.classes.imagenet_below(above)
            if not members:
                continue
            if above in self.classes.coco_of:  # a mare: all horses
                return dict.fromkeys(members, KIN)
            if cosines is None or len(members) > KIN_LIMIT:
                return {}
            order = sorted(members, key=lambda index: -cosines[index])[:NEAREST_KIN]
            least = max(LEAST_COSINE, cosines[order[0]] - COSINE_SPAN)
            return {index: KIN for index in order if cosines[index] >= least}
        return {}

    def _is_young(self, offset: int) -> bool:
        return self._adult(offset) is not None

    def _adult(self, offset: int) -> int | None:
        """ "young domestic cat" is a cat, though WordNet puts kittens below young mammals."""
        found = YOUNG.match(self.nouns.synsets[offset].gloss)
        if self.classes.role(offset) != "animal" or not found:
            return None
        for other in self.nouns.senses.get(found[1], ()):
            few = len(self.classes.imagenet_below(other)) <= LARGEST_KIND
            if other != offset and few and self.classes.role(other) == "animal":
                return other
        return None

    def of_lemma(self, lemma: str, chosen: dict[int, float] | None = None) -> Meaning:
        """The senses of a lemma, weighted; `chosen` gives weights by number instead."""
        senses = self.nouns.senses[lemma]
        word = lemma.replace("_", " ")
        merged = Meaning()
        weights = self._weigh(lemma) if chosen is None else chosen
        for number, weight in sorted(weights.items(), key=lambda item: -item[1]):
            one = self.of_sense(senses[number - 1], word)
            merged = Meaning(
                _union(merged.imagenet, one.imagenet, weight),
                _union(merged.coco, one.coco, weight),
                one.role if merged.role == "none" else merged.role,
                max(merged.known, min(one.known, weight)),
            )
        return merged

    def _weigh(self, lemma: str) -> dict[int, float]:
        """Weight of each sense that is meant, the likeliest 1."""
        scores, senses = {}, self.nouns.senses[lemma]
        for number, offset in enumerate(senses, 1):
            if self.nouns.synsets[offset].is_name:
                continue
            score = math.sqrt(self.nouns.counts.get((lemma, number), 0) + 1.0) / number
            score *= FAVOUR[self.classes.role(offset)]
            if offset in self.classes.imagenet_of or offset in self.classes.coco_of:
                score *= NAMED_FAVOUR
            cosine = self.near.to_sense(lemma, offset)
            scores[number] = score * math.exp(SENSE_SHARPNESS * cosine)
        scores = self._visible(scores, senses)
        best = max(scores, key=lambda number: scores[number], default=0)
        role = self.classes.role(senses[best - 1]) if best else "none"
        return {
            number: score / scores[best]
            for number, score in scores.items()
            if score >= LEAST_SHARE * scores[best]
            and (
                self.classes.role(senses[number - 1]) == role
                or senses[number - 1] in self.classes.imagenet_of
            )
        }

    def _visible(self, scores: dict[int, float], senses: tuple[int, ...]) -> dict[int, float]:
        """Without the senses that cannot be seen, if one that can is nearly as likely."""
        best = max(scores.values(), default=0.0)
        seen = {k: s for k, s in scores.items() if self.classes.role(senses[k - 1]) != "none"}
        return seen if seen and max(seen.values()) >= LEAST_SHARE * best else scores


def _union(one: dict[int, float], other: dict[int, float], weight: float) -> dict[int, float]:
    merged = dict(one)
    for index, value in other.items():
        merged[index] = max(merged.get(index, 0.0), value * weight)
    return merged
