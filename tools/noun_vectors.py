"""Word vectors beside WordNet: which sense a word has in use, and what lies near a class."""

import re

import numpy as np
from numpy.typing import NDArray
from wordnet import Part

from actseg_core.text.word_vectors import WordVectors

# Words of definitions that say nothing of the meaning.
COMMON = """
a an the of or and in for to with that is by as from used on who which any usually are it be has
have having one at its such not other especially etc into but often can their his your than this
some more made very being was were something someone
"""
Vector = NDArray[np.float32]


class Near:
    """Vectors of words, senses and classes, all of length 1.

    Args:
        vectors: The shipped ones.
        nouns: WordNet's nouns.
        class_offsets: Synset of each ImageNet class.
    """

    def __init__(self, vectors: WordVectors, nouns: Part, class_offsets: list[int]) -> None:
        self.vectors, self.nouns = vectors, nouns
        self.classes = np.stack([self._class(offset) for offset in class_offsets])

    def of(self, words: list[str]) -> Vector | None:
        """Mean of the words' vectors; None if none has one."""
        rows = [row for word in words if (row := self.vectors.lookup(word)) is not None]
        return unit(np.mean(rows, axis=0)) if rows else None

    def to_classes(self, word: str) -> Vector | None:
        """(1000,) cosines of a word with each ImageNet class."""
        row = self.of(word.split())
        return None if row is None else self.classes @ row

    def to_sense(self, word: str, offset: int) -> float:
        """Cosine of a word with the other words, the kind and the definition of a sense."""
        mine = self.of([word])
        synset = self.nouns.synsets[offset]
        kinds = [self.nouns.synsets[o].lemmas[:2] for o in self.nouns.ancestors(offset)[1:3]]
        common = COMMON.split()
        definition = re.findall("[a-z]+", synset.gloss.split(";")[0].lower())
        sources = (
            _words(synset.lemmas),
            _words([lemma for lemmas in kinds for lemma in lemmas]),
            [part for part in definition if part not in common],
        )
        rows = [self.of([part for part in source if part != word]) for source in sources]
        found = [row for row in rows if row is not None]
        if mine is None or not found:
            return 0.5  # neither for nor against
        return float(mine @ unit(np.mean(found, axis=0)))

    def _class(self, offset: int) -> Vector:
        lemmas = self.nouns.synsets[offset].lemmas
        rows = [self.of(_words([lemma])) for lemma in lemmas]
        rows += [self.of(_words([lemma])[-1:]) for lemma in lemmas]
        found = [row for row in rows if row is not None]
        return unit(np.mean(found, axis=0)) if found else np.zeros(self.vectors.dim, np.float32)


def unit(row: Vector) -> Vector:
    """A vector of length 1."""
    return row / max(float(np.linalg.norm(row)), 1e-8)


def _words(lemmas: tuple[str, ...] | list[str]) -> list[str]:
    return [word for lemma in lemmas for word in lemma.lower().replace("-", "_").split("_")]
