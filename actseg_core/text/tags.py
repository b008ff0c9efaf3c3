"""The part that each word of a sentence plays, by rules over the shipped lexicon."""

from collections.abc import Sequence

from actseg_core.text import function_words as fixed
from actseg_core.text.lexicon import Lexicon
from actseg_core.text.nouns import Nouns
from actseg_core.text.word_vectors import WordVectors

OPENS_NOUN = frozenset(("det", "num", "colour", "shade", "adj", "ordinal", "size"))
NOUN_LIKE = frozenset(("noun", "pron", "name", "unknown"))
ENDS = ("ing", "ed", "s", "base")


def verb_form(word: str, lexicon: Lexicon) -> str | None:
    """ "ing", "s", "base", or "ed" for past forms and participles; None if it is no verb."""
    verb = lexicon.verb(word)
    if verb is None or not lexicon.counts(word)[1]:
        return None
    if word == verb:
        return "base"
    if word.endswith("ing"):
        return "ing"
    return "s" if word.endswith("s") and not verb.endswith(word[-2:]) else "ed"


class Tagger:
    """Gives each word of one sentence its tag.

    Args:
        words: In lower case.
        nouns: What is a noun.
        vectors: What is a word at all.

    Attributes:
        tags: One per word: det, num, neg, aux, rel, conj, prep, pron, colour, shade, place, size,
            ordinal, noun, verb, participle (a verb before the noun it belongs to), adj, adv,
            name (a word without a part of speech), unknown (no word that anybody knows).
    """

    def __init__(self, words: Sequence[str], nouns: Nouns, vectors: WordVectors) -> None:
        self.words, self.nouns, self.lexicon, self.vectors = words, nouns, nouns.lexicon, vectors
        self.tags: list[str] = []
        for index in range(len(words)):
            self.tags.append(self._tag(index))

    def _word(self, index: int) -> str:
        return self.words[index] if 0 <= index < len(self.words) else ""

    def _before(self, index: int) -> str:
        return self.tags[index - 1] if index > 0 else ""

    def _is_noun(self, word: str) -> bool:
        return word in self.nouns and bool(
            self.lexicon.counts(word)[0] or word not in self.lexicon.words
        )

    def _tag(self, index: int) -> str:
        word = self.words[index]
        for tag in (self._fixed(index), self._open(index)):
            if tag:
                return tag
        return "name" if word in self.vectors else "unknown"

    def _fixed(self, index: int) -> str:
        word, after, before = self.words[index], self._word(index + 1), self._before(index)
        if word in fixed.NEGATIONS or word.endswith("n't"):
            return "neg"
        if word in fixed.COLOURS and not self._is_fruit(index) and not self._ends_compound(index):
            return "colour"
        if word in fixed.SHADES and (
            word not in ("light", "stripes", "stripe", "spots", "deep") or after in fixed.COLOURS
        ):
            return "shade"
        if word in fixed.RELATIVES and before in NOUN_LIKE | {"place", "colour"}:
            return "rel"
        if word in fixed.PRONOUNS and not (word == "one" and self._is_noun(after)):
            return "pron"
        if word in fixed.DETERMINERS:
            return "det"
        if word in fixed.NUMBERS or word.isdecimal():
            return "num"
        if word in fixed.PLACES and self._is_place(index):
            return "size" if fixed.PLACES[word] in fixed.SIZES else "place"
        if word in fixed.ORDINALS and (before != "noun" or after == "from"):
            return "ordinal"
        if word in fixed.AUXILIARIES and self._is_auxiliary(index):
            return "aux"
        if word in fixed.CONJUNCTIONS:
            return "conj"
        if word in fixed.PREPOSITIONS or (word, after) in fixed.PHRASAL or word == "next":
            return "prep"
        return ""

    def _is_fruit(self, index: int) -> bool:
        """Orange and the like as a thing: nothing that it could colour comes after it."""
        word, after = self.words[index], self._word(index + 1)
        if word not in ("orange", "lime", "olive", "rose", "chestnut", "violet"):
            return False
        if self._is_noun(after) or after in fixed.COLOURS or after in ("and", "one"):
            return False
        determined = self._before(index) in ("det", "num", "adj", "size")
        return len(self.words) == 1 or determined or self._before(index) == "verb"

    def _ends_compound(self, index: int) -> bool:
        """Whether it is no colour but the end of a noun: "ice cream"."""
        return self._before(index) == "noun" and (
            f"{self._word(index - 1)} {self.words[index]}" in self.nouns
        )

    def _is_place(self, index: int) -> bool:
        word, before, after = self.words[index], self._before(index), self._word(index + 1)
        if word in ("top", "tops"):
            return before not in ("colour", "shade", "adj") and not (
                before == "det" and self._word(index - 1) in ("a", "an")
            )
        if word == "back":
            return self._word(index - 1) not in fixed.POSSESSIVES
        if word in ("rear", "center", "centre", "front", "lower", "further", "closer"):
            return before != "verb" or after != "the"
        return True

    def _is_auxiliary(self, index: int) -> bool:
        word, after = self.words[index], self._word(index + 1)
        if word in ("going", "getting", "gets", "got"):
            return after == "to" and verb_form(self._word(index + 2), self.lexicon) == "base"
        return True

    def _open(self, index: int) -> str:
        word, before = self.words[index], self._before(index)
        noun, _, adjective, adverb = self.lexicon.counts(word)
        form = verb_form(word, self.lexicon)
        if form and self._is_verb(index, form):
            return "verb"
        if form in ("ing", "ed") and self._next_is_noun(index):
            return "participle"
        if adjective and adjective >= noun and not self._stands_as_noun(index):
            return "adj"
        if self._is_noun(word):
            return "noun"
        if adjective or word.endswith("ed"):
            return "adj"
        if adverb or word.endswith("ly"):
            return "adv"
        if form:
            return "verb" if before not in OPENS_NOUN else "noun"
        return ""

    def _next_is_noun(self, index: int) -> bool:
        """Whether a noun phrase goes on after this word."""
        after = self._word(index + 1)
        if after in fixed.COLOURS or after in fixed.PLACES:
            return self._is_noun(self._word(index + 2))
        if after in fixed.PREPOSITIONS or after in fixed.DETERMINERS or after in fixed.AUXILIARIES:
            return False
        return self._is_noun(after) and after not in fixed.PRONOUNS | fixed.CONJUNCTIONS

    def _next_is_garment(self, index: int) -> bool:
        return self._word(index + 1) in fixed.GARMENTS

    def _stands_as_noun(self, index: int) -> bool:
        """An adjective that could be a noun is one where no noun follows it."""
        return self._is_noun(self.words[index]) and not self._next_is_noun(index)

    def _is_verb(self, index: int, form: str) -> bool:
        word, before = self.words[index], self._before(index)
        noun, verb, adjective, _ = self.lexicon.counts(word)
        previous = self._word(index - 1)
        if previous == "to" and form == "base" and verb >= noun - 2:
            return self._word(index - 2) != "next"
        if word in fixed.REGIONS and form in ("base", "s") and before != "aux":
            return False
        worn = before == "colour" and self._word(index - 2) in ("in", "wearing", "wears")
        if worn and form in ("ing", "s") and not self._next_is_garment(index):
            return True
        if before in OPENS_NOUN or previous in fixed.POSSESSIVES:
            return False
        if form == "ing":
            return self._is_progressive(index)
        if form == "ed":
            if before in ("aux", "neg", "adv", "rel"):
                return True
            return verb > max(noun, adjective - 3) and not (
                before in ("", "prep", "conj", "verb") and self._next_is_noun(index)
            )
        if before in ("rel", "pron", "aux"):
            return verb > 0 and (before != "aux" or verb > noun)
        if before == "noun" or before == "adv" or before == "conj":
            return self._is_present(index, form)
        return before in ("place", "colour", "name", "unknown") and verb > noun

    def _is_progressive(self, index: int) -> bool:
        """-ing: a verb, unless it stands before the noun that it describes."""
        word, before = self.words[index], self._before(index)
        noun, verb, _, _ = self.lexicon.counts(word)
        described = before in ("", "prep") or (before == "conj" and "verb" not in self.tags)
        if described and self._next_is_noun(index):
            return False
        if before == "prep" and self._word(index - 1) not in ("by", "while", "from", "after"):
            return not self._is_noun(word) or not noun
        return not (before == "verb" and noun >= verb)

    def _is_present(self, index: int, form: str) -> bool:
        """-s or the base form after a noun: "the dog runs", not "sports cars" or "baby toy"."""
        noun, verb, _, _ = self.lexicon.counts(self.words[index])
        subject = self.nouns.look_up(self._word(index - 1))
        if self._before(index) == "noun" and subject.kind not in ("person", "animal", "vehicle"):
            return verb > noun + 1
        if form == "s":
            return verb >= noun
        if self.nouns.look_up(self.words[index]).kind == "animal":  # "baby duck"
            return False
        return verb > noun or (verb == noun and not self._next_is_noun(index))
