"""`actseg words`: what a noun stands for, and what is understood of a sentence."""

from collections.abc import Iterator
from typing import Annotated

import typer

from actseg_core.config import TextConfig
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.sentence_parts import Look, NounPhrase, SentenceParts
from actseg_core.text.word_vectors import load_word_vectors


def words(
    texts: Annotated[list[str], typer.Argument(help='Nouns ("puppy") or sentences, each quoted.')],
) -> None:
    """Print what nouns stand for, how well they are known, and the parts of sentences.

    Raises:
        VocabularyError: If a text holds no word.
    """
    nouns, vectors = Nouns.load(), load_word_vectors()
    reader = SentenceReader(TextConfig(), vectors)
    for text in texts:
        for line in describe(read_parts(reader.read(text).words, nouns, vectors)):
            print(line)


def describe(parts: SentenceParts) -> Iterator[str]:
    """The parts of a sentence as lines of a label and what belongs to it."""
    for phrase in (parts.who, *parts.also):
        yield f"{'who':8} {_phrase(phrase)}"
    for look in parts.looks:
        yield f"{'looks':8} {_denied(look.negated)}{_look(look)}"
    for place in parts.where:
        rank = f", number {place.rank}" if place.rank else ""
        yield f"{'where':8} {_denied(place.negated)}{place.name}{rank}"
    for action in parts.does:
        direction = f", {action.direction}" if action.direction else ""
        yield f"{'does':8} {_denied(action.negated)}{action.verb} ({action.motion}{direction})"
    for other in parts.beside:
        scene = " (scene)" if other.is_scene else ""
        yield f"{'beside':8} {_denied(other.negated)}{other.relation}{scene} {_phrase(other.whom)}"
    for label, places in (("unused", parts.unused), ("unknown", parts.unknown)):
        if places:
            yield f"{label:8} {', '.join(parts.words[place] for place in places)}"


def _phrase(phrase: NounPhrase) -> str:
    number = f", {phrase.count} of them" if phrase.count else ", several" if phrase.plural else ""
    unsaid = "" if phrase.words else ", not said"
    looks = "".join(f", {_look(look)}" for look in phrase.looks)
    return f"{phrase.noun.reading}{number}{unsaid}{looks}"


def _look(look: Look) -> str:
    seen = " ".join((*look.shades, " and ".join(look.colours))).strip()
    on = f"{look.on} ({look.region})" if look.on else ""
    return " ".join(part for part in (seen, on) if part)


def _denied(negated: bool) -> str:
    return "not " if negated else ""
