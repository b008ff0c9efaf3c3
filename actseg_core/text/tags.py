"""The part that each word of a sentence plays, by rules over the shipped lexicon."""

from collections.abc import Sequence

from actseg_core.text import function_words as fixed
from actseg_core.text.lexicon import Lexicon
from actseg_core.text.nouns import Nouns
from actseg_core.text.word_vectors import WordVectors

OPENS_NOUN = frozenset(("det", "num", "colour", "shade", "adj", "ordinal", "size"))
COLOURED = frozenset(("colour", "shade"))
NOUN_LIKE = frozenset(("noun", "pron", "name", "unknown"))
LONGEST_COMPOUND = 3


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
        self._compounds = self._find_compounds()
        for index in range(len(words)):
            self.tags.append("noun" if index in self._compounds else self._tag(index))

    def _find_compounds(self) -> set[int]:
        """Places of words of nouns like "hot dog"; "black swan" is left to its colour."""
        found: set[int] = set()
        for size in range(LONGEST_COMPOUND, 1, -1):
            for start in range(len(self.words) - size + 1):
                words, places = self.words[start : start + size], range(start, start + size)
                plain = words[0] in fixed.PLAIN_COLOURS or found.intersection(places)
                # "Dog eating apple" is about no eating apple.
                before = self._word(start - 1)
                acts = words[0].endswith("ing") and self._names_actor(before)
                acts = acts and before not in fixed.COLOURS
                if not plain and not acts and " ".join(words) in self.nouns:
                    found.update(places)
        return found

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
        if word in fixed.COLOURS and not self._is_fruit(index):
            return "colour"
        if word in fixed.SHADES and (
            word not in ("light", "stripes", "stripe", "spots", "deep")
            or after in fixed.COLOURS
            or (word == "light" and self._next_is_noun(index) and before != "noun")
        ):
            return "shade"
        if word in fixed.RELATIVES and before in NOUN_LIKE | {"place", "colour"}:
            return "rel"
        if word in fixed.PRONOUNS and not (word == "one" and self._next_is_noun(index)):
            return "pron"
        if word in fixed.DETERMINERS:
            return "det"
        if word in fixed.NUMBERS or word.isdecimal():
            return "num"
        if word in fixed.UTMOST and (before == "place" or after in fixed.PLACES):
            return "place"  # "on the right most", "the far left man"
        if word in fixed.PLACES and self._is_place(index):
            return "size" if fixed.PLACES[word] in fixed.SIZES else "place"
        if word in fixed.ORDINALS and (before != "noun" or after == "from"):
            return "ordinal"
        if word in fixed.AUXILIARIES and self._is_auxiliary(index):
            return "aux"
        if word in fixed.ADVERBS:
            return "adv"
        if word in fixed.CONJUNCTIONS:
            return "conj"
        if word == "nearby" and after not in fixed.DETERMINERS:
            return "adv"
        if (
            word in fixed.PREPOSITIONS
            or (word, after) in fixed.PHRASAL
            or word in ("next", "nearby")
        ):
            return "prep"
        return ""

    def _is_fruit(self, index: int) -> bool:
        """Orange, salmon and the like as a thing: there is nothing that it could colour."""
        word, after = self.words[index], self._word(index + 1)
        if word in fixed.PLAIN_COLOURS or not self._is_noun(word):
            return False
        is_adjective = self.lexicon.counts(after)[2] and after not in fixed.PREPOSITIONS
        if self._next_is_noun(index) or after in ("and", "one") or is_adjective:
            return False
        return self._before(index) not in ("aux", "prep", "colour", "shade", "conj")

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
        word, before, after = self.words[index], self._before(index), self._word(index + 1)
        noun, _, adjective, adverb = self.lexicon.counts(word)
        form = verb_form(word, self.lexicon)
        if word in fixed.REGIONS and before in COLOURED and after not in (*fixed.REGIONS, "t"):
            return "noun"  # "black short" for shorts
        if form and self._is_verb(index, form):
            return "verb"
        if adverb and before in ("verb", "adv") and not self._next_is_noun(index):
            return "adv"  # "jumping high"
        if form in ("ing", "ed") and self._next_is_noun(index):
            return "participle"
        acts = after.endswith("ing") and self._names_actor(word)  # "human standing"
        if adjective and adjective >= noun and not acts and not self._stands_as_noun(index):
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
        """Whether a noun phrase goes on after this word: "running black and brown dog"."""
        at = index + 1
        while (
            self._word(at) in fixed.COLOURS
            or self._word(at) in fixed.PLACES
            or (self._word(at) == "and" and self._word(at + 1) in fixed.COLOURS)
        ):
            at += 1
        after = self._word(at)
        if after in fixed.PREPOSITIONS or after in fixed.DETERMINERS or after in fixed.AUXILIARIES:
            return False
        return self._is_noun(after) and after not in fixed.PRONOUNS | fixed.CONJUNCTIONS

    def _names_actor(self, word: str) -> bool:
        return self.nouns.look_up(word).kind in ("person", "animal", "vehicle")

    def _stands_as_noun(self, index: int) -> bool:
        """An adjective that could be a noun is one where no noun follows it."""
        return self._is_noun(self.words[index]) and not self._next_is_noun(index)

    def _is_verb(self, index: int, form: str) -> bool:
        word, before = self.words[index], self._before(index)
        noun, verb, adjective, _ = self.lexicon.counts(word)
        if form == "base" and before != "aux" and self._names_actor(word):
            return before == "pron"  # "the left duck", "a judge", "to mother"
        if self._word(index - 1) == "to" and form == "base" and verb >= noun - 2:
            return self._word(index - 2) != "next"
        if word in fixed.REGIONS and form in ("base", "s") and before != "aux":
            return False
        if form == "ing":
            return self._is_progressive(index)
        if before in OPENS_NOUN or self._word(index - 1) in fixed.POSSESSIVES:
            return form == "s" and self._is_worn_colour(index) and verb > noun
        if form == "ed":
            if before in ("aux", "neg", "adv", "rel"):
                return True
            return verb > max(noun, adjective - 3) and not (
                before in ("", "prep", "conj", "verb") and self._next_is_noun(index)
            )
        if before in ("rel", "pron", "aux"):
            return verb > 0 and (before != "aux" or verb > noun)
        if before in ("noun", "adv", "conj"):
            return self._is_present(index, form)
        return before in ("place", "colour", "name", "unknown") and verb > noun

    def _is_worn_colour(self, index: int) -> bool:
        """Whether the words before are "in red", "wearing light blue", "in all black"."""
        at = index - 1
        while at > 0 and (self.tags[at] in COLOURED or self._word(at) in ("all", "and")):
            at -= 1
        return at < index - 1 and self._word(at) in ("in", "wearing", "wears", "wear")

    def _is_progressive(self, index: int) -> bool:
        """-ing: a verb, unless it stands before the noun that it describes, or is a noun."""
        word, before, previous = self.words[index], self._before(index), self._word(index - 1)
        noun, verb, _, _ = self.lexicon.counts(word)
        describes = self._next_is_noun(index)
        if before in COLOURED and self._is_worn_colour(index):
            return self._word(index + 1) not in fixed.REGIONS
        if previous in fixed.POSSESSIVES or before in ("det", "ordinal", "size"):
            return False
        if before in ("colour", "num", "shade"):  # "white rolling", "with number 3 playing"
            return not describes
        if before == "adj":
            return not describes and (index < 2 or self.tags[index - 2] != "det")
        if before in ("", "prep") or (before == "conj" and "verb" not in self.tags):
            if describes:
                return False
            return before != "prep" or not self._is_noun(word) or verb > noun + 1
        if before == "noun" and self._word(index - 2) in ("do", "does", "doing"):
            return False  # "doing hand clapping"
        return not (before == "verb" and noun >= verb)

    def _is_present(self, index: int, form: str) -> bool:
        """-s or the base form after a noun: "the dog runs", not "sports cars" or "baby toy"."""
        noun, verb, adjective, _ = self.lexicon.counts(self.words[index])
        before = self._before(index)
        if before == "conj" and adjective and self._next_is_noun(index):
            return False
        if before == "noun" and self._has_verb_since_clause(index):
            return False  # "walking during a dog show"
        subject = self.nouns.look_up(self._word(index - 1))
        if before == "noun" and subject.kind not in ("person", "animal", "vehicle"):
            return verb > noun + 1
        if form == "s":
            return verb >= noun
        return verb > noun or (verb == noun and not self._next_is_noun(index))

    def _has_verb_since_clause(self, index: int) -> bool:
        """Whether the clause has its verb already."""
        for at in reversed(range(index)):
            tag = self.tags[at]
            if tag in ("conj", "rel"):
                return False
            if tag == "verb":
                return self.lexicon.verb(self.words[at]) not in fixed.PERCEPTIONS
        return False
