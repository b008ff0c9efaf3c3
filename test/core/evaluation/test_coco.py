"""COCO's AP of single answers: by hand, and against pycocotools run on files."""

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from actseg_core.evaluation.coco import coco_scores, common_area, decode, encode


def test_a_mask_survives_its_run_length_code(rectangle) -> None:
    mask = rectangle(2, 3, 4, 5) | rectangle(7, 0, 1, 2)
    code = encode(mask)
    np.testing.assert_array_equal(decode(code), mask)
    assert (code.height, code.width, code.area) == (10, 12, 22)


def test_common_area_is_counted_without_unpacking(rectangle) -> None:
    assert common_area(encode(rectangle(2, 3, 3, 4)), encode(rectangle(2, 4, 3, 4))) == 9
    assert common_area(encode(rectangle(0, 0, 2, 2)), encode(rectangle(5, 5, 2, 2))) == 0


def test_a_confident_wrong_answer_costs_precision_and_an_unsure_one_little(rectangle) -> None:
    right, wrong = rectangle(1, 1, 4, 4), rectangle(6, 6, 3, 3)
    truth = encode(right)
    sure_wrong = coco_scores([(encode(right), truth, 0.4), (encode(wrong), truth, 0.9)])
    sure_right = coco_scores([(encode(right), truth, 0.9), (encode(wrong), truth, 0.4)])
    # Recall ends at 1/2, which covers 51 of the 101 points 0, 0.01 ... 1.
    assert sure_right.average == pytest.approx(51 / 101)
    assert sure_wrong.average == pytest.approx(0.5 * 51 / 101)


def test_an_iou_of_exactly_one_half_counts_at_50_alone(rectangle) -> None:
    # 2x4 of 4x4: IoU 8/16.
    scores = coco_scores([(encode(rectangle(0, 0, 2, 4)), encode(rectangle(0, 0, 4, 4)), 0.5)])
    assert (scores.average, scores.at_50, scores.at_75) == pytest.approx((0.1, 1.0, 0.0))


def test_an_empty_answer_is_a_miss_and_no_false_alarm(rectangle) -> None:
    truth, empty = encode(rectangle(0, 0, 4, 4)), encode(rectangle())
    scores = coco_scores([(empty, truth, 0.99), (truth, truth, 0.5)])
    assert scores.at_50 == pytest.approx(51 / 101)
    assert coco_scores([(empty, truth, 0.99)]).average == 0.0


def test_nothing_asked_gives_nan() -> None:
    assert np.isnan(coco_scores([]).average)


def test_nothing_is_printed(rectangle, capsys) -> None:
    truth = encode(rectangle(0, 0, 4, 4))
    coco_scores([(truth, truth, 0.5)])
    assert capsys.readouterr().out == ""


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_scores_are_those_of_pycocotools_on_json_files(tmp_path_factory, seed, count) -> None:
    rng = np.random.default_rng(seed)
    truths = [np.zeros((16, 20), np.uint8) for _ in range(count)]
    answers = []
    for truth in truths:
        top, left = rng.integers(0, 8, 2)
        truth[top : top + 6, left : left + 8] = 1
        answers.append(np.roll(truth, tuple(rng.integers(0, 4, 2)), (0, 1)))
    confidences = rng.permutation(count) / count
    ours = coco_scores(
        (encode(answer > 0), encode(truth > 0), confidence)
        for answer, truth, confidence in zip(answers, truths, confidences, strict=True)
    )
    theirs = _through_files(tmp_path_factory.mktemp("coco"), answers, truths, confidences)
    assert (ours.average, ours.at_50, ours.at_75) == pytest.approx(theirs)


def _through_files(folder, answers, truths, confidences) -> list[float]:
    """As a user of pycocotools would do it: two JSON files with masks as polygons' RLE text."""

    def code(mask):
        rle = coco_mask.encode(np.asfortranarray(mask))
        return {"size": list(mask.shape), "counts": rle["counts"].decode()}

    objects = [
        {"id": place, "image_id": place, "category_id": 7, "iscrowd": 0, "area": int(mask.sum())}
        | {"bbox": [0, 0, 1, 1], "segmentation": code(mask)}
        for place, mask in enumerate(truths, start=1)
    ]
    found = [
        {"image_id": place, "category_id": 7, "score": float(score), "segmentation": code(mask)}
        for place, (mask, score) in enumerate(zip(answers, confidences, strict=True), start=1)
    ]
    images = [{"id": item["id"], "height": 16, "width": 20} for item in objects]
    truth_file, found_file = folder / "truth.json", folder / "found.json"
    truth_file.write_text(
        json.dumps({"images": images, "annotations": objects, "categories": [{"id": 7}]})
    )
    found_file.write_text(json.dumps(found))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(truth_file))
        evaluation = COCOeval(truth, truth.loadRes(str(found_file)), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats[:3]]
