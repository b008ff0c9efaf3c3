"""Reads the parts of a sentence: tags, then phrases from left to right."""

from collections.abc import Sequence
from dataclasses import replace

from actseg_core.errors import VocabularyError
from actseg_core.text import function_words as fixed
from actseg_core.text.noun_phrases import Chunk, read_chunk
from actseg_core.text.nouns import Nouns
from actseg_core.text.places import read_place, relation_at
from actseg_core.text.sentence_parts import (
    Action,
    Beside,
    Look,
    NounPhrase,
    Place,
    SentenceParts,
)
from actseg_core.text.tags import Tagger
from actseg_core.text.word_vectors import WordVectors

MOVING = frozenset(("slow", "moving", "fast", "airborne", "jumping", "rolling", "climbing"))
OPPOSITE = {"left": "right", "right": "left", "top": "down", "bottom": "up", "back": "towards"}
TOWARDS = {"left": "left", "right": "right", "top": "up", "bottom": "down", "front": "towards"}
TOWARDS |= {"back": "away"}
CHUNK = frozenset(
    ("det", "num", "colour", "shade", "place", "size", "ordinal", "adj", "participle", "noun")
    + ("pron", "name", "unknown")
)
SILENT = frozenset(("det", "aux", "conj", "rel", "neg", "unknown"))
ORDINAL = "ordinal"  # "second", until "from the left" says of what
CAMERA = frozenset(("camera", "us", "me", "viewer"))


def read_parts(words: Sequence[str], nouns: Nouns, vectors: WordVectors) -> SentenceParts:
    """Take a sentence apart.

    Args:
        words: As `SentenceReader` or `tokenize` gives them.
        nouns: What nouns stand for.
        vectors: A word that is in neither table is unknown.

    Raises:
        VocabularyError: If there is no word.
    """
    if not words:
        raise VocabularyError("the sentence holds no word; send one like 'dog running'")
    return _Parser(tuple(word.lower() for word in words), nouns, vectors).read()


class _Parser:
    """The state of one reading."""

    def __init__(self, words: tuple[str, ...], nouns: Nouns, vectors: WordVectors) -> None:
        self.words = words
        self.nouns, self.lexicon = nouns, nouns.lexicon
        owned = tuple(word.removesuffix("'s") if len(word) > 2 else word for word in words)
        self.bare = owned
        self.tags = Tagger(owned, nouns, vectors).tags
        self.used: set[int] = set()
        self.negations: list[int] = []
        self.denies = False
        self.who: NounPhrase | None = None
        self.also: list[NounPhrase] = []
        self.looks: list[Look] = []
        self.where: list[Place] = []
        self.does: list[Action] = []
        self.beside: list[Beside] = []
        self.relation: tuple[str, tuple[int, ...]] | None = None  # waits for its noun
        self.wearing = False  # what comes is worn: "in", "with", "wearing"
        self.second: int | None = None  # index in `beside` that a relative clause belongs to

    def read(self) -> SentenceParts:
        index = self._skip_command()
        while index < len(self.words):
            index = self._step(index)
        who = self.who or self._unsaid()
        unknown = tuple(k for k, tag in enumerate(self.tags) if tag == "unknown")
        unused = tuple(
            k for k, tag in enumerate(self.tags) if k not in self.used and tag not in SILENT
        )
        return SentenceParts(
            words=self.words,
            who=who,
            also=tuple(self.also),
            looks=tuple(self.looks),
            where=tuple(self.where),
            does=tuple(self.does),
            beside=tuple(self.beside),
            negations=tuple(self.negations),
            unused=unused,
            unknown=unknown,
        )

    def _skip_command(self) -> int:
        """ "show me the dog", "where is the dog", "there is a dog": the first word of the dog."""
        index = 0
        while index < len(self.words) and self.words[index] in fixed.COMMANDS:
            index += 1
        starts = ("det", "num", "pron", "colour", "shade", "adj", "noun", "unknown", "name")
        if index == 0 or index == len(self.words) or self.tags[index] not in starts:
            index = 0
        if self.tags[index] == "noun" and index == 1 and self.words[0] not in ("find", "show"):
            index = 0
        while index and self.tags[index - 1] in ("det", "num"):
            index -= 1
        self.used.update(range(index))
        return index

    def _step(self, index: int) -> int:
        tag = self.tags[index]
        if tag == "neg":
            self.negations.append(index)
            self.denies = True
            self.wearing = self.words[index] == "without" or self.wearing
            self.relation = ("with", (index,)) if self.words[index] == "without" else self.relation
            return index + 1
        if tag == "conj":
            if self.words[index] in ("but", "while", "as", "then"):
                self.relation, self.wearing = None, False
            return index + 1
        if tag in ("aux", "rel"):
            self.relation, self.wearing = None, False
            if tag == "rel":
                near = bool(self.beside) and index - 1 in self.beside[-1].words
                self.second = len(self.beside) - 1 if near else None
            return index + 1
        if tag == "prep":
            return self._preposition(index)
        if tag == "verb":
            return self._verb(index)
        if tag in CHUNK:
            return self._noun_phrase(index)
        return index + 1

    # -- prepositions

    def _preposition(self, index: int) -> int:
        size, relation = relation_at(self.words, index)
        after = index + size
        self.used.update(range(index, after))
        if relation == "of" and (end := self._of(after)):
            return end
        ranked = relation == "from" and bool(self.where) and self.where[-1].name == ORDINAL
        place = read_place(after, self.words, self.tags, ranked)
        if place is not None and relation in ("in", "on", "at", "to", "from", "by", "towards"):
            return self._place_phrase(index, relation, *place)
        if after >= len(self.words) or self.tags[after] not in CHUNK | {"neg"}:
            self._particle(index)
            self.relation = None
            return after
        if relation in ("to", "towards", "away from") and self._towards_camera(
            index, relation, after
        ):
            return after + 1 + (self.tags[after] == "det")
        self.relation = (relation, tuple(range(index, after)))
        self.wearing = relation in ("in", "with")
        return after

    def _of(self, after: int) -> int | None:
        """ "a group of people", "one of the men": the second noun is meant. Where it ends."""
        group = self.who
        if group is None and self.looks and after < len(self.words):  # "the legs of a man"
            return self._noun_phrase(after)
        if group is None or not group.words or self.beside or self.does:
            return None
        word = self.words[group.words[-1]]
        if word not in fixed.GROUPS | {"one", "some", "ones"} or after >= len(self.words):
            return None
        self.who = None
        end = self._noun_phrase(after)
        members: NounPhrase = self.who or group
        single = word == "one"
        count = 1 if single else members.count or group.count
        self.who = replace(members, plural=not single, count=count)
        return end

    def _place_phrase(self, index: int, relation: str, end: int, places: list[int]) -> int:
        self.used.update(range(index, end))
        span = tuple(range(index, end))
        names = [fixed.PLACES[self.words[k]] for k in places]
        if "far" in [self.words[k] for k in span] or "very" in [self.words[k] for k in span]:
            names = [fixed.FAR.get(name, name) for name in names]
        if end < len(self.words) and self.words[end] == "of":
            return self._place_of(span, names, end)
        last = self.does[-1] if self.does else None
        moves = last is not None and last.motion in MOVING
        if relation in ("to", "towards") and moves:
            self._direct(TOWARDS.get(names[-1]), span)
        elif relation == "from" and moves:
            self._direct(OPPOSITE.get(names[-1]), span)
        elif relation == "from" and self.where and self.where[-1].name == ORDINAL:
            rank = self.where.pop()
            self._add_place(names[-1], (*rank.words, *span), rank.rank)
        else:
            for name in names:
                self._add_place(name, span)
        self.relation, self.wearing = None, False
        return end

    def _place_of(self, span: tuple[int, ...], names: list[str], end: int) -> int:
        """ "on the left of the picture" is a place, "on the left of the dog" a relation."""
        after = end + 1
        while after < len(self.words) and self.tags[after] == "det":
            after += 1
        self.used.update(range(end, min(after, len(self.words))))
        if after < len(self.words) and self.words[after] in fixed.FRAME_WORDS:
            for name in names:
                self._add_place(name, (*span, after))
            self.used.add(after)
            return after + 1
        self.relation, self.wearing = (f"{names[-1]} of", (*span, end)), False
        return end + 1

    def _towards_camera(self, index: int, relation: str, after: int) -> bool:
        noun = after + (self.tags[after] == "det")
        if noun >= len(self.words) or self.words[noun] not in CAMERA:
            return False
        self.used.update(range(index, noun + 1))
        self._direct(
            "away" if relation == "away from" else "towards", tuple(range(index, noun + 1))
        )
        return True

    def _particle(self, index: int) -> None:
        direction = fixed.DIRECTIONS.get(self.words[index])
        if direction and self.does:
            self._direct(direction, (index,))

    def _direct(self, direction: str | None, words: tuple[int, ...]) -> None:
        if not self.does:
            return
        last = self.does.pop()
        self.does.append(
            replace(
                last,
                direction=direction or last.direction,
                words=tuple(sorted({*last.words, *words})),
            )
        )

    def _add_place(self, name: str, words: tuple[int, ...], rank: int | None = None) -> None:
        self.where.append(Place(name, words, rank, self._denied()))

    def _denied(self) -> bool:
        denies, self.denies = self.denies, False
        return denies

    # -- verbs

    def _verb(self, index: int) -> int:
        verb = self.lexicon.verb(self.bare[index]) or self.bare[index]
        self.used.add(index)
        self.relation, self.wearing = None, False
        if verb in fixed.WEARING:
            self.wearing = True
            self.relation = ("wear", (index,))
            return index + 1
        following = self.tags[index + 1 : index + 3]
        if verb in fixed.STARTING_VERBS and "verb" in following:
            return index + 1
        self.relation = (verb, (index,))
        if verb in fixed.LIGHT_VERBS and self._object_follows(index):
            self.wearing = verb == "have"
            return index + 1
        self._act(verb, index)
        return self._direction_after(index + 1)

    def _object_follows(self, index: int) -> bool:
        return index + 1 < len(self.tags) and self.tags[index + 1] in CHUNK - {"place"}

    def _act(self, verb: str, index: int) -> None:
        if self.second is not None:
            self.used.discard(index)  # what the second noun does is not weighed
            self.relation = None
            return
        motion = self.lexicon.motion(self.bare[index])
        self.does.append(Action(verb, motion, None, (index,), self._denied()))

    def _direction_after(self, index: int) -> int:
        """ "walking left", "running away", "moves forward"."""
        if index >= len(self.words) or not self.does:
            return index
        word = self.words[index]
        ends = index + 1 == len(self.words) or self.tags[index + 1] not in CHUNK
        if (
            word in fixed.DIRECTIONS
            and ends
            and (word, *self.words[index + 1 : index + 2]) not in fixed.PHRASAL
        ):
            self.used.add(index)
            if self.does[-1].motion in MOVING:
                self._direct(fixed.DIRECTIONS[word], (index,))
            elif self.tags[index] == "place":
                self._add_place(fixed.PLACES[word], (index,))
            return index + 1
        return index

    # -- noun phrases

    def _noun_phrase(self, index: int) -> int:
        chunk = read_chunk(index, self.bare, self.tags, self.nouns)
        self.used.update(chunk.used)
        if self.tags[index] == "place" and not chunk.head and self.who is not None:
            for at in chunk.places:
                self._add_place(fixed.PLACES[self.words[at]], (at,))
        elif not chunk.head:
            self._without_noun(chunk)
        elif self.relation is not None:
            self._related(chunk)
        elif self.who is None:
            self._is_who(chunk)
        elif chunk.noun.is_actor and not self.does and not self.beside:
            self.also.append(chunk.phrase())
        elif self._is_worn(chunk):  # "man green shirt", "a man is red jersey"
            self._garment(chunk, ())
        else:
            self.used.difference_update(chunk.used)
        return chunk.end

    def _without_noun(self, chunk: Chunk) -> None:
        """ "in red", "is red", "red", "the left", "the biggest"."""
        if chunk.colours or chunk.shades:
            worn = self.relation is not None and self.wearing
            words = (*(self.relation[1] if worn and self.relation else ()), *chunk.colour_words)
            self._look(chunk, "clothes" if worn else None, "whole", words)
        self._places(chunk)
        self._participles(chunk)

    def _look(self, chunk: Chunk, on: str | None, region: str, words: tuple[int, ...]) -> None:
        look = Look(chunk.colours, chunk.shades, on, region, tuple(sorted(words)), self._denied())
        if self.second is not None and on is None:
            self._add_to_second(look)
        else:
            self.looks.append(look)

    def _add_to_second(self, look: Look) -> None:
        assert self.second is not None
        old = self.beside[self.second]
        whom = replace(old.whom, looks=(*old.whom.looks, look))
        self.beside[self.second] = replace(old, whom=whom)

    def _places(self, chunk: Chunk) -> None:
        for at in chunk.places:
            self._add_place(fixed.PLACES[self.words[at]], (at,))
        for at in chunk.ordinals:
            self.where.append(Place(ORDINAL, (at,), fixed.ORDINALS[self.words[at]]))

    def _participles(self, chunk: Chunk) -> None:
        for at in chunk.participles:
            self._act(self.lexicon.verb(self.bare[at]) or self.bare[at], at)

    def _is_who(self, chunk: Chunk) -> None:
        if self._is_worn(chunk) and not chunk.noun.coco.any():
            self._garment(chunk, ())
            return
        self.who = chunk.phrase(own_looks=False)
        if chunk.colours or chunk.shades:
            self._look(chunk, None, "whole", chunk.colour_words)
        self.looks += chunk.garments
        self._places(chunk)
        self._participles(chunk)

    @staticmethod
    def _is_worn(chunk: Chunk) -> bool:
        return chunk.noun.role in ("garment", "body") or chunk.name in fixed.REGIONS

    def _garment(self, chunk: Chunk, relation: tuple[int, ...]) -> None:
        region = fixed.REGIONS.get(chunk.name, fixed.REGIONS.get(chunk.noun.lemma, "whole"))
        words = (*relation, *chunk.colour_words, *chunk.head)
        self._look(chunk, chunk.name, region, words)

    def _related(self, chunk: Chunk) -> None:
        assert self.relation is not None
        relation, words = self.relation
        if (self.wearing or relation == "wear") and self._is_worn(chunk):
            self._garment(chunk, words)
            return
        if relation in fixed.LIGHT_VERBS and (verb := self.lexicon.verb(chunk.name)):
            self._act(verb, chunk.head[-1])
            self.relation = None
            return
        self.wearing = False
        self.used.difference_update(chunk.places, chunk.ordinals, chunk.participles)
        negated = self._denied()
        span = tuple(sorted((*words, *chunk.head)))
        scene = not chunk.noun.is_actor
        self.beside.append(Beside(relation, chunk.phrase(), scene, span, negated))
        if not self._joined(chunk.end):
            self.relation = None

    def _joined(self, index: int) -> bool:
        return index < len(self.words) and self.tags[index] == "conj"

    def _unsaid(self) -> NounPhrase:
        """The actor of a sentence without a noun: a person if it wears something."""
        worn = any(look.on is not None for look in self.looks)
        return NounPhrase(self.nouns.look_up("person" if worn else "one"), ())
