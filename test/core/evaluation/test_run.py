"""The evaluator: a whole run by hand, streaming with little memory, refusals."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from actseg_core.errors import DatasetError, ShapeError
from actseg_core.evaluation.masks import score_overlaps
from actseg_core.evaluation.questions import Prediction, Question
from actseg_core.evaluation.run import evaluate, score
from actseg_core.labels import Pair

DOG_RUNNING, DOG_WALKING, CAT_RUNNING = Pair(7, 7), Pair(7, 8), Pair(6, 7)


@pytest.fixture
def questions(rectangle) -> list[Question]:
    """Two dogs, one running, one walking; a false verb; an absent cat."""
    left, right, nobody = rectangle(2, 0, 4, 4), rectangle(2, 6, 4, 5), rectangle()
    common = {"video_id": "v", "frame": 3}
    return [
        Question(sample_id="a", sentence="dog running", truth=left, pair=DOG_RUNNING, **common),
        Question(sample_id="b", sentence="dog walking", truth=right, pair=DOG_WALKING, **common),
        Question(
            sample_id="a#other_action",
            sentence="dog rolling",
            truth=nobody,
            pair=DOG_RUNNING,
            swapped="other_action",
            original="a",
            **common,
        ),
        Question(
            sample_id="a#absent_actor",
            sentence="cat eating",
            truth=nobody,
            pair=DOG_RUNNING,
            swapped="absent_actor",
            original="a",
            **common,
        ),
    ]


@pytest.fixture
def predict(rectangle):
    """Right about the running dog but for one column; takes it for the walking one, too."""
    left, wide, nobody = rectangle(2, 0, 4, 3), rectangle(0, 1, 4, 9), rectangle()
    answers = {
        "dog running": Prediction(mask=left, found=True, confidence=0.9),
        "dog walking": Prediction(mask=left, found=True, confidence=0.6),
        "dog rolling": Prediction(mask=wide, found=True, confidence=0.7),
        "cat eating": Prediction(mask=nobody, found=False, confidence=0.1),
    }
    return lambda question: answers[question.sentence]


def test_a_whole_run_by_hand(questions, predict) -> None:
    result = evaluate(questions, predict)

    assert [row.sample_id for row in result.rows] == [item.sample_id for item in questions]
    # 12 of 16 pixels of the left dog; none of the 20 of the right one and 12 wrong ones.
    assert result.masks == score_overlaps([(12, 16), (0, 32)])
    assert result.by_pair["dog running"].mean_iou == pytest.approx(0.75, abs=1e-6)
    assert result.by_pair["dog walking"].mean_iou == pytest.approx(0.0, abs=1e-6)
    assert result.coco.at_50 == pytest.approx(51 / 101)
    assert result.sequences.objects == 2
    assert result.sequences.region == pytest.approx(0.375, abs=1e-6)

    presence = result.presence
    assert (presence.targets, presence.target_accuracy) == (2, 1.0)
    assert (presence.absent.samples, presence.absent.accuracy) == (2, 0.5)
    assert presence.absent.false_area == pytest.approx(0.5 * 36 / 120)
    assert presence.absent_by_kind["absent_actor"].accuracy == 1.0
    assert presence.auroc == pytest.approx(3 / 4)

    verbs = result.verbs
    assert verbs.pairs == 1
    assert verbs.confidence_drop == pytest.approx(0.2)
    assert verbs.coverage == pytest.approx(12 / 16)
    # Of 4x9 pixels 2x3 are on the running dog.
    assert verbs.other_coverage == pytest.approx(6 / 16)
    # The answer about the running dog is right, that about the walking one lies on the other.
    assert (verbs.rivals, verbs.told_apart) == (2, 0.5)
    assert result.consistency.samples == 0
    assert np.isnan(result.pointing)


def test_rivals_are_of_one_kind_in_one_frame(row, rectangle) -> None:
    dog, other = rectangle(0, 0, 2, 2), rectangle(5, 5, 2, 2)
    running = row(dog, dog, sample_id="1", pair=DOG_RUNNING)
    later = row(other, other, sample_id="2", pair=DOG_WALKING, frame=1)
    cat = row(other, other, sample_id="3", pair=CAT_RUNNING)
    twin = row(other, other, sample_id="4", pair=DOG_RUNNING)
    assert score([running, later, cat, twin]).verbs.rivals == 0
    assert score([running, replace(later, frame=0)]).verbs.told_apart == 1.0


def test_an_answer_not_found_counts_as_an_empty_mask(row, rectangle) -> None:
    there = rectangle(1, 1, 3, 3)
    missed = row(there, there, found=False)
    assert (missed.intersection, missed.union) == (0, 9)
    assert missed.predicted.area == 0
    assert row(rectangle(), there, found=False).iou == 1.0


def test_a_frame_whose_actor_is_absent_by_annotation_is_no_mask_sample(row, rectangle) -> None:
    result = score([row(rectangle(), rectangle(), confidence=0.2)])
    assert result.masks.samples == 0
    assert result.presence.absent_by_kind["annotated"].accuracy == 1.0


def test_the_strongest_response_is_looked_up_in_the_truth(row, rectangle) -> None:
    truth = rectangle(2, 3, 2, 2)
    response = np.zeros((10, 12), np.float32)
    response[3, 4] = 1.0
    hit = row(truth, truth, response=response, sample_id="1")
    miss = row(truth, truth, response=-response, sample_id="2")  # the first zero is at (0, 0)
    silent = row(truth, truth, sample_id="3")
    assert (hit.pointed, miss.pointed, silent.pointed) == (True, False, None)
    assert score([hit, miss, silent]).pointing == 0.5


def test_answers_of_the_next_frame_give_consistency(row, rectangle) -> None:
    flow = np.zeros((10, 12, 2), np.float32)
    flow[..., 0] = 2
    first, second = rectangle(2, 2, 2, 4), rectangle(2, 4, 2, 4)
    item = row(first, first, next_mask=second, next_flow=flow)
    assert (item.steady, item.steady_warped) == ((4, 12), (8, 8))
    assert score([item]).consistency.warped == 1.0


def test_no_question_is_an_error() -> None:
    with pytest.raises(DatasetError, match="nothing to evaluate"):
        evaluate([], lambda question: pytest.fail("asked"))


def test_two_samples_of_one_name_are_an_error(questions, predict) -> None:
    with pytest.raises(DatasetError, match="two samples are called a;"):
        evaluate([questions[0], questions[0]], predict)


def test_an_answer_of_the_networks_size_is_refused(questions) -> None:
    small = Prediction(mask=np.zeros((5, 6), np.bool_), found=False, confidence=0.0)
    with pytest.raises(ShapeError, match=r"\(5, 6\) and \(10, 12\).*own size"):
        evaluate(questions, lambda _: small)


def test_memory_per_sample_is_about_a_kilobyte() -> None:
    rng = np.random.default_rng(0)
    samples = 60

    def stream():
        for number in range(samples):
            truth = np.zeros((240, 320), np.bool_)
            top, left = rng.integers(0, 100, 2)
            truth[top : top + 90, left : left + 60] = True
            yield Question(sample_id=str(number), video_id="v", sentence="dog", truth=truth)

    tracemalloc.start()
    result = evaluate(stream(), lambda it: Prediction(mask=~it.truth, found=True, confidence=0.5))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    image = 240 * 320
    assert len(result.rows) == samples
    assert kept < samples * 4_000
    assert peak < samples * image / 2  # never all masks at once
