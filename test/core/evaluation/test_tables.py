"""The paper's tables beside ours: right place, right mark, nothing invented."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from label_scores import score_label_maps

from actseg_core.errors import DatasetError
from actseg_core.evaluation.paper_tables import ABLATION, CLASSIFICATION, PAPER_TABLES, TABLE_1
from actseg_core.evaluation.report import write_pairs_report, write_report
from actseg_core.evaluation.run import score
from actseg_core.evaluation.semantic import ClassificationScores
from actseg_core.evaluation.tables import fill, find_measurements, tables_markdown


@pytest.fixture
def written(tmp_path, row, rectangle):
    """Writes a report of one sample whose IoU is 3/4."""
    truth, most = rectangle(0, 0, 4, 4), rectangle(0, 0, 3, 4)
    evaluation = score([row(truth, most, found=True)])

    def write(name: str, provenance) -> Path:
        image = np.zeros((10, 12, 3), np.uint8)
        write_report(tmp_path / name, provenance, evaluation, lambda _: image)
        return tmp_path / name / "metrics.json"

    return write


def line_after(tables, title: str, label: str, by: int = 1):
    """The line so many below that of a method of the paper."""
    lines = next(item.lines for item in tables if item.title.startswith(title))
    return lines[[line.label for line in lines].index(label) + by]


def test_without_measurements_every_cell_of_ours_is_empty() -> None:
    tables = fill([])
    assert [item.title for item in tables] == [item.title for item in PAPER_TABLES]
    ours = [line for item in tables for line in item.lines if not line.is_papers]
    assert ours
    assert all(value is None for line in ours for value in line.values)
    assert all(line.data == "" for line in ours)
    rows = [line for line in tables_markdown(tables).splitlines() if line.startswith("|  | ours ")]
    assert len(rows) == len(ours)
    assert all(set(row.split("ours")[1]) <= set(" |-") for row in rows)


def test_the_papers_figures_are_unchanged() -> None:
    printed = [line.values for line in fill([])[0].lines if line.is_papers]
    assert printed == [row.values for row in TABLE_1.rows]


def test_a_measurement_stands_below_its_row_in_percent(written, tmp_path, provenance) -> None:
    written("rgb", provenance)
    tables = fill(find_measurements(tmp_path))
    line = line_after(tables, "Table 1", "This paper: RGB")
    # IoU 3/4 passes .50 to .75.
    assert line.values == pytest.approx((100, 100, 100, 0, 0, 60, 75, 75), abs=1e-4)
    assert line.source == "table1_rgb (rgb.safetensors, sha256 0123456789ab)"
    assert line.data == "the paper's data: A2D Sentences, test; all 4000 samples"
    assert line_after(tables, "Table 1", "Li et al. [15] *").values == (None,) * 8


def test_one_network_fills_every_ablation_row_that_it_is(written, tmp_path, provenance) -> None:
    written("rgb", provenance)
    tables = fill(find_measurements(tmp_path))
    for label in ("N = 16", "1D convolution", "multi-resolution loss", "RGB"):
        assert line_after(tables, ABLATION.title, label).values == pytest.approx((75.0,), abs=1e-4)
    for label in ("N = 8", "LSTM", "single resolution", "Flow"):
        assert line_after(tables, ABLATION.title, label).values == (None,)


def test_other_data_is_marked_as_not_comparable(written, tmp_path, provenance) -> None:
    written("rgb", replace(provenance, origin="generated", asked=10))
    line = line_after(fill(find_measurements(tmp_path)), "Table 1", "This paper: RGB")
    assert line.data == (
        "not comparable: generated, layout of A2D Sentences, test; 10 of 4000 samples"
    )


def test_networks_without_a_row_come_last_and_own_data_in_its_own_table(
    written, tmp_path, provenance
) -> None:
    written("lite", replace(provenance, model="lite", row=""))
    written("own", replace(provenance, kind="custom", origin="unverified", row="", split=""))
    tables = fill(find_measurements(tmp_path))
    first, own = tables[0], tables[-1]
    assert (first.lines[-1].label, first.lines[-1].source[:4]) == ("not in the paper", "lite")
    assert own.title == "Own data"
    assert own.lines[0].data == "not comparable: custom data a2d; all 4000 samples"


def test_several_runs_of_one_row_all_stand_there(written, tmp_path, provenance) -> None:
    written("one", provenance)
    written("two", replace(provenance, asked=10))
    tables = fill(find_measurements(tmp_path))
    assert line_after(tables, "Table 1", "This paper: RGB", 1).data.endswith("all 4000 samples")
    assert line_after(tables, "Table 1", "This paper: RGB", 2).data.endswith("10 of 4000 samples")


def test_pairs_fill_table_3_and_the_classification_only_with_a_classifier(
    tmp_path, provenance
) -> None:
    truth, said = np.array([[0, 77, 78]], np.uint8), np.array([[0, 77, 77]], np.uint8)
    semantic = score_label_maps([(said, truth)])
    marked = replace(provenance, kind="a2d-pairs", row="table3_pairs")
    write_pairs_report(tmp_path / "a", marked, semantic, None)
    tables = fill(find_measurements(tmp_path))
    values = line_after(tables, "Table 3", "This paper").values
    assert values[:3] == (100, 100, 100)
    assert values[6:] == pytest.approx((200 / 3, 200 / 3, 50))
    assert line_after(tables, CLASSIFICATION.title, "This paper").values == (None,)

    classified = ClassificationScores(2, 0.25, {"dog": 0.25})
    write_pairs_report(tmp_path / "a", marked, semantic, classified)
    tables = fill(find_measurements(tmp_path))
    assert line_after(tables, CLASSIFICATION.title, "This paper").values == (25,)


def test_markdown_names_method_source_and_data(written, tmp_path, provenance) -> None:
    written("rgb", provenance)
    text = tables_markdown(fill(find_measurements(tmp_path)))
    row = next(line for line in text.splitlines() if "rgb.safetensors" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2] == "the paper's data: A2D Sentences, test; all 4000 samples"
    assert cells[3:] == ["100.0", "100.0", "100.0", "0.0", "0.0", "60.0", "75.0", "75.0"]


def damaged(content: dict, change) -> str:
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.update(format="other"), "is of 'other' version 1, wanted"),
        (lambda it: it.update(version=99), "version 99.*update actseg"),
        (lambda it: it.pop("scores"), "is no report of `actseg evaluate`"),
        (lambda it: it["scores"].pop("masks"), "KeyError: 'masks'"),
        (lambda it: it["scores"]["masks"].update(precision={}), "KeyError: '0.50'"),
        (lambda it: it["scores"]["masks"].update(mean_iou="much"), "is no report"),
        (lambda it: it["provenance"].pop("origin"), "origin"),
        (lambda it: it["provenance"].update(origin="made up"), "origin"),
        (lambda it: it["provenance"].update(asked="all"), "asked"),
        (lambda it: it.update(provenance=[]), "is no report"),
    ],
)
def test_a_damaged_report_is_named_with_its_problem(written, provenance, change, message) -> None:
    path = written("rgb", provenance)
    path.write_text(damaged(json.loads(path.read_text()), change))
    with pytest.raises(
        DatasetError, match=rf"(?s)rgb/metrics\.json.*{message}|{message}"
    ) as error:
        find_measurements(path.parent)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000])
def test_what_is_no_json_object_is_named(tmp_path, text) -> None:
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(DatasetError, match=r"metrics\.json is no report"):
        find_measurements(tmp_path)


def test_a_missing_folder_is_named(tmp_path) -> None:
    with pytest.raises(
        DatasetError, match=r"no folder .*nowhere; write one with `actseg evaluate"
    ):
        find_measurements(tmp_path / "nowhere")
