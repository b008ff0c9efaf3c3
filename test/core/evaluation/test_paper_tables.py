"""The paper's figures are as printed and consistent with the meaning that we give to them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from actseg_core.config import preset_names
from actseg_core.evaluation.datasets import TEST_DATA
from actseg_core.evaluation.masks import PAPER_THRESHOLDS, THRESHOLDS
from actseg_core.evaluation.paper_tables import PAPER_TABLES, TABLE_1, TABLE_2, TABLE_3
from actseg_core.experiment_config import load_experiment

OVERLAP_ROWS = [
    pytest.param(row, id=f"{table.title[:7]} {row.label}")
    for table in (TABLE_1, TABLE_2)
    for row in table.rows
]


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


def interpolated_mean(precisions) -> float:
    """Mean over .50:.05:.95 of P@.5 .6 .7 .8 .9, by monotone interpolation; P@1 is taken as 0.

    A straight line would be too high for the steeply falling rows of Table 2 (by 0.4).
    """
    curve = PchipInterpolator([*PAPER_THRESHOLDS, 1.0], [*precisions, 0.0])
    return float(curve(THRESHOLDS).mean())


@pytest.mark.parametrize("row", OVERLAP_ROWS)
def test_the_papers_map_is_the_mean_of_its_own_precisions(row) -> None:
    assert interpolated_mean(row.values[:5]) == pytest.approx(row.values[5], abs=0.15)


@pytest.mark.parametrize("row", OVERLAP_ROWS)
def test_the_papers_map_lies_between_the_bounds_that_falling_precisions_set(row) -> None:
    precisions = row.values[:5]
    highest = [value for value in precisions for _ in range(2)]  # P@.55 at most P@.5
    lowest = [*highest[1:], 0.0]  # P@.55 at least P@.6
    assert np.mean(lowest) <= row.values[5] <= np.mean(highest)


def test_the_map_of_later_papers_is_another_measure() -> None:
    # MTTR (CVPR 2022), A2D Sentences, window 10: its P@.5 to .9, and its mAP, which is COCO's AP.
    assert interpolated_mean([75.4, 71.2, 63.8, 48.5, 16.9]) > 46.1 + 3


@pytest.mark.parametrize("table", PAPER_TABLES, ids=lambda table: table.title[:12])
def test_every_row_has_a_figure_or_a_gap_in_every_column(table) -> None:
    assert all(len(row.values) == len(table.columns) for row in table.rows)
    values = [value for row in table.rows for value in row.values if value is not None]
    assert all(0 <= value <= 100 for value in values)


def test_the_figures_are_those_of_the_papers_text() -> None:
    text = Path(__file__).resolve().parents[4] / "shared" / "paper.txt"
    if not text.is_file():
        pytest.skip(f"the paper's text is not at {text}")
    lines = [line.replace("⋆", "*") for line in text.read_text(encoding="utf-8").splitlines()]
    for table in (TABLE_1, TABLE_2, TABLE_3):
        for row in table.rows:
            figures = " ".join("-" if value is None else f"{value:.1f}" for value in row.values)
            assert f"{row.label} {figures}" in lines


@pytest.mark.parametrize(
    ("preset", "kind"),
    [
        (preset, table.kind)
        for table in PAPER_TABLES
        for row in table.rows
        for preset in row.presets
    ],
)
def test_every_row_of_ours_is_a_preset_tested_on_the_tables_data(preset, kind) -> None:
    _, experiment = load_experiment(preset)
    assert TEST_DATA[experiment.test_on] == kind


def test_every_preset_of_a_row_is_in_a_table() -> None:
    placed = {preset for table in PAPER_TABLES for row in table.rows for preset in row.presets}
    assert placed == {name for name in preset_names() if load_experiment(name)[0].row}
