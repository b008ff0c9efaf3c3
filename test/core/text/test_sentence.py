"""Sentences as rows of word vectors."""

import unicodedata
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.config import TextConfig
from actseg_core.errors import VocabularyError
from actseg_core.text.sentence import MAX_CHARS, SentenceReader, load_reader, tokenize

MakeReader = Callable[..., SentenceReader]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The dog, running!", ("the", "dog", "running")),
        ("  man\tin\na  T-Shirt ", ("man", "in", "a", "t-shirt")),
        ("man's \u2018best\u2019 friend\u2019s", ("man's", "best", "friend's")),
        ("- -- ' '' dog- 'cat'", ("dog", "cat")),
        ("red/blue (left) ball#2", ("red", "blue", "left", "ball", "2")),
        ("dog\x00running\x1b[31mleft", ("dog", "running", "31mleft")),
        ("soft\u00adware \u202edog\u202c zero\u200bwidth", ("software", "dog", "zerowidth")),
        ("caf\u0065\u0301", ("caf\u00e9",)),
        ("\U0001f415 dog \U0001f3c3", ("dog",)),
        ("\u0915\u0941\u0924\u094d\u0924\u093e", ("\u0915\u0941\u0924\u094d\u0924\u093e",)),
        ("", ()),
        ("?! \u2026", ()),
    ],
)
def test_words_are_runs_of_letters_numbers_and_inner_joiners(
    text: str, words: tuple[str, ...]
) -> None:
    assert tokenize(text) == words


def test_case_is_kept_on_request() -> None:
    assert tokenize("The Dog", lowercase=False) == ("The", "Dog")


def test_bytes_that_were_not_utf8_are_refused() -> None:
    with pytest.raises(VocabularyError, match=r"U\+FFFD.*send it as UTF-8"):
        tokenize("the d\ufffdg")


def test_a_text_longer_than_any_sentence_is_refused() -> None:
    with pytest.raises(VocabularyError, match="at most 10000 characters, got 10001; shorten"):
        tokenize("a" * (MAX_CHARS + 1))


@given(st.text(alphabet=st.characters(exclude_characters="\ufffd"), max_size=60))
def test_words_are_normal_clean_and_stable(text: str) -> None:
    words = tokenize(text)

    for word in words:
        assert word == unicodedata.normalize("NFC", word)
        assert not any(
            unicodedata.category(sign)[0] in "CZPS" for sign in word if sign not in "'-"
        )
        assert word == word.strip("'-")
    assert tokenize(" ".join(words)) == words


@given(st.text(alphabet="\u00e9\u00fc\u00c5abc -'", max_size=40))
def test_composed_and_decomposed_text_give_the_same_words(text: str) -> None:
    assert tokenize(unicodedata.normalize("NFD", text)) == tokenize(text)


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


def test_words_beyond_the_maximum_are_left_out_and_told(
    make_reader: MakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    reader = make_reader(max_words=2)
    for _ in range(3):
        sentence = reader.read("Red dog, running zebra")

    told = "only the first 2 words are read, not 'running zebra'; say it in fewer words"
    assert sentence.words == ("red", "dog")
    assert sentence.left_out == ("running", "zebra")
    assert sentence.shortened == told
    assert caplog.messages == [f"'Red dog, running zebra': {told}"]
    assert sentence.unknown == ()
    assert sentence.vectors.shape == (2, 2)


def test_of_a_sentence_that_is_read_whole_nothing_is_left_out(
    make_reader: MakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    sentence = make_reader(max_words=2).read("red-dog")

    assert (sentence.left_out, sentence.shortened, caplog.messages) == ((), "", [])


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
