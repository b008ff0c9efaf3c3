"""Text to words, of any text that a topic may carry."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.errors import VocabularyError
from actseg_core.text.tokenizer import MAX_CHARS, tokenize


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
