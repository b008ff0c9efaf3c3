"""What a noun stands for: ImageNet classes, COCO classes, its kind, and how well it is known."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from actseg_core.text.lexicon import ROLES, Lexicon, load_lexicon

IMAGENET_CLASSES = 1000
COCO_CLASSES = 80
KINDS = ("person", "animal", "vehicle", "thing", "none")
FULL = 255  # a weight of 1 in the table
NAMES_SHOWN = 4
UNKNOWN = -1
PLURALS = (("ies", "y"), ("ves", "f"), ("men", "man"), ("es", ""), ("s", ""))


@dataclass(frozen=True)
class Noun:
    """What a noun stands for.

    Attributes:
        word: As asked for, in lower case.
        lemma: Its singular; the word itself if it is unknown.
        imagenet: (1000,) float32 in [0, 1], read-only: how far each ImageNet class is one of what
            the noun names ("dog": its 118 breeds 1, everything else 0).
        coco: (80,) float32 in [0, 1], read-only: likewise for COCO's classes ("man": person 1).
        kind: person, animal, vehicle, thing, or none for what no detector could box.
        role: "person", "animal", "vehicle" and "thing" can be asked for; "garment" and "body" are
            parts of an actor; "place" is ground and scenery; "none" is not to be seen.
        known: In [0, 1]: 1 if a class bears the noun's meaning or lies below it, less if only kin
            or word vectors lead to a class, 0 if none does.
    """

    word: str
    lemma: str
    imagenet: NDArray[np.float32] = field(repr=False, compare=False)
    coco: NDArray[np.float32] = field(repr=False, compare=False)
    kind: str
    role: str
    known: float

    @property
    def is_actor(self) -> bool:
        """Whether a robot can be asked for it: a person, an animal, a vehicle or a thing."""
        return self.kind != "none"

    @property
    def reading(self) -> str:
        """One line for people: its classes, its kind, how well it is known."""
        lexicon = load_lexicon()
        classes = [
            f"{title} {_names(weights, names)}"
            for title, weights, names in (
                ("COCO", self.coco, lexicon.coco_names),
                ("ImageNet", self.imagenet, lexicon.imagenet_names),
            )
            if weights.any()
        ]
        stands_for = "; ".join(classes) or "no class"
        return f"{self.word}: {self.role}, known {self.known:.1f}; {stands_for}"


def _names(weights: NDArray[np.float32], names: tuple[str, ...]) -> str:
    order = [k for k in np.argsort(-weights, kind="stable") if weights[k] > 0]
    shown = [
        names[k] if weights[k] == 1 else f"{names[k]} ({weights[k]:.1f})"
        for k in order[:NAMES_SHOWN]
    ]
    more = len(order) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


class Nouns:
    """The nouns of the shipped table.

    Args:
        lexicon: The table.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._meaning = lru_cache(maxsize=4096)(self._build)

    @classmethod
    def load(cls) -> Self:
        """The shipped table.

        Raises:
            VocabularyError: If its file is damaged.
        """
        return cls(load_lexicon())

    def __contains__(self, noun: str) -> bool:
        return self._row(noun) is not None

    def look_up(self, noun: str) -> Noun:
        """What a noun, a plural or a compound ("golden retriever") stands for.

        A compound that is not in the table is read as its last word; a possessive as its owner.
        A noun that nobody knows has no class, kind "none" and known 0.
        """
        noun = noun.lower().removesuffix("'s")
        row = self._row(noun)
        if row is None:
            words = noun.replace("-", " ").split()
            rows = (self._row(" ".join(words[start:])) for start in range(len(words)))
            row = next((found for found in rows if found is not None), UNKNOWN)
        return self._meaning(row, noun)

    def _row(self, noun: str) -> int | None:
        """Row of a noun; of its singular if the plural is too rare for the table."""
        table = self.lexicon.nouns
        if noun in table:
            return table[noun]
        before, space, last = noun.rpartition(" ")
        singulars = [self.lexicon.noun_lemma(table[last])] if last in table else []
        for ending, single in PLURALS:
            if last.endswith(ending) and len(last) > len(ending) + 1:
                singulars.append(last.removesuffix(ending) + single)
        names = (before + space + single for single in singulars)
        return next((table[name] for name in names if name in table), None)

    def _build(self, row: int, word: str) -> Noun:
        arrays = self.lexicon.arrays
        weights = np.zeros(IMAGENET_CLASSES + COCO_CLASSES, np.float32)
        role, known, lemma = "none", 0.0, word
        if row >= 0:
            meaning = int(arrays["meaning"][row])
            cells = slice(int(arrays["start"][meaning]), int(arrays["start"][meaning + 1]))
            weights[arrays["classes"][cells]] = arrays["weights"][cells].astype(np.float32) / FULL
            role = ROLES[int(arrays["role"][meaning])]
            known = float(arrays["known"][meaning]) / FULL
            lemma = self.lexicon.noun_lemma(row)
        weights.flags.writeable = False
        kind = role if role in KINDS else "none"
        imagenet, coco = weights[:IMAGENET_CLASSES], weights[IMAGENET_CLASSES:]
        return Noun(word, lemma, imagenet, coco, kind, role, known)
