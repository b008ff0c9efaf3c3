"""The table of nouns and words that ships with the package (written by tools/export_nouns.py)."""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DAMAGED_ARRAYS, VocabularyError

PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
# What a noun is to a robot: the first three and things can act or be acted with.
ROLES = ("none", "person", "animal", "vehicle", "thing", "garment", "body", "place")
# How a verb moves the actor as a whole; "acting" is in place.
MOTIONS = (
    *("acting", "still", "slow", "moving", "fast", "airborne", "jumping", "rolling", "climbing"),
)


@dataclass(frozen=True)
class Lexicon:
    """The arrays of the table, and where each word's rows are.

    Attributes:
        nouns: Row of each noun, plural and compound.
        noun_list: The same in order.
        words: Row of each word that is a noun, verb, adjective or adverb.
        verbs: Verb lemmas.
        verb_numbers: Where each is among them.
        imagenet_names: A short name of each of the 1,000 classes.
        coco_names: Of the 80 classes.
        arrays: As written.
    """

    nouns: dict[str, int]
    noun_list: tuple[str, ...]
    words: dict[str, int]
    verbs: tuple[str, ...]
    verb_numbers: dict[str, int]
    imagenet_names: tuple[str, ...]
    coco_names: tuple[str, ...]
    arrays: dict[str, NDArray[np.generic]]

    def noun_lemma(self, row: int) -> str:
        """The singular of the noun in a row."""
        return self.noun_list[int(self.arrays["lemma"][row])]

    def counts(self, word: str) -> tuple[int, int, int, int]:
        """How common a word is as noun, verb, adjective and adverb.

        0 where it is never that, otherwise 1 + log2(1 + its count in a tagged text), at most 15.
        """
        row = self.words.get(word)
        if row is None:
            return (0, int(self._verb_number(word) is not None), 0, 0)
        noun, verb, adjective, adverb = self.arrays["parts_of_speech"][row].tolist()
        return (noun, verb, adjective, adverb)

    def verb(self, word: str) -> str | None:
        """The verb that a word is a form of."""
        number = self._verb_number(word)
        return None if number is None else self.verbs[number]

    def motion(self, word: str) -> str:
        """How the verb that a word is a form of moves: one of MOTIONS; "acting" if none."""
        number = self._verb_number(word)
        return MOTIONS[0] if number is None else MOTIONS[int(self.arrays["motion"][number])]

    def _verb_number(self, word: str) -> int | None:
        row = self.words.get(word)
        if row is not None:
            number = int(self.arrays["verb"][row])
            return None if number < 0 else number
        stems = (word.removesuffix(ending) for ending in ("ing", "ed") if word.endswith(ending))
        for stem in stems:  # a form too rare for the table
            for lemma in (stem, stem + "e", stem[:-1]):
                if lemma in self.verb_numbers:
                    return self.verb_numbers[lemma]
        return None


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The shipped table, read once.

    Raises:
        VocabularyError: If the file is damaged.
    """
    return read_lexicon(Path(str(resources.files("actseg_core") / "text" / "nouns.npz")))


def read_lexicon(path: Path) -> Lexicon:
    """A table as tools/export_nouns.py writes it.

    Raises:
        VocabularyError: If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        nouns, words, verbs, imagenet, coco = (
            tuple(arrays.pop(name).tobytes().decode().split("\n"))
            for name in ("nouns", "words", "verbs", "imagenet_names", "coco_names")
        )
    except DAMAGED_ARRAYS as error:
        raise VocabularyError(
            f"the table of nouns {path} is missing or damaged ({error}); install actseg again"
        ) from error
    return Lexicon(
        {word: row for row, word in enumerate(nouns)},
        nouns,
        {word: row for row, word in enumerate(words)},
        verbs,
        {verb: number for number, verb in enumerate(verbs)},
        imagenet,
        coco,
        arrays,
    )
