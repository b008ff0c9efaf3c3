"""Reads the parts of a sentence: tags, then phrases from left to right."""

from collections.abc import Sequence
from dataclasses import replace

from actseg_core.errors import VocabularyError
from actseg_core.text import function_words as fixed
from actseg_core.text.mentions import Mentions
from actseg_core.text.noun_phrases import Chunk, read_chunk
from actseg_core.text.nouns import Nouns
from actseg_core.text.places import place_names, read_place, relation_at
from actseg_core.text.sentence_parts import Look, NounPhrase, SentenceParts
from actseg_core.text.tags import Tagger, verb_form
from actseg_core.text.word_vectors import WordVectors

IN_PHRASE = frozenset(
    ("det", "num", "colour", "shade", "place", "size", "ordinal", "adj", "participle", "noun")
    + ("pron", "name", "unknown")
)
SILENT = frozenset(("det", "aux", "conj", "rel", "neg", "unknown"))  # not told as unused
OF_PLACES = frozenset(("in", "on", "at", "to", "from", "by", "towards"))
HEADING = {"left": "left", "right": "right", "top": "up", "bottom": "down"}
HEADING |= {"front": "towards", "back": "away"}
COMING = {"left": "right", "right": "left", "top": "down", "bottom": "up", "back": "towards"}


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
    """Reads one sentence.

    `_relation` is a preposition or verb that waits for its noun, with the places of its words;
    `_wearing` says that what comes is worn ("in", "with", "wearing").
    """

    def __init__(self, words: tuple[str, ...], nouns: Nouns, vectors: WordVectors) -> None:
        self.words = words
        self.nouns, self.lexicon = nouns, nouns.lexicon
        self._bare = tuple(word.removesuffix("'s") for word in words)
        self._tags = tuple(Tagger(self._bare, nouns, vectors).tags)
        self._said = Mentions()
        self._relation: tuple[str, tuple[int, ...]] | None = None
        self._wearing = False

    def read(self) -> SentenceParts:
        said, index = self._said, self._skip_command()
        while index < len(self.words):
            index = self._step(index)
        places = range(len(self.words))
        return SentenceParts(
            words=self.words,
            who=self._who(),
            also=tuple(said.also),
            looks=tuple(said.looks),
            where=tuple(said.where),
            does=tuple(said.does),
            beside=tuple(said.beside),
            negations=tuple(said.negations),
            unused=tuple(k for k in places if k not in said.used and self._tags[k] not in SILENT),
            unknown=tuple(k for k in places if self._tags[k] == "unknown"),
        )

    def _tag(self, index: int) -> str:
        return self._tags[index] if index < len(self._tags) else ""

    def _word(self, index: int) -> str:
        return self.words[index] if index < len(self.words) else ""

    def _skip_command(self) -> int:
        """Where the actor begins in "show me the dog", "where is the dog", "there is a dog"."""
        index = 0
        while self._word(index) in fixed.COMMANDS:
            index += 1
        starts = ("det", "num", "pron", "colour", "shade", "adj", "noun", "unknown", "name")
        is_verb = self.words[0] in ("find", "show")
        if self._tag(index) not in starts or (
            index == 1 and self._tags[1] == "noun" and not is_verb
        ):
            return 0  # a noun like "watch"
        while index and self._tags[index - 1] in ("det", "num"):
            index -= 1
        self._said.used.update(range(index))
        return index

    def _who(self) -> NounPhrase:
        """The actor; one without a noun ("the one") that wears something is a person."""
        who = self._said.who or NounPhrase(self.nouns.look_up("one"), ())
        worn = any(look.on in fixed.REGIONS for look in self._said.looks)
        if worn and who.noun.lemma in ("one", "ones"):
            return replace(who, noun=self.nouns.look_up("person"))
        return who

    def _step(self, index: int) -> int:
        """Read the word or phrase at an index; where the next one begins."""
        tag, word = self._tags[index], self.words[index]
        if tag == "prep":
            return self._preposition(index)
        if tag == "verb":
            return self._verb(index)
        if tag in IN_PHRASE:
            return self._noun_phrase(index)
        if tag == "neg":
            self._said.deny(index)
            if word == "without":
                self._wait("with", (index,))
        elif tag == "adv":
            self._particle(index)
        elif tag == "rel":
            self._wait(None)
            second = len(self._said.beside) - 1
            self._said.second = second if self._said.is_second(index - 1) else None
        elif tag == "aux":
            self._wait(None)
            if index and self._tags[index - 1] != "rel":
                self._said.second = None
        elif word in ("but", "while", "as", "then"):
            self._wait(None)
        return index + 1

    def _wait(self, relation: str | None, words: tuple[int, ...] = ()) -> None:
        self._relation = None if relation is None else (relation, words)
        self._wearing = relation in ("in", "with", "wear", "have")

    # -- prepositions

    def _preposition(self, index: int) -> int:
        size, relation = relation_at(self.words, index)
        after = index + size
        self._said.used.update(range(index, after))
        if relation == "of" and (end := self._of(after)):
            return end
        ranked = relation == "from" and self._said.waits_for_side
        place = read_place(after, self.words, self._tags, ranked)
        if place is not None and relation in OF_PLACES:
            return self._place(index, relation, place)
        if self._tag(after) not in IN_PHRASE | {"neg"}:
            self._particle(index)
            self._wait(None)
            return after
        camera = after + (self._tags[after] == "det")
        if relation in ("to", "towards", "away from") and self._word(camera) in fixed.CAMERA:
            span = tuple(range(index, camera + 1))
            self._said.used.update(span)
            self._said.direct("away" if relation == "away from" else "towards", span)
            return camera + 1
        self._wait(relation, tuple(range(index, after)))
        return after

    def _of(self, after: int) -> int | None:
        """Where the noun ends that is meant in "a group of people", "the legs of a man"."""
        said = self._said
        group = said.who
        if self._tag(after) not in IN_PHRASE or said.beside or said.does:
            return None
        if group is None:
            return self._one_of(after) if said.looks or said.where else None
        word = self.words[group.words[-1]] if group.words else ""
        if word not in fixed.GROUPS | {"one", "some", "ones"}:
            return None
        said.who = None
        end = self._noun_phrase(after)
        members: NounPhrase = said.who or group
        single = word == "one"
        count = 1 if single else members.count or group.count
        said.who = replace(members, plural=not single, count=count)
        return end

    def _one_of(self, after: int) -> int:
        """ "The legs of a man", "the leftmost of three dogs"."""
        end = self._noun_phrase(after)
        if self._said.where and self._said.who is not None:
            self._said.who = replace(self._said.who, plural=False, count=1)
        return end

    def _place(self, index: int, relation: str, end: int) -> int:
        """ "On the left": a place; "walks to the left": a direction."""
        said, span = self._said, tuple(range(index, end))
        said.used.update(span)
        names = place_names(self.words[index:end])
        if self._word(end) == "of":
            return self._place_of(span, names, end)
        if relation in ("to", "towards") and said.moves:
            said.direct(HEADING.get(names[-1]), span)
        elif relation == "from" and said.moves and not said.waits_for_side:
            said.direct(COMING.get(names[-1]), span)
        else:
            for name in names:
                said.add_place(name, span)
        self._wait(None)
        return end

    def _place_of(self, span: tuple[int, ...], names: list[str], end: int) -> int:
        """ "On the left of the picture" is a place, "on the left of the dog" a relation."""
        after = end + 1
        while self._tag(after) == "det":
            after += 1
        self._said.used.update(range(end, after))
        if self._word(after) in fixed.FRAME_WORDS:
            self._said.used.add(after)
            for name in names:
                self._said.add_place(name, (*span, after))
            return after + 1
        side = f"{names[-1]} of"
        self._wait(fixed.SIDE_RELATIONS.get(side, side), (*span, end))
        return end + 1

    def _particle(self, index: int) -> None:
        direction = fixed.DIRECTIONS.get(self.words[index])
        if direction and self._said.does:
            self._said.used.add(index)
            self._said.direct(direction, (index,))

    # -- verbs

    def _verb(self, index: int) -> int:
        verb = self.lexicon.verb(self._bare[index]) or self._bare[index]
        self._said.used.add(index)
        if verb in fixed.WEARING:
            self._wait("wear", (index,))
            return index + 1
        if self._said.is_second(index - 1) and self._is_plain(index):
            self._said.second = len(self._said.beside) - 1  # "watching a car drive"
        self._wait(None)
        if verb in fixed.STARTING_VERBS and "verb" in self._tags[index + 1 : index + 3]:
            return index + 1
        self._wait(verb, (index,))
        if verb in fixed.LIGHT_VERBS and self._tag(index + 1) in IN_PHRASE - {"place"}:
            return index + 1
        self._act(verb, index)
        return self._direction(index + 1)

    def _is_plain(self, index: int) -> bool:
        return verb_form(self._bare[index], self.lexicon) == "base"

    def _act(self, verb: str, index: int) -> None:
        if self._said.second is not None:
            self._wait(None)
        self._said.add_action(verb, self.lexicon.motion(self._bare[index]), index)

    def _direction(self, index: int) -> int:
        """ "Walking left", "running away", "standing right"."""
        word = self._word(index)
        if word not in fixed.DIRECTIONS or not self._said.does:
            return index
        if self._tag(index + 1) in IN_PHRASE or relation_at(self.words, index)[0] > 1:
            return index  # "up the stairs", "away from the dog"
        self._said.used.add(index)
        if self._said.moves:
            self._said.direct(fixed.DIRECTIONS[word], (index,))
        elif self._tags[index] == "place":
            self._said.add_place(fixed.PLACES[word], (index,))
        return index + 1

    # -- noun phrases

    def _noun_phrase(self, index: int) -> int:
        said = self._said
        chunk = read_chunk(index, self._bare, self._tags, self.nouns)
        said.used.update(chunk.used)
        if not chunk.head:
            self._without_noun(index, chunk)
        elif self._relation is not None:
            self._related(chunk, *self._relation)
        elif said.who is None:
            self._is_who(chunk)
            self._bare_of_clothes(index, chunk.end)
        elif chunk.worn:  # "man green shirt", "a man is red jersey"
            said.add_look(chunk, chunk.worn)
        elif chunk.noun.is_actor and not said.does and not said.beside:
            said.also.append(chunk.phrase())
        elif not self._bare_of_clothes(index, chunk.end):
            said.used.difference_update(chunk.used)
        return chunk.end

    def _bare_of_clothes(self, start: int, end: int) -> bool:
        """ "The shirtless man" is a man without a shirt; whether something like it is said."""
        found = False
        for at in range(start, end):
            if (garment := fixed.BARE.get(self.words[at])) is not None:
                self._said.used.add(at)
                region = fixed.REGIONS[garment]
                self._said.looks.append(Look((), (), garment, region, (at,), negated=True))
                found = True
        return found

    def _without_noun(self, index: int, chunk: Chunk) -> None:
        """ "In red", "is red", "red", "the left", "the biggest"."""
        if chunk.colours or chunk.shades:
            words = self._relation[1] if self._relation and self._wearing else ()
            if self._is_of_garment(index):
                self._said.colour_look(chunk)
            else:
                self._said.add_look(chunk, "clothes" if words else None, words)
        self._describe(chunk)

    def _is_of_garment(self, index: int) -> bool:
        """Whether a colour is a garment's: "whose shirt is red", "a helmet that is white"."""
        if index < 2 or self._tags[index - 1] != "aux":
            return False
        return self._said.bare_look(index - 2 - (self._tags[index - 2] == "rel"))

    def _is_who(self, chunk: Chunk) -> None:
        if chunk.worn and not chunk.noun.coco.any():
            self._said.who = chunk.owner  # "the man's shirt", or whoever wears it
            self._said.add_look(chunk, chunk.worn)
            return
        self._said.who = chunk.phrase(own_looks=False)
        if chunk.colours or chunk.shades:
            self._said.add_look(chunk, None)
        self._said.looks += chunk.garments
        self._describe(chunk)

    def _describe(self, chunk: Chunk) -> None:
        """Places, numbers in a row and participles before a noun."""
        for name in place_names([self.words[at] for at in chunk.places]):
            self._said.add_place(name, tuple(chunk.places))
        for at in chunk.ordinals:
            self._said.add_ordinal(at, fixed.ORDINALS[self.words[at]])
        for at in chunk.participles:
            self._act(self.lexicon.verb(self._bare[at]) or self._bare[at], at)

    def _related(self, chunk: Chunk, relation: str, words: tuple[int, ...]) -> None:
        if self._wearing and chunk.worn:
            self._said.add_look(chunk, chunk.worn, words)
            return
        if self.words[chunk.head[-1]] in fixed.REFERRING:  # "smoke behind it"
            self._said.used.difference_update(chunk.used, words)
            self._said.used.update(self._said.recorded())
            self._wait(None)
            return
        if relation in fixed.LIGHT_VERBS and (verb := self._light_verb(relation, chunk)):
            self._act(verb, chunk.head[-1])
            self._wait(None)
            return
        self._said.add_beside(relation, words, chunk)
        self._wearing = False
        if self._tag(chunk.end) != "conj":
            self._wait(None)

    def _light_verb(self, relation: str, chunk: Chunk) -> str | None:
        """The verb in "having a walk", "doing a trick", not in "taking a chair"."""
        moves = self.lexicon.motion(chunk.name) not in ("acting", "still")
        moves = moves or chunk.name in fixed.RESTS
        says_verb = (moves or relation in ("do", "perform")) and not chunk.noun.is_actor
        return self.lexicon.verb(chunk.name) if says_verb else None
