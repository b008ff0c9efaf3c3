"""Coverage of sentences by a vocabulary."""

from collections.abc import Callable

import pytest

from actseg_core.errors import VocabularyError
from actseg_core.text.report import vocabulary_report
from actseg_core.text.sentence import SentenceReader


def test_counts_words_and_names_the_unknown_ones(
    make_reader: Callable[..., SentenceReader],
) -> None:
    report = vocabulary_report(
        ["red dog", "red zebra running", "zebra quagga", "dog"], make_reader()
    )

    assert (report.sentences, report.incomplete_sentences, report.unanswerable_sentences) == (
        4,
        2,
        1,
    )
    assert (report.words, report.distinct_words) == (8, 5)
    assert report.unknown == (("zebra", 2), ("quagga", 1))
    assert report.unknown_share == 3 / 8
    assert str(report) == (
        "4 sentences, 8 words (5 distinct): 37.50 % unknown, in 2 sentences: zebra (2), quagga (1)"
    )


def test_no_sentences_are_no_error(make_reader: Callable[..., SentenceReader]) -> None:
    report = vocabulary_report([], make_reader())

    assert report.unknown_share == 0
    assert str(report) == "0 sentences, 0 words (0 distinct): 0.00 % unknown, in 0 sentences"


def test_a_sentence_without_words_is_named(make_reader: Callable[..., SentenceReader]) -> None:
    with pytest.raises(VocabularyError, match=r"'\?\?' holds no word"):
        vocabulary_report(["dog", "??"], make_reader())
