"""What has been understood of a sentence while it is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from actseg_core.text import function_words as fixed
from actseg_core.text.noun_phrases import Chunk
from actseg_core.text.sentence_parts import Action, Beside, Look, NounPhrase, Place

MOVING = frozenset(("slow", "moving", "fast", "airborne", "jumping", "rolling", "climbing"))
ORDINAL = "ordinal"  # "second", until "from the left" says of what


@dataclass
class Mentions:
    """The parts so far.

    Attributes:
        who: The actor, once it was named.
        also: As in `SentenceParts`, like the next four.
        looks: Of the actor.
        where: In the picture.
        does: What it does.
        beside: Second nouns.
        used: Places of the words that play a part.
        negations: Places of words like "not".
        denies: The next mention is denied.
        second: Index in `beside` of the noun that is spoken of; None while it is the actor.
    """

    who: NounPhrase | None = None
    also: list[NounPhrase] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    where: list[Place] = field(default_factory=list)
    does: list[Action] = field(default_factory=list)
    beside: list[Beside] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    negations: list[int] = field(default_factory=list)
    denies: bool = False
    second: int | None = None

    def deny(self, index: int) -> None:
        """Take in a word like "not"."""
        self.negations.append(index)
        self.denies = True

    def add_look(self, chunk: Chunk, on: str | None, relation: tuple[int, ...] = ()) -> None:
        """Colours of the actor (`on` None), of its clothes, or of a garment (with its noun)."""
        words = (*relation, *chunk.colour_words, *(chunk.head if on == chunk.worn else ()))
        region = fixed.REGIONS.get(on or "", "whole")
        look = Look(chunk.colours, chunk.shades, on, region, tuple(sorted(words)), self._denied())
        if self.second is None or on is not None:
            self.looks.append(look)
            return
        said = self.beside[self.second]
        whom = replace(said.whom, looks=(*said.whom.looks, look))
        self.beside[self.second] = replace(said, whom=whom)

    def bare_look(self, index: int) -> bool:
        """Whether a word is the garment of the latest look, and that has no colour yet."""
        last = self.looks[-1] if self.looks else None
        return last is not None and index in last.words and not last.colours + last.shades

    def colour_look(self, chunk: Chunk) -> None:
        """Colours of the latest look's garment."""
        last = self.looks[-1]
        self.looks[-1] = replace(
            last,
            colours=chunk.colours,
            shades=chunk.shades,
            words=(*last.words, *chunk.colour_words),
            negated=last.negated or self._denied(),
        )

    def add_place(self, name: str, words: tuple[int, ...], rank: int | None = None) -> None:
        """A place in the picture; "from the left" completes "the second"."""
        if rank is None and self.waits_for_side:
            ordinal = self.where.pop()
            words, rank = (*ordinal.words, *words), ordinal.rank
        self.where.append(Place(name, words, rank, self._denied()))

    def add_ordinal(self, index: int, rank: int) -> None:
        """ "The second"."""
        self.where.append(Place(ORDINAL, (index,), rank, self._denied()))

    @property
    def waits_for_side(self) -> bool:
        """Whether "the second" was said, and not yet from where."""
        return bool(self.where) and self.where[-1].name == ORDINAL

    def add_action(self, verb: str, motion: str, index: int) -> None:
        """A verb of the actor; what a second noun does plays no part."""
        if self.second is not None:
            self.used.discard(index)
        else:
            self.does.append(Action(verb, motion, None, (index,), self._denied()))

    def add_beside(self, relation: str, words: tuple[int, ...], chunk: Chunk) -> None:
        """A second noun; its place, number in a row and participles play no part."""
        self.used.difference_update(chunk.places, chunk.ordinals, chunk.participles)
        span = tuple(sorted((*words, *chunk.head)))
        scene = not chunk.noun.is_actor
        self.beside.append(Beside(relation, chunk.phrase(), scene, span, self._denied()))

    @property
    def moves(self) -> bool:
        """Whether the last verb moves the actor."""
        return bool(self.does) and self.does[-1].motion in MOVING

    def direct(self, direction: str | None, words: tuple[int, ...]) -> None:
        """Give the last verb a direction; "up and down" is none."""
        if self.does:
            last = self.does[-1]
            there_and_back = {direction, last.direction} in fixed.OPPOSITES
            self.does[-1] = replace(
                last,
                direction=None if there_and_back else direction or last.direction,
                words=tuple(sorted({*last.words, *words})),
            )

    def recorded(self) -> set[int]:
        """Places of the words of all mentions."""
        kinds: tuple[Sequence[Look | Place | Action | Beside], ...]
        kinds = (self.looks, self.where, self.does, self.beside)
        return {at for mentions in kinds for mention in mentions for at in mention.words}

    def is_second(self, index: int) -> bool:
        """Whether a word belongs to the latest second noun."""
        return bool(self.beside) and index in self.beside[-1].whom.words

    def _denied(self) -> bool:
        denies, self.denies = self.denies, False
        return denies
