from pathlib import Path

import numpy as np
import pytest

from actseg_core.errors import VocabularyError
from actseg_core.objects import people
from actseg_core.objects.people import PREFERENCE, preference, trait_log_odds

GOWN, SUIT, BALLPLAYER, BONNET, DIAPER = 578, 834, 981, 452, 529  # ImageNet's classes
WOMAN, CHILD = np.array([1.0, -0.5], np.float32), np.array([0.0, 1.0], np.float32)


def names(*classes: int) -> np.ndarray:
    """(K, 1000): each object is half of one class."""
    found = np.full((len(classes), 1000), 5e-4, np.float32)
    found[np.arange(len(classes)), classes] = 0.5
    return found


def test_clothes_tell_women_from_men_and_children_from_grown_ups() -> None:
    gown, suit, player, bonnet, diaper = trait_log_odds(
        names(GOWN, SUIT, BALLPLAYER, BONNET, DIAPER)
    )

    assert gown[0] > suit[0] and gown[0] > player[0]
    assert min(bonnet[1], diaper[1]) > max(suit[1], player[1])


def test_the_best_fitting_person_loses_nothing_and_nobody_much() -> None:
    found = preference(WOMAN, names(SUIT, GOWN, BALLPLAYER), np.ones(3, bool))

    assert found[1] == 0
    assert -PREFERENCE <= found.min() < 0
    assert found.dtype == np.float32


def test_who_is_alone_or_no_person_is_left_as_he_is() -> None:
    alone = preference(CHILD, names(SUIT), np.ones(1, bool))
    beside = preference(WOMAN, names(SUIT, GOWN), np.array([True, False]))

    assert alone.tolist() == [0.0]
    assert beside.tolist() == [0.0, 0.0]


def test_a_damaged_table_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "people.npz"
    damaged.write_bytes(b"no table")
    monkeypatch.setattr(people, "TABLE", damaged)
    people._table.cache_clear()
    try:
        with pytest.raises(VocabularyError, match="install actseg again"):
            trait_log_odds(names(SUIT))
    finally:
        people._table.cache_clear()
