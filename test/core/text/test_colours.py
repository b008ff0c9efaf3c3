"""Colour words in terms of the eleven basic colours."""

import numpy as np
import pytest

from actseg_core.text.colours import BASIC_COLOURS, COLOUR_WORDS, SHADE_WORDS, colour_weights


@pytest.mark.parametrize("name", BASIC_COLOURS)
def test_a_basic_colour_means_itself_only(name: str) -> None:
    weights = colour_weights(name)
    assert weights is not None
    assert weights.tolist() == [float(other == name) for other in BASIC_COLOURS]


@pytest.mark.parametrize("word", sorted(COLOUR_WORDS))
def test_shares_of_every_word_sum_to_one(word: str) -> None:
    assert COLOUR_WORDS[word].sum() == pytest.approx(1.0)
    assert COLOUR_WORDS[word].min() >= 0.0


def test_maroon_is_red_with_brown_and_purple() -> None:
    assert COLOUR_WORDS["maroon"][[3, 8, 10]].tolist() == pytest.approx([3 / 6, 1 / 6, 2 / 6])


@pytest.mark.parametrize("word", ["gray", "crimson", "scarlet", "violet"])
def test_other_spellings_are_the_basic_colour(word: str) -> None:
    meant = {"gray": "grey", "crimson": "red", "scarlet": "red", "violet": "purple"}[word]
    assert np.array_equal(COLOUR_WORDS[word], COLOUR_WORDS[meant])


def test_light_blue_is_blue_with_a_quarter_of_white() -> None:
    weights = colour_weights("blue", "light")
    assert weights is not None
    assert weights[BASIC_COLOURS.index("blue")] == pytest.approx(0.75)
    assert weights[BASIC_COLOURS.index("white")] == pytest.approx(0.25)


def test_dark_alone_means_any_dark_colour_and_black_most() -> None:
    weights = colour_weights("dark")
    assert weights is not None
    assert weights.argmax() == BASIC_COLOURS.index("black")
    assert weights[BASIC_COLOURS.index("white")] == 0.0


def test_a_word_that_names_no_colour_has_no_weights() -> None:
    assert colour_weights("dog") is None
    assert colour_weights("dog", "dark") is None


@pytest.mark.parametrize("table", [COLOUR_WORDS, SHADE_WORDS])
def test_the_shared_tables_cannot_be_written_to(table: dict[str, np.ndarray]) -> None:
    weights = next(iter(table.values()))
    with pytest.raises(ValueError, match="read-only"):
        weights[0] = 1.0
