"""The mark of a figure says what it was measured on."""

from dataclasses import replace

import pytest


def test_all_of_the_papers_data_is_marked_so(provenance) -> None:
    assert provenance.is_papers_data
    assert provenance.mark == "A2D Sentences, test; all 4000 samples"


@pytest.mark.parametrize(
    ("changes", "mark"),
    [
        (
            {"origin": "generated"},
            "generated, layout of A2D Sentences, test; all 4000 samples",
        ),
        ({"origin": "unverified"}, "unverified copy of A2D Sentences, test; all 4000 samples"),
        ({"asked": 100}, "A2D Sentences, test; 100 of 4000 samples"),
        ({"left_out": 2}, "A2D Sentences, test; all 4000 samples, 2 damaged items left out"),
        ({"notes": ("frozen clips",)}, "A2D Sentences, test; all 4000 samples; frozen clips"),
        ({"split": "train"}, "A2D Sentences, train; all 4000 samples"),
        (
            {"kind": "custom", "origin": "unverified", "split": ""},
            "custom data a2d; all 4000 samples",
        ),
    ],
)
def test_anything_else_is_not_comparable_and_says_why(provenance, changes, mark) -> None:
    changed = replace(provenance, **changes)
    assert not changed.is_papers_data
    assert changed.mark == mark
