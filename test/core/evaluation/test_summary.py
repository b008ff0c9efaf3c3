"""Scores as JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from label_scores import score_label_maps

from actseg_core.errors import DatasetError
from actseg_core.evaluation.run import score
from actseg_core.evaluation.semantic import ClassificationScores
from actseg_core.evaluation.summary import (
    replaced,
    row_values,
    summarise,
    summarise_pairs,
    without_nan,
    write_json,
    write_json_lines,
    write_text,
)
from actseg_core.labels import Pair


def test_folders_are_made_and_nothing_else_is_left(tmp_path) -> None:
    write_text(tmp_path / "new" / "a.md", "text\n")
    write_json_lines(tmp_path / "new" / "b.jsonl", [{"a": 1}, {"a": 2}])
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.md", "b.jsonl"]
    assert (tmp_path / "new" / "b.jsonl").read_text() == '{"a": 1}\n{"a": 2}\n'


def test_an_interrupted_write_keeps_what_was_there(tmp_path) -> None:
    path = tmp_path / "a.md"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), replaced(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert [item.name for item in tmp_path.iterdir()] == ["a.md"]


def test_nan_is_refused_because_json_has_none(tmp_path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"cannot write .*file/a\.md.*another output folder"):
        write_text(tmp_path / "file" / "a.md", "text")


def test_a_run_without_swaps_is_json_without_nan(row, rectangle) -> None:
    truth = rectangle(0, 0, 4, 4)
    text = json.dumps(summarise(score([row(truth, truth, pair=Pair(7, 7))])), allow_nan=False)
    content = json.loads(text)
    assert content["masks"]["precision"]["0.50"] == 1.0
    assert content["masks"]["map_mean_precision"] == 1.0
    assert content["by_pair"]["dog running"]["samples"] == 1
    assert content["sequences"]["region_and_boundary"] == 1.0
    assert content["presence"]["auroc"] is None
    assert content["verbs"]["sensitivity"] is None


def test_nan_becomes_null_at_any_depth() -> None:
    assert without_nan({"a": [np.nan, (1.0, {"b": float("nan")})]}) == {
        "a": [None, [1.0, {"b": None}]]
    }


def test_a_row_holds_the_mask_as_readable_run_length_code(row, rectangle) -> None:
    from pycocotools import mask as coco_mask

    truth = rectangle(0, 0, 4, 4)
    item = replace(row(truth, rectangle(0, 0, 4, 2)), swapped="other_action", original="7")
    content = json.loads(json.dumps(row_values(item), allow_nan=False))
    wanted = coco_mask.encode(np.asfortranarray(rectangle(0, 0, 4, 2), np.uint8))
    assert content["mask"] == {**wanted, "counts": wanted["counts"].decode()}
    assert (content["intersection"], content["union"]) == (8, 16)
    assert (content["swapped"], content["original"], content["pair"]) == (
        "other_action",
        "7",
        None,
    )


def test_pairs_hold_all_three_tasks_and_the_classifier_if_any() -> None:
    labels = np.array([[0, 77]], np.uint8)
    scores = score_label_maps([(labels, labels)])
    content = summarise_pairs(scores, None)
    assert content["semantic"]["joint"]["mean_iou"] == 1.0
    assert content["classification"] is None
    classified = summarise_pairs(scores, ClassificationScores(3, 0.5, {"dog": 0.5}))
    assert classified["classification"]["mean_average_precision"] == 0.5
