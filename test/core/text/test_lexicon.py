"""The table of words that ships with the package."""

from pathlib import Path

import numpy as np
import pytest

from actseg_core.errors import VocabularyError
from actseg_core.text import lexicon
from actseg_core.text.lexicon import MOTIONS, load_lexicon, read_lexicon

SHIPPED = Path(lexicon.__file__).with_name("nouns.npz")


@pytest.mark.parametrize(
    ("form", "verb", "motion"),
    [
        ("ran", "run", "fast"),
        ("sitting", "sit", "still"),
        ("strolls", "stroll", "slow"),
        ("hopped", "hop", "jumping"),
        ("flew", "fly", "airborne"),
        ("climbs", "climb", "climbing"),
        ("spinning", "spin", "rolling"),
        ("drives", "drive", "moving"),
        ("waving", "wave", "acting"),
    ],
)
def test_a_form_leads_to_its_verb_and_how_that_moves(form: str, verb: str, motion: str) -> None:
    assert load_lexicon().verb(form) == verb
    assert load_lexicon().motion(form) == motion


def test_a_form_that_is_too_rare_for_the_table_is_taken_apart() -> None:
    assert "squirming" not in load_lexicon().words
    assert load_lexicon().verb("squirming") == "squirm"
    assert load_lexicon().counts("squirming") == (0, 1, 0, 0)


def test_a_word_that_is_no_verb_has_none() -> None:
    assert load_lexicon().verb("banana") is None
    assert load_lexicon().motion("banana") == MOTIONS[0]
    assert load_lexicon().counts("xqzt") == (0, 0, 0, 0)


def test_a_word_counts_as_often_as_texts_use_it() -> None:
    noun, verb, adjective, adverb = load_lexicon().counts("man")

    assert noun > verb > 0
    assert (adjective, adverb) == (0, 0)


def test_every_row_of_the_table_is_within_its_bounds() -> None:
    table = load_lexicon().arrays
    rows = len(load_lexicon().nouns)
    meanings = len(table["start"]) - 1

    assert len(table["meaning"]) == len(table["lemma"]) == rows
    assert int(table["meaning"].max()) == meanings - 1
    assert int(table["lemma"].max()) < rows
    assert (np.diff(table["start"].astype(int)) >= 0).all()
    assert int(table["start"][-1]) == len(table["classes"]) == len(table["weights"])
    assert int(table["classes"].max()) < 1080


@pytest.mark.parametrize("kept", [0, 1000, -1])
def test_a_damaged_table_is_an_error_that_says_what_to_do(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "nouns.npz"
    file.write_bytes(SHIPPED.read_bytes()[:kept])

    with pytest.raises(VocabularyError, match="is missing or damaged .* install actseg again"):
        read_lexicon(file)


@pytest.mark.parametrize("place", [200, 100_000, 300_000])
def test_a_table_with_wrong_bytes_is_an_error(tmp_path: Path, place: int) -> None:
    content = bytearray(SHIPPED.read_bytes())
    content[place : place + 40] = bytes(40)
    file = tmp_path / "nouns.npz"
    file.write_bytes(content)

    with pytest.raises(VocabularyError, match="is missing or damaged"):
        read_lexicon(file)


def test_a_table_that_lacks_an_array_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "nouns.npz"
    np.savez(file, nouns=np.frombuffer(b"dog", np.uint8))

    with pytest.raises(VocabularyError, match="is missing or damaged"):
        read_lexicon(file)
