"""Colours of objects' regions and the log-odds of colour mentions, on pictures made by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.objects.colour_names import ColourNamer, colour_table
from actseg_core.objects.looks import (
    bare_skin,
    garment_log_odds,
    looks_log_odds,
    object_colours,
)
from actseg_core.text.colours import (
    BASIC_COLOURS,
    COLOUR_WORDS,
    SHADE_WORDS,
    ColourMention,
    Region,
    tinged,
)
from actseg_core.text.sentence_parts import Look

SIZE = 96
TRUTH = Path(__file__).parent / "looks_truth.tsv"
PURE = {
    "black": (12, 12, 14),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
    "red": (210, 20, 30),
    "orange": (250, 130, 10),
    "yellow": (250, 225, 20),
    "green": (30, 150, 40),
    "blue": (30, 70, 200),
    "purple": (120, 40, 160),
    "pink": (250, 140, 185),
    "brown": (110, 65, 35),
}
ROOM = (150, 150, 150)
NAMER = ColourNamer()


def scene(*blocks: tuple[slice, slice, tuple[int, int, int]]) -> NDArray[np.uint8]:
    """A grey room with a white wall strip, and coloured blocks in it (rows, columns, RGB)."""
    image = np.full((SIZE, SIZE, 3), ROOM, np.uint8)
    image[:12] = 245
    for rows, columns, colour in blocks:
        image[rows, columns] = colour
    return image


def mask(rows: slice, columns: slice) -> NDArray[np.float32]:
    whole = np.zeros((SIZE // 4, SIZE // 4), np.float32)
    whole[rows.start // 4 : rows.stop // 4, columns.start // 4 : columns.stop // 4] = 1.0
    return whole


def mention(*words: str, region: Region = "whole", negated: bool = False) -> ColourMention:
    return ColourMention(np.stack([tinged(word) for word in words]), region, negated=negated)


def lit(image: NDArray[np.uint8], gains: Sequence[float]) -> NDArray[np.uint8]:
    """The same scene in another light: factors on the three channels in linear light."""
    linear = (image / 255.0) ** 2.2 * np.asarray(gains)
    return (255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)


BLOCK = (slice(32, 72), slice(24, 64))
SHIRT = (200, 25, 30)
JEANS = (40, 70, 150)
SKIN = (205, 150, 120)
HAIR = (40, 28, 22)


def person() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Dark hair, face, red shirt and blue trousers, 80 x 24 pixels."""
    columns = slice(36, 60)
    image = scene(
        (slice(12, 16), columns, HAIR),
        (slice(16, 24), columns, SKIN),
        (slice(24, 52), columns, SHIRT),
        (slice(52, 92), columns, JEANS),
    )
    return image, mask(slice(12, 92), columns)[None]


@pytest.mark.parametrize("name", BASIC_COLOURS)
@pytest.mark.parametrize(
    "gains",
    [(1, 1, 1), (0.5, 0.5, 0.5), (1.0, 0.9, 0.75), (0.8, 0.95, 1.0)],
    ids=["plain", "shade", "warm", "cold"],
)
def test_a_pure_colour_keeps_its_name_in_another_light(
    name: str, gains: tuple[float, float, float]
) -> None:
    image = lit(scene((*BLOCK, PURE[name])), gains)
    shares = object_colours(image, mask(*BLOCK)[None], ["thing"], NAMER)
    assert BASIC_COLOURS[int(shares[0, 0].argmax())] == name


def test_a_white_shirt_in_the_shade_is_white_and_not_grey() -> None:
    image = np.full((SIZE, SIZE, 3), 235, np.uint8)  # a sunny wall
    image[:, 32:] = 120  # the same wall in the shade of a house
    image[32:72, 48:80] = 125  # white, in that shade
    shares = object_colours(image, mask(slice(32, 72), slice(48, 80))[None], ["person"], NAMER)
    flat = np.full_like(image, 235)
    flat[32:72, 48:80] = 125  # the same values on the sunny wall: grey
    grey = object_colours(flat, mask(slice(32, 72), slice(48, 80))[None], ["person"], NAMER)
    white = mention("white", region="upper")
    assert looks_log_odds(white, shares)[0] > looks_log_odds(white, grey)[0] + 0.5


def test_every_cell_of_the_table_shares_one_colour_among_the_names() -> None:
    table = colour_table()
    assert table.shape == (32**3, 11)
    assert np.allclose(table.sum(1), 1.0, atol=1e-5)
    assert table.min() >= 0.0


@pytest.mark.parametrize(
    ("rgb", "first", "second"),
    [
        ((210, 180, 140), "brown", "white"),  # tan
        ((255, 253, 208), "white", "yellow"),  # cream
        ((110, 10, 20), "red", "brown"),  # maroon
        ((20, 28, 60), "blue", "black"),  # navy
    ],
)
def test_colours_between_two_names_count_as_both(
    rgb: tuple[int, int, int], first: str, second: str
) -> None:
    named = colour_table()[(rgb[0] >> 3) * 1024 + (rgb[1] >> 3) * 32 + (rgb[2] >> 3)]
    assert named[BASIC_COLOURS.index(first)] > 0.3
    assert named[BASIC_COLOURS.index(second)] > 0.05


def test_a_man_in_a_red_shirt_and_blue_trousers_is_told_region_by_region() -> None:
    image, masks = person()
    shares = object_colours(image, masks, ["person"], NAMER)
    red, blue = BASIC_COLOURS.index("red"), BASIC_COLOURS.index("blue")
    assert shares[0, 1, red] > 0.75
    assert shares[0, 2, blue] > 0.75
    assert shares[0, 0, red] + shares[0, 0, blue] > 0.8


def test_skin_counts_for_an_object_but_hardly_for_a_person() -> None:
    image, masks = person()
    image[32:40, 36:60] = SKIN
    both = np.repeat(masks, 2, 0)
    person_, thing = object_colours(image, both, ["person", "thing"], NAMER)[:, 0]
    skin = [BASIC_COLOURS.index(name) for name in ("brown", "pink")]
    assert thing[skin].sum() > 2 * person_[skin].sum()


@pytest.mark.parametrize(
    ("word", "region"), [("red", "upper"), ("blue", "lower"), ("black", "head")]
)
def test_a_mention_that_fits_speaks_for_the_person(word: str, region: Region) -> None:
    image, masks = person()
    shares = object_colours(image, masks, ["person"], NAMER)
    assert looks_log_odds(mention(word, region=region), shares)[0] > 0.4


def test_in_red_fits_a_man_whose_trousers_are_blue() -> None:
    image, masks = person()
    shares = object_colours(image, masks, ["person"], NAMER)
    red, blue, green = (looks_log_odds(mention(w), shares)[0] for w in ("red", "blue", "green"))
    assert red > 0.5
    assert blue > 0.5
    assert green < -2.0


def test_brown_and_white_wants_both() -> None:
    rows, columns = BLOCK
    pied = scene((*BLOCK, PURE["white"]), (slice(32, 52), columns, PURE["brown"]))
    plain = scene((*BLOCK, PURE["brown"]))
    asked = mention("brown", "white")
    odds = [
        looks_log_odds(asked, object_colours(i, mask(rows, columns)[None], ["animal"], NAMER))[0]
        for i in (pied, plain)
    ]
    assert odds[0] > 1.5
    assert odds[1] < 0.0


def test_black_or_white_stripes_are_black_and_white() -> None:
    image = scene((*BLOCK, PURE["white"]))
    for row in range(32, 72, 8):
        image[row : row + 4, 24:64] = PURE["black"]
    shares = object_colours(image, mask(*BLOCK)[None], ["animal"], NAMER)
    assert shares[0, 0, [0, 1]].tolist() == pytest.approx([0.5, 0.5], abs=0.08)
    assert looks_log_odds(mention("black", "white"), shares)[0] > 1.5


def test_dark_fits_navy_and_light_does_not() -> None:
    image = scene((*BLOCK, (24, 28, 56)))
    shares = object_colours(image, mask(*BLOCK)[None], ["thing"], NAMER)
    assert looks_log_odds(ColourMention(None, shade="dark"), shares)[0] > 0.5
    assert looks_log_odds(ColourMention(None, shade="light"), shares)[0] < -1.0


def test_twice_the_picture_has_the_same_colours() -> None:
    image, masks = person()
    large = np.repeat(np.repeat(image, 2, 0), 2, 1)
    doubled = np.repeat(np.repeat(masks, 2, 1), 2, 2)
    one = object_colours(image, masks, ["person"], NAMER)
    two = object_colours(large, doubled, ["person"], NAMER)
    assert np.abs(one - two).max() < 0.08


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["person", "animal"]), st.floats(0.1, 1.0))
def test_shares_sum_to_one_and_do_not_depend_on_the_masks_level(
    seed: int, kind: str, level: float
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    masks = rng.random((1, SIZE // 4, SIZE // 4), np.float32)
    full = object_colours(image, masks, [kind], NAMER)
    weak = object_colours(image, masks * np.float32(level), [kind], NAMER)
    assert np.allclose(full.sum(2), 1.0, atol=1e-4)
    assert np.allclose(full, weak, atol=1e-3)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.sampled_from(["red", "maroon", "white", "beige"]), min_size=1, max_size=3),
    st.booleans(),
)
def test_log_odds_are_bounded_and_never_no_number(
    seed: int, words: list[str], negated: bool
) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(11, 0.2), (5, 5)).astype(np.float32)
    shares[0] = 0.0
    odds = looks_log_odds(mention(*words, negated=negated), shares)
    assert np.isfinite(odds).all()
    assert np.abs(odds).max() <= 3.5
    assert odds[0] == 0.0


def test_not_red_is_the_opposite_of_red() -> None:
    image, masks = person()
    shares = object_colours(image, masks, ["person"], NAMER)
    red = looks_log_odds(mention("red"), shares)
    assert looks_log_odds(mention("red", negated=True), shares).tolist() == (-red).tolist()


def test_more_of_a_colour_speaks_louder_for_it() -> None:
    shares = np.zeros((3, 5, 11), np.float32)
    shares[:, :, 3] = np.array([0.2, 0.5, 0.9])[:, None]
    shares[:, :, 0] = 1.0 - shares[:, :, 3]
    odds = looks_log_odds(mention("red"), shares)
    assert odds[0] < odds[1] < odds[2]


def test_white_is_less_beige_than_beige_is() -> None:
    shares = np.zeros((2, 5, 11), np.float32)
    shares[0] = tinged("beige")
    shares[1, :, BASIC_COLOURS.index("white")] = 1.0
    odds = looks_log_odds(mention("beige"), shares)
    assert odds[0] > odds[1] + 1.0


def test_several_vivid_colours_are_colourful_and_one_is_not() -> None:
    shares = np.zeros((2, 5, 11), np.float32)
    shares[0, :, [3, 5, 6, 7]] = 0.25
    shares[1, :, 3] = 1.0
    odds = looks_log_odds(ColourMention(None, shade="colourful"), shares)
    assert odds[0] > 1.0
    assert odds[1] < -1.0


def test_an_empty_mask_has_no_colour_and_says_nothing() -> None:
    image, _ = person()
    shares = object_colours(image, np.zeros((1, 24, 24), np.float32), ["person"], NAMER)
    assert not shares.any()
    assert looks_log_odds(mention("red"), shares).tolist() == [0.0]


def test_no_object_gives_no_rows() -> None:
    image, _ = person()
    assert object_colours(image, np.zeros((0, 24, 24), np.float32), [], NAMER).shape == (0, 5, 11)


def test_a_black_frame_is_black() -> None:
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    shares = object_colours(image, mask(*BLOCK)[None], ["thing"], NAMER)
    assert shares[0, 0, 0] > 0.85


def test_masks_of_another_size_are_refused() -> None:
    image, _ = person()
    with pytest.raises(ShapeError, match=r"masks of \(N, 24, 24\), got \(1, 20, 24\)"):
        object_colours(image, np.zeros((1, 20, 24), np.float32), ["thing"], NAMER)


def test_masks_without_their_kinds_are_refused() -> None:
    image, masks = person()
    with pytest.raises(ShapeError, match="1 masks need as many kinds, got 0"):
        object_colours(image, masks, [], NAMER)


def test_a_float_image_is_refused() -> None:
    with pytest.raises(ShapeError, match="uint8 RGB image"):
        NAMER(np.zeros((4, 4, 3), np.float32))  # type: ignore[arg-type]


def test_every_word_of_the_measured_list_is_known() -> None:
    rows = TRUTH.read_text().splitlines()[1:]
    said = {
        word
        for row in rows
        for cell in row.split("\t")[5:]
        for word in cell.replace("+", "/").split("/")
    }
    assert said - {""} - set(COLOUR_WORDS) - set(SHADE_WORDS) == set()


SKIN = (224, 172, 140)


def person_in(trousers: tuple[int, int, int], shirt: tuple[int, int, int]) -> NDArray[np.float32]:
    """What is bare of a person 80 px high: head, shirt, trousers, by their shares."""
    image = np.full((SIZE, SIZE, 3), ROOM, np.uint8)
    body = slice(36, 60)
    image[8:20, body], image[20:46, body], image[46:88, body] = SKIN, shirt, trousers
    return bare_skin(image, mask(slice(8, 88), body)[None], NAMER)[0]


def test_bare_legs_and_a_bare_body_are_seen() -> None:
    black, white = PURE["black"], PURE["white"]

    dressed, shorts, shirtless = (
        person_in(*them) for them in ((black, white), (SKIN, white), (black, SKIN))
    )

    assert dressed[0] == pytest.approx(12 / 80, abs=0.05)
    assert dressed[1] < 0.02
    assert shorts[1] > 0.9
    assert shirtless[0] == pytest.approx(38 / 80, abs=0.12)


@pytest.mark.parametrize(
    ("garment", "negated", "skin", "odds"),
    [
        ("shorts", False, (0.3, 0.32), 1.0),
        ("shorts", False, (0.1, 0.02), -2.0),
        ("shorts", True, (0.1, 0.02), 2.0),
        ("jeans", False, (0.1, 0.02), 0.5),
        ("jeans", False, (0.3, 0.32), -1.0),
        ("shirt", True, (0.35, 0.0), 1.4),
        ("shirt", False, (0.35, 0.0), 0.0),
        ("hat", True, (0.35, 0.0), 0.0),
    ],
)
def test_garments_by_skin(
    garment: str, negated: bool, skin: tuple[float, float], odds: float
) -> None:
    look = Look((), (), garment, "whole", (0,), negated)

    assert garment_log_odds(look, np.array([skin], np.float32))[0] == pytest.approx(odds, abs=1e-4)
