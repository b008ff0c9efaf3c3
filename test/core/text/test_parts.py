"""What is understood of a sentence, on the shipped tables."""

from collections.abc import Callable

import pytest

from actseg_core.config import TextConfig
from actseg_core.errors import VocabularyError
from actseg_core.text.nouns import Nouns
from actseg_core.text.parts import read_parts
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.sentence_parts import SentenceParts
from actseg_core.text.word_vectors import load_word_vectors

Read = Callable[[str], SentenceParts]


@pytest.fixture(scope="module")
def read() -> Read:
    nouns, vectors = Nouns.load(), load_word_vectors()
    reader = SentenceReader(TextConfig(), vectors)
    return lambda text: read_parts(reader.read(text).words, nouns, vectors)


def looks(parts: SentenceParts) -> list[tuple[tuple[str, ...], str | None, str]]:
    return [(look.colours, look.on, look.region) for look in parts.looks]


def does(parts: SentenceParts) -> list[tuple[str, str, str | None]]:
    return [(action.verb, action.motion, action.direction) for action in parts.does]


def where(parts: SentenceParts) -> list[str]:
    return [place.name for place in parts.where]


def beside(parts: SentenceParts) -> list[tuple[str, str, bool]]:
    return [(item.relation, item.whom.noun.lemma, item.is_scene) for item in parts.beside]


def test_a_whole_sentence_is_taken_apart(read: Read) -> None:
    parts = read("The guy in the blue t-shirt on the left is running to the right with a dog")

    assert parts.who.noun.lemma == "guy"
    assert parts.who.words == (1,)
    assert looks(parts) == [(("blue",), "shirt", "upper")]
    assert where(parts) == ["left"]
    assert does(parts) == [("run", "fast", "right")]
    assert beside(parts) == [("with", "dog", False)]
    assert parts.unused == parts.unknown == parts.negations == ()


def test_a_single_noun_is_the_actor(read: Read) -> None:
    parts = read("dogs")

    assert (parts.who.noun.lemma, parts.who.plural, parts.who.count) == ("dog", True, None)


def test_no_word_is_the_only_error() -> None:
    with pytest.raises(VocabularyError, match="holds no word; send one like 'dog running'"):
        read_parts((), Nouns.load(), load_word_vectors())
