"""Sentences as rows of word vectors."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.config import TextConfig
from actseg_core.errors import VocabularyError
from actseg_core.text.sentence import SentenceReader, load_reader

MakeReader = Callable[..., SentenceReader]


def test_rows_are_the_words_vectors_and_zeros_after_them(make_reader: MakeReader) -> None:
    sentence = make_reader(max_words=4).read("Red dog!")

    assert sentence.text == "Red dog!"
    assert sentence.words == ("red", "dog")
    assert sentence.unknown == ()
    assert sentence.vectors.dtype == np.float32
    np.testing.assert_array_equal(sentence.vectors, [[0, 2], [1, 0], [0, 0], [0, 0]])


def test_an_unknown_word_keeps_its_place_with_a_zero_row(make_reader: MakeReader) -> None:
    sentence = make_reader(max_words=3).read("dog zebra red")

    assert sentence.unknown == ("zebra",)
    assert sentence.is_known
    np.testing.assert_array_equal(sentence.vectors, [[1, 0], [0, 0], [0, 2]])


def test_a_sentence_of_unknown_words_only_says_so(make_reader: MakeReader) -> None:
    sentence = make_reader().read("zebra quagga")

    assert not sentence.is_known
    assert not sentence.vectors.any()


def test_hyphens_and_possessives_are_taken_apart_only_where_the_whole_is_unknown(
    make_reader: MakeReader,
) -> None:
    sentence = make_reader().read("man's red-running t-shirt")

    assert sentence.words == ("man", "red", "running", "t-shirt")
    assert sentence.unknown == ()


def test_words_beyond_the_maximum_are_dropped(make_reader: MakeReader) -> None:
    sentence = make_reader(max_words=2).read("red dog running zebra")

    assert sentence.words == ("red", "dog")
    assert sentence.unknown == ()
    assert sentence.vectors.shape == (2, 2)


def test_case_is_folded_only_if_configured(make_reader: MakeReader) -> None:
    assert make_reader(lowercase=False).read("Dog dog").unknown == ("Dog",)


@pytest.mark.parametrize("text", ["", "   ", "?!", "--"])
def test_a_text_without_words_is_refused_with_an_example(
    make_reader: MakeReader, text: str
) -> None:
    with pytest.raises(VocabularyError, match="holds no word; send one like 'dog running'"):
        make_reader().read(text)


@given(st.lists(st.sampled_from(["dog", "red", "zebra", "running"]), min_size=1, max_size=30))
def test_every_row_is_the_vector_of_its_word(make_reader: MakeReader, words: list[str]) -> None:
    reader = make_reader()
    sentence = reader.read(" ".join(words))

    assert sentence.words == tuple(words[:20])
    for word, row in zip(sentence.words, sentence.vectors, strict=False):
        vector = reader.vectors.lookup(word)
        np.testing.assert_array_equal(row, 0 if vector is None else vector)
        assert (vector is None) == (word in sentence.unknown)


def test_other_word_vectors_than_those_trained_with_are_refused() -> None:
    config = TextConfig(vectors="glove", word_dim=50)
    reader = load_reader(config)

    assert load_reader(config, reader.vectors.digest).read("dog").unknown == ()
    with pytest.raises(VocabularyError, match="trained with other word vectors than glove"):
        load_reader(config, "0123456789abcdef")
    with pytest.raises(VocabularyError, match="word_dim is 300, but glove has vectors of 50"):
        load_reader(TextConfig(vectors="glove", word_dim=300))
