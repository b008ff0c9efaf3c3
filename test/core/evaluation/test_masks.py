"""Overlaps worked out by hand; the paper's mAP; streaming; bounds."""

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
from sklearn.metrics import jaccard_score

from actseg_core.errors import ShapeError
from actseg_core.evaluation.masks import (
    THRESHOLDS,
    MaskAccumulator,
    coco_scores,
    common_area,
    decode,
    encode,
    iou,
    overlap,
    score_overlaps,
)

overlaps = st.lists(
    st.integers(0, 500).flatmap(lambda union: st.tuples(st.integers(0, union), st.just(union))),
    min_size=1,
    max_size=30,
)
masks = st.lists(st.booleans(), min_size=24, max_size=24).map(
    lambda cells: np.array(cells).reshape(4, 6)
)


def test_intersection_and_union_of_two_rectangles(rectangle) -> None:
    # 3x4 and 3x4, shifted by one column: 3x3 common, 3x5 together.
    assert overlap(rectangle(2, 3, 3, 4), rectangle(2, 4, 3, 4)) == (9, 15)


def test_masks_of_different_sizes_are_refused(rectangle) -> None:
    with pytest.raises(ShapeError, match=r"\(10, 12\) and \(12, 10\).*own size"):
        overlap(rectangle(), rectangle().T)


def test_iou_has_the_codes_millionth_and_counts_two_empty_masks_as_one() -> None:
    assert iou(1, 4) == (1 + 1e-6) / (4 + 1e-6)
    assert iou(0, 0) == 1.0
    assert iou(0, 7) == pytest.approx(1e-6 / 7, rel=1e-5)


def test_overall_iou_favours_large_regions_and_mean_iou_treats_all_alike() -> None:
    scores = score_overlaps([(90, 100), (1, 10)])
    assert scores.overall_iou == pytest.approx(91 / 110, abs=1e-8)
    assert scores.mean_iou == pytest.approx((0.9 + 0.1) / 2, abs=1e-6)


def test_an_iou_of_exactly_the_threshold_counts_only_without_strict() -> None:
    scores = score_overlaps([(5, 10), (7, 10), (9, 10), (2, 10)])
    wanted = {0.5: (3, 2), 0.6: (2, 2), 0.7: (2, 1), 0.8: (1, 1), 0.9: (1, 0)}
    for threshold, (usual, strict) in wanted.items():
        assert scores.precision_at(threshold) == usual / 4
        assert scores.precision_at(threshold, strict=True) == strict / 4


def test_map_is_the_mean_of_ten_precisions() -> None:
    # 0.62 passes .50 .55 .60; 0.8 passes .50 to .80, strictly only to .75.
    scores = score_overlaps([(62, 100), (8, 10)])
    assert scores.map_mean_precision == pytest.approx((3 + 7) / 20)
    assert scores.map_mean_precision_strict == pytest.approx((3 + 6) / 20)


def test_an_empty_answer_to_an_empty_truth_passes_every_threshold() -> None:
    scores = score_overlaps([(0, 0)])
    assert scores.precision == scores.precision_strict == (1.0,) * 10
    assert scores.overall_iou == scores.mean_iou == 1.0


def test_histogram_has_twentieths_and_one_in_the_last() -> None:
    scores = score_overlaps([(0, 9), (1, 20), (19, 20), (4, 4), (0, 0), (99, 2000)])
    wanted = [0] * 20
    wanted[0], wanted[1], wanted[19] = 2, 1, 3
    assert list(scores.histogram) == wanted


def test_no_sample_gives_nan_and_not_zero() -> None:
    scores = MaskAccumulator().result()
    assert scores.samples == 0
    values = [scores.overall_iou, scores.mean_iou, scores.map_mean_precision, *scores.precision]
    assert np.isnan(values).all()


@given(masks, masks)
def test_iou_is_scikit_learns_jaccard_score_and_symmetric(first, second) -> None:
    ours = overlap(first, second)
    assert ours == overlap(second, first)
    theirs = jaccard_score(first.ravel(), second.ravel(), zero_division=1.0)
    assert iou(*ours) == pytest.approx(theirs, abs=1e-6)


@given(overlaps)
def test_scores_stay_in_bounds_and_precision_never_rises(pairs) -> None:
    scores = score_overlaps(pairs)
    values = np.array(
        [scores.overall_iou, scores.mean_iou, *scores.precision, *scores.precision_strict]
    )
    assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(scores.precision) <= 0).all()
    assert np.all(np.array(scores.precision_strict) <= scores.precision)
    assert sum(scores.histogram) == scores.samples == len(pairs)


@given(overlaps, st.randoms())
def test_order_and_streaming_change_nothing(pairs, random) -> None:
    mixed = list(pairs)
    random.shuffle(mixed)
    accumulator = MaskAccumulator()
    for pair in mixed:
        accumulator.add(*pair)
        accumulator.result()  # looking in between changes nothing
    streamed, batch = accumulator.result(), score_overlaps(pairs)
    assert streamed.mean_iou == pytest.approx(batch.mean_iou, abs=1e-12)
    assert streamed.precision == batch.precision
    assert streamed.overall_iou == batch.overall_iou


@given(overlaps)
def test_precisions_are_those_of_plain_counting(pairs) -> None:
    ious = np.array([intersection / union if union else 1.0 for intersection, union in pairs])
    scores = score_overlaps(pairs)
    away = np.abs(ious[:, None] - THRESHOLDS) > 1e-9  # ties have a test of their own
    for place, threshold in enumerate(THRESHOLDS):
        if away[:, place].all():
            assert scores.precision[place] == pytest.approx((ious >= threshold).mean())


def test_the_counters_take_images_of_any_size() -> None:
    scores = score_overlaps([(2**40, 2**41)] * 3)
    assert scores.precision_at(0.5) == 1.0
    assert scores.precision_at(0.5, strict=True) == 0.0


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
