"""Colour words in terms of the eleven basic colours, and what a look says of them."""

import numpy as np
import pytest

from actseg_core.text.colours import (
    BASIC_COLOURS,
    COLOUR_WORDS,
    SHADE_WORDS,
    colour_mention,
    tinged,
)
from actseg_core.text.sentence_parts import Look


def look(
    colours: tuple[str, ...] = (),
    shades: tuple[str, ...] = (),
    region: str = "whole",
    words: tuple[int, ...] = (),
    negated: bool = False,
    on: str | None = None,
) -> Look:
    return Look(colours, shades, on, region, words, negated)


@pytest.mark.parametrize("name", BASIC_COLOURS)
def test_a_basic_colour_means_itself_only(name: str) -> None:
    assert tinged(name).tolist() == [float(other == name) for other in BASIC_COLOURS]


@pytest.mark.parametrize("word", sorted(COLOUR_WORDS))
def test_shares_of_every_word_sum_to_one(word: str) -> None:
    assert COLOUR_WORDS[word].sum() == pytest.approx(1.0)
    assert COLOUR_WORDS[word].min() >= 0.0


def test_maroon_is_red_with_brown_and_purple() -> None:
    assert COLOUR_WORDS["maroon"][[3, 8, 10]].tolist() == pytest.approx([3 / 6, 1 / 6, 2 / 6])


@pytest.mark.parametrize(
    ("word", "meant"),
    [("gray", "grey"), ("crimson", "red"), ("scarlet", "red"), ("violet", "purple")],
)
def test_other_spellings_are_the_basic_colour(word: str, meant: str) -> None:
    assert np.array_equal(COLOUR_WORDS[word], COLOUR_WORDS[meant])


def test_light_blue_is_blue_with_a_quarter_of_white() -> None:
    weights = tinged("blue", "light")
    assert weights[BASIC_COLOURS.index("blue")] == pytest.approx(0.75)
    assert weights[BASIC_COLOURS.index("white")] == pytest.approx(0.25)


def test_bright_red_is_red() -> None:
    assert np.array_equal(tinged("red", "bright"), tinged("red"))


def test_dark_means_any_dark_colour_and_black_most() -> None:
    weights = SHADE_WORDS["dark"]
    assert weights.argmax() == BASIC_COLOURS.index("black")
    assert weights[BASIC_COLOURS.index("white")] == 0.0


@pytest.mark.parametrize("table", [COLOUR_WORDS, SHADE_WORDS])
def test_the_shared_tables_cannot_be_written_to(table: dict[str, np.ndarray]) -> None:
    weights = next(iter(table.values()))
    with pytest.raises(ValueError, match="read-only"):
        weights[0] = 1.0


def test_the_very_word_counts_where_the_look_holds_only_the_nearest_basic_colour() -> None:
    mention = colour_mention(look(("white",), words=(1,)), ("a", "cream", "dog"))
    assert mention is not None
    assert mention.colours is not None
    assert np.array_equal(mention.colours[0], COLOUR_WORDS["cream"])


def test_two_colours_are_both_wanted_each_in_its_row() -> None:
    said = look(("brown", "white"), words=(0, 2))
    mention = colour_mention(said, ("brown", "and", "white", "dog"))
    assert mention is not None
    assert mention.colours is not None
    assert mention.colours.argmax(1).tolist() == [10, 1]


def test_the_region_and_the_negation_are_kept() -> None:
    said = look(("blue",), region="lower", words=(1, 2), negated=True)
    mention = colour_mention(said, ("without", "blue", "jeans"))
    assert mention is not None
    assert (mention.region, mention.negated) == ("lower", True)


def test_dark_blue_is_tinged_and_dark_alone_is_a_shade() -> None:
    blue = colour_mention(look(("blue",), ("dark",), words=(0, 1)), ("dark", "blue", "car"))
    alone = colour_mention(look((), ("dark",), words=(0,)), ("dark", "car"))
    assert blue is not None
    assert blue.colours is not None
    assert np.array_equal(blue.colours[0], tinged("blue", "dark"))
    assert alone is not None
    assert (alone.colours, alone.shade) == (None, "dark")


def test_colourful_is_a_shade_of_its_own() -> None:
    mention = colour_mention(look(("colourful",), words=(1,)), ("a", "colorful", "shirt"))
    assert mention is not None
    assert mention.shade == "colourful"


@pytest.mark.parametrize("said", [look(()), look((), ("striped",), "upper", (1,))])
def test_a_look_without_a_colour_says_none(said: Look) -> None:
    assert colour_mention(said, ("a", "striped", "shirt")) is None


def test_red_hair_is_ginger() -> None:
    said = look(("red",), region="head", words=(0, 1), on="hair")
    mention = colour_mention(said, ("red", "hair"))
    assert mention is not None
    assert mention.colours is not None
    assert np.array_equal(mention.colours[0], COLOUR_WORDS["ginger"])


def test_a_blond_woman_is_so_on_her_head() -> None:
    mention = colour_mention(look(("yellow",), words=(1,)), ("the", "blond", "woman"))
    assert mention is not None
    assert mention.region == "head"
