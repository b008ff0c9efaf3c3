"""A noun with what stands before it: number, colours, places, participles, garments."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from actseg_core.text import function_words as fixed
from actseg_core.text.nouns import Noun, Nouns
from actseg_core.text.sentence_parts import Look, NounPhrase
from actseg_core.text.tags import LONGEST_COMPOUND

BEFORE = frozenset(
    ("det", "num", "colour", "shade", "place", "size", "ordinal", "adj", "participle")
)
NOUNS = frozenset(("noun", "pron", "name", "unknown"))


@dataclass
class Chunk:
    """One noun phrase of a sentence; places are indices of its words.

    Attributes:
        noun: Of the head.
        end: The first word after it.
        name: Lemma of the head.
        worn: The head as a garment or part of the body ("shirt", "hair"), or None.
        head: The noun's words; empty if there is no noun ("the red").
        owner: The man in "the man's shirt", if the head is worn.
        plural: As in `NounPhrase`.
        count: As in `NounPhrase`.
        colours: Of the head.
        shades: Of the head.
        colour_words: Both of them.
        places: Words of place and size.
        ordinals: "second".
        participles: "running", "parked" before the noun.
        garments: "blue shirt" in "the blue shirt guy".
        used: Words that have a part.
    """

    noun: Noun
    end: int
    name: str = ""
    worn: str | None = None
    owner: NounPhrase | None = None
    head: tuple[int, ...] = ()
    plural: bool = False
    count: int | None = None
    colours: tuple[str, ...] = ()
    shades: tuple[str, ...] = ()
    colour_words: tuple[int, ...] = ()
    places: list[int] = field(default_factory=list)
    ordinals: list[int] = field(default_factory=list)
    participles: list[int] = field(default_factory=list)
    garments: list[Look] = field(default_factory=list)
    used: set[int] = field(default_factory=set)

    def phrase(self, own_looks: bool = True) -> NounPhrase:
        """The same as the public type."""
        looks: tuple[Look, ...] = ()
        if own_looks:
            looks = tuple(self.garments)
            if self.colours or self.shades:
                looks = (
                    Look(self.colours, self.shades, None, "whole", self.colour_words),
                    *looks,
                )
        return NounPhrase(self.noun, self.head, self.plural, self.count, looks)


def read_chunk(index: int, words: Sequence[str], tags: Sequence[str], nouns: Nouns) -> Chunk:
    """The noun phrase that starts at a word."""
    before, at = _before(index, words, tags, nouns)
    run = []
    while at < len(words) and tags[at] in NOUNS:
        run.append(at)
        at += 1
        if tags[at - 1] == "pron":
            break
    chunk = Chunk(nouns.look_up("one"), max(at, index + 1))
    _read_before(chunk, before, words, tags, nouns)
    named = [at for at in run if tags[at] in ("noun", "pron")]
    if named:
        run = run[: run.index(named[-1]) + 1]  # what nobody knows behind a noun is not its head
        run = _without_abstract_end(run, words, nouns)
    if run:
        _read_nouns(chunk, run, words, tags, nouns)
    return chunk


def _without_abstract_end(run: list[int], words: Sequence[str], nouns: Nouns) -> list[int]:
    """ "Player number" of "player number 22" is a player."""
    if nouns.look_up(" ".join(words[at] for at in run)).role != "none":
        return run
    for size in range(len(run) - 1, 0, -1):
        if nouns.look_up(words[run[size - 1]]).kind in ("person", "animal", "vehicle"):
            return run[:size]
    return run


def _before(
    index: int, words: Sequence[str], tags: Sequence[str], nouns: Nouns
) -> tuple[list[int], int]:
    """The words before the noun; "and" stays inside between colours."""
    at = index
    found: list[int] = []
    while at < len(words):
        joins = (
            tags[at] == "conj"
            and words[at] == "and"
            and found
            and tags[at - 1] in ("colour", "shade")
            and at + 1 < len(words)
            and tags[at + 1] in ("colour", "shade")
        )
        role = nouns.look_up(words[at]).role
        no_actor = tags[at] == "noun" and role in ("none", "place")
        unnamed = (tags[at] in ("name", "unknown") or no_actor) and _noun_follows(
            at + 1, tags, words[at] == "number"
        )
        if tags[at] not in BEFORE and not joins and not unnamed:
            break
        found.append(at)
        at += 1
    return found, at


def _noun_follows(at: int, tags: Sequence[str], numbered: bool) -> bool:
    """Whether more words before a noun, and then the noun, come next ("a balck small dog")."""
    start = at
    between = {"colour", "shade", "size", "ordinal", "adj", "participle"} | (
        {"num"} if numbered else set()
    )
    while at < len(tags) and tags[at] in between:
        at += 1
    return at > start and at < len(tags) and tags[at] == "noun"


def _read_before(
    chunk: Chunk, before: list[int], words: Sequence[str], tags: Sequence[str], nouns: Nouns
) -> None:
    colours, shades, coloured = [], [], []
    for at in before:
        tag, word = tags[at], words[at]
        if tag == "colour":
            colours.append(fixed.COLOURS[word])
            coloured.append(at)
        elif tag == "shade":
            shades.append(fixed.SHADES[word])
            coloured.append(at)
        elif tag in ("place", "size"):
            chunk.places.append(at)
        elif tag == "ordinal":
            chunk.ordinals.append(at)
        elif tag == "num":
            chunk.count = fixed.NUMBERS.get(word) or (int(word) if word.isdecimal() else None)
        elif tag in ("adj", "participle") and coloured and (on := _worn_stem(word)):
            coloured.append(at)
            chunk.garments.append(
                Look(tuple(colours), tuple(shades), on, fixed.REGIONS[on], tuple(coloured))
            )
            chunk.used.update(coloured)
            colours, shades, coloured = [], [], []
        elif tag == "participle":
            chunk.participles.append(at)
        else:
            continue
        chunk.used.add(at)
    chunk.colours, chunk.shades = tuple(dict.fromkeys(colours)), tuple(shades)
    chunk.colour_words = tuple(coloured)


def _worn(word: str, single: str) -> str | None:
    """The name of a garment or part of the body, one for "pant" and "pants"."""
    for name in (word, single):
        if name in fixed.REGIONS:
            return fixed.ONE_GARMENT.get(name, name)
    return None


def _worn_stem(word: str) -> str | None:
    """ "haired": hair, "shirted": shirt, "eyed": eyes."""
    if not word.endswith("ed"):
        return None
    for stem in (word.removesuffix("ed"), word.removesuffix("d"), word.removesuffix("ed") + "s"):
        if stem in fixed.REGIONS:
            return stem
    return None


def _read_nouns(
    chunk: Chunk, run: list[int], words: Sequence[str], tags: Sequence[str], nouns: Nouns
) -> None:
    """Head and compound; a garment before it is worn by it."""
    coloured = [at for at in chunk.colour_words if at == run[0] - 1]
    size = min(LONGEST_COMPOUND, len(run))
    while size > 1 and " ".join(words[at] for at in run[-size:]) not in nouns:
        size -= 1
    head = run[-size:]
    if size == 1 and len(run) == 1 and coloured:
        named = f"{words[coloured[0]]} {words[run[0]]}"  # "black swan" is a class
        if named in nouns:
            chunk.noun = replace(nouns.look_up(named), lemma=nouns.look_up(words[run[0]]).lemma)
    if not chunk.noun.word or chunk.noun.word == "one":
        chunk.noun = nouns.look_up(" ".join(words[at] for at in head))
    chunk.head = tuple(head)
    chunk.used.update(head)
    last = words[head[-1]]
    single = nouns.look_up(last).lemma
    chunk.name = single if size == 1 else chunk.noun.lemma
    chunk.worn = _worn(last, single)
    if chunk.worn is None and chunk.noun.role in ("garment", "body"):
        chunk.worn = chunk.name
    chunk.plural = last != single or last in fixed.COLLECTIVES
    for at in run[:-size]:
        other = nouns.look_up(words[at])
        if chunk.worn and other.kind in ("person", "animal"):
            chunk.owner = NounPhrase(other, (at,), words[at] != other.lemma)
            chunk.used.add(at)
        worn = _worn(words[at], other.lemma)
        if worn is not None and tags[at] == "noun":
            chunk.garments.append(
                Look(
                    chunk.colours,
                    chunk.shades,
                    worn,
                    fixed.REGIONS[worn],
                    (*chunk.colour_words, at),
                )
            )
            chunk.used.add(at)
            chunk.colours, chunk.shades, chunk.colour_words = (), (), ()
