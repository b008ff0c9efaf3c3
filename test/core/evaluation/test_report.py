"""The files of a report, and what they say."""

import json
from dataclasses import replace

import numpy as np
import pytest
from label_scores import score_label_maps

from actseg_core.evaluation.report import (
    markdown,
    pairs_markdown,
    percent,
    table,
    write_pairs_report,
    write_report,
)
from actseg_core.evaluation.run import score
from actseg_core.evaluation.semantic import ClassificationScores
from actseg_core.labels import Pair

ALL_FILES = {
    *("metrics.json", "samples.jsonl", "report.md", "contact_sheet.png"),
    *("iou_histogram.png", "precision_curve.png", "pairs.png", "calibration.png"),
}


@pytest.fixture
def evaluation(row, rectangle):
    """A half-covered dog, the same asked with a false verb, and an answer a frame later."""
    truth, half = rectangle(0, 0, 4, 4), rectangle(0, 0, 2, 4)
    true = row(truth, half, sample_id="a", pair=Pair(7, 7), confidence=0.75, next_mask=half)
    false = row(
        rectangle(),
        rectangle(0, 0, 1, 4),
        sample_id="b",
        sentence="dog walking",
        pair=Pair(7, 7),
        swapped="other_action",
        original="a",
        confidence=0.25,
    )
    return score([true, false])


def image_of(_) -> np.ndarray:
    return np.full((10, 12, 3), 90, np.uint8)


def test_all_files_are_there_and_say_the_same(tmp_path, provenance, evaluation) -> None:
    write_report(tmp_path / "out", provenance, evaluation, image_of)

    assert {path.name for path in (tmp_path / "out").iterdir()} == ALL_FILES
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["measured_on"] == provenance.mark
    assert metrics["provenance"]["row"] == "table1_rgb"
    masks = metrics["scores"]["masks"]
    assert (masks["overall_iou"], masks["samples"]) == (pytest.approx(0.5), 1)
    assert (masks["precision"]["0.50"], masks["precision_strict"]["0.50"]) == (1.0, 0.0)
    assert metrics["scores"]["verbs"]["sensitivity"] == pytest.approx(0.5 - 0.25)
    lines = (tmp_path / "out" / "samples.jsonl").read_text().splitlines()
    assert [json.loads(line)["sample_id"] for line in lines] == ["a", "b"]
    text = (tmp_path / "out" / "report.md").read_text()
    assert all(f"]({name})" in text for name in ALL_FILES if name.endswith(".png"))


def test_the_report_states_every_figure_in_percent(provenance, evaluation) -> None:
    text = markdown(provenance, evaluation, {})
    for line in (
        "# table1_rgb on A2D Sentences, test; all 4000 samples",
        "| P@0.5 | 100.0 (0.0) |",
        "| P@0.6 | 0.0 |",
        "| mAP, the paper's: mean of P@.50:.05:.95 | 10.0 |",
        "| AP, COCO's | 10.0 |",
        "| overall IoU | 50.0 |",
        "| there | 1 | 100.0 |  |",
        "| not there, all kinds | 1 | 0.0 | 3.3 |",
        "| other action | 1 | 0.0 | 3.3 |",
        "| share of the actor covered | 50.0 | 25.0 |",
        "| dog running | 1 | 50.0 | 50.0 |",
    ):
        assert line in text.splitlines()
    assert "AUROC of the confidence 100.0 %" in text
    assert "two consecutive frames 100.0 %, after undoing the motion along the flow - %" in text
    assert "not comparable" not in text


def test_other_data_and_what_was_left_out_are_said_at_the_top(provenance, evaluation) -> None:
    other = replace(provenance, origin="generated", left_out=1, problems=("x.h5 is damaged",))
    head = markdown(other, evaluation, {}).split("##")[0]
    assert "not comparable with the paper's figures" in head
    assert "- x.h5 is damaged" in head
    assert "1 damaged items were left out" in head


def test_a_run_without_swaps_pairs_or_time_leaves_these_parts_out(
    tmp_path, provenance, row, rectangle
) -> None:
    truth = rectangle(0, 0, 4, 4)
    alone = score([row(truth, truth)])
    text = markdown(provenance, alone, {})
    assert "other verb" not in text
    assert "frame to frame" not in text
    assert "By actor" not in text
    write_report(tmp_path, provenance, alone, image_of)
    assert {path.name for path in tmp_path.iterdir()} == ALL_FILES - {"pairs.png"}


def test_a_data_set_of_absent_actors_alone_can_be_reported(
    tmp_path, provenance, row, rectangle
) -> None:
    nobody = score([row(rectangle(), rectangle())])
    write_report(tmp_path, provenance, nobody, image_of)
    assert "| overall IoU | - |" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "contact_sheet.png").exists()


def test_pairs_are_reported_by_task_and_class(tmp_path, provenance) -> None:
    truth, said = np.array([[0, 77, 78]], np.uint8), np.array([[0, 77, 77]], np.uint8)
    semantic = score_label_maps([(said, truth)])
    classified = ClassificationScores(2, 0.25, {"dog": 0.5, "cat": 0.0})
    marked = replace(provenance, kind="a2d-pairs")
    text = pairs_markdown(marked, semantic, classified)
    for line in (
        "| actor | 100.0 | 100.0 | 100.0 |",
        "| actor and action | 66.7 | 66.7 | 50.0 |",
        "| dog running | 50.0 |",
        "| mean | 25.0 |",
    ):
        assert line in text.splitlines()
    write_pairs_report(tmp_path, marked, semantic, None)
    assert {path.name for path in tmp_path.iterdir()} == {"metrics.json", "report.md"}
    assert "Classification" not in (tmp_path / "report.md").read_text()


def test_cells_are_percent_or_a_dash_and_bars_are_escaped() -> None:
    assert [percent(value) for value in (0.1234, 1.0, float("nan"), None)] == [
        "12.3",
        "100.0",
        "-",
        "-",
    ]
    assert table(["a", "b"], [["x|y", "1"]]) == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |"
