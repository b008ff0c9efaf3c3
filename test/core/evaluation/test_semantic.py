"""Table 3's scores by hand, against scikit-learn, and the script's rules about odd classes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from label_scores import score_label_maps
from sklearn.metrics import confusion_matrix, jaccard_score, recall_score
from torchmetrics.functional.classification import multilabel_average_precision

from actseg_core.errors import ShapeError
from actseg_core.evaluation.semantic import (
    KNOWN_IDS,
    VALID_IDS,
    SemanticAccumulator,
    classification_scores,
)


def test_average_precision_of_two_classes_by_hand() -> None:
    confidences = np.array([[0.9, 0.2], [0.8, 0.3], [0.7, 0.1]])
    shown = np.array([[True, False], [False, True], [True, False]])
    scores = classification_scores(confidences, shown, ("dog running", "car"))
    # dog running: ranks 1 and 3 of 3 are right: (1/1 + 2/3) / 2. car: rank 1 is right.
    assert scores.per_class == {"dog running": pytest.approx(5 / 6), "car": 1.0}
    assert scores.mean_average_precision == pytest.approx((5 / 6 + 1) / 2)
    assert scores.videos == 3


def test_a_class_that_no_video_shows_is_left_out() -> None:
    shown = np.array([[True, False], [True, False]])
    scores = classification_scores(np.ones((2, 2)), shown, ("dog", "cat"))
    assert list(scores.per_class) == ["dog"]
    assert scores.mean_average_precision == 1.0


def test_nothing_shown_gives_nan() -> None:
    scores = classification_scores(np.ones((2, 1)), np.zeros((2, 1), bool), ("dog",))
    assert np.isnan(scores.mean_average_precision)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_mean_is_torchmetrics(seed) -> None:
    rng = np.random.default_rng(seed)
    shown = rng.random((20, 5)) < 0.3
    shown[0] = True  # torchmetrics has no rule for classes that never occur
    confidences = rng.permutation(100).reshape(20, 5) / 100
    names = tuple("abcde")
    ours = classification_scores(confidences, shown, names).mean_average_precision
    theirs = multilabel_average_precision(
        torch.from_numpy(confidences), torch.from_numpy(shown).long(), 5, average="macro"
    )
    assert ours == pytest.approx(float(theirs), abs=1e-6)


@pytest.mark.parametrize(
    ("shape", "names", "message"),
    [
        ((3, 3), "ab", r"must both be .* got \(3, 2\) and \(3, 3\)"),
        ((3, 2), "abc", "2 classes need as many names, got 3"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(shape, names, message) -> None:
    with pytest.raises(ShapeError, match=message):
        classification_scores(np.ones((3, 2)), np.ones(shape, bool), tuple(names))


def labels(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.uint8)


def test_there_are_64_ids_of_which_44_are_valid() -> None:
    assert len(KNOWN_IDS) == 64
    assert len(VALID_IDS) == 44
    assert set(VALID_IDS) <= set(KNOWN_IDS)


def test_joint_actor_and_action_scores_by_hand() -> None:
    # True: 4 background, 2 dog running (77), 2 dog walking (78).
    truth = labels([0, 0, 0, 0, 77, 77, 78, 78])
    # Said: 3 background and a 77; a 77 right and one called 78; both 78 called adult walking (18).
    said = labels([0, 0, 0, 77, 77, 78, 18, 18])
    scores = score_label_maps([(said, truth)])

    assert scores.joint.class_average == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert scores.joint.global_accuracy == pytest.approx(4 / 8)
    # IoU: background 3/4; 77: 1 of 2+2-1; 78: 0 of 2+1. adult walking never occurs in the truth.
    assert scores.joint.mean_iou == pytest.approx((3 / 4 + 1 / 3 + 0) / 3)
    assert scores.joint.per_class == {
        "background": 3 / 4,
        "dog running": pytest.approx(1 / 3),
        "dog walking": 0.0,
    }
    # Actors: background 3 of 4; dog: 2 of 4 right, and 1 background pixel called dog.
    assert scores.actor.class_average == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert scores.actor.global_accuracy == pytest.approx(5 / 8)
    assert scores.actor.per_class == {"background": 3 / 4, "dog": 2 / 5}
    # Actions: running 1 of 2; walking 2 of 2, although of another actor.
    assert scores.action.class_average == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert scores.action.global_accuracy == pytest.approx(6 / 8)
    assert scores.action.per_class == {
        "background": 3 / 4,
        "running": pytest.approx(1 / 3),
        "walking": pytest.approx(2 / 3),
    }


def test_none_is_an_action_of_its_own_and_not_the_background() -> None:
    scores = score_label_maps([(labels([79, 0]), labels([79, 0]))])
    assert scores.action.per_class == {"background": 1.0, "none": 1.0}
    assert scores.joint.per_class == {"background": 1.0, "dog none": 1.0}


def test_pixels_of_pairs_that_a2d_does_not_use_count_in_the_joint_iou_but_not_its_accuracy() -> (
    None
):
    # 14, adult flying, is in the colour map but not valid.
    scores = score_label_maps([(labels([0, 0, 18, 18]), labels([0, 14, 14, 18]))])
    assert scores.joint.class_average == 1.0  # background 1/1, adult walking 1/1
    assert scores.joint.global_accuracy == 1.0
    # background 1/2, adult flying 0/2, adult walking 1/2
    assert scores.joint.mean_iou == pytest.approx((1 / 2 + 0 + 1 / 2) / 3)
    # Actors and actions count all pixels.
    assert scores.actor.global_accuracy == pytest.approx(3 / 4)
    assert scores.action.global_accuracy == pytest.approx(2 / 4)


def test_a_frame_of_nothing_but_unused_pairs_has_no_joint_accuracy() -> None:
    scores = score_label_maps([(labels([14]), labels([14]))])
    assert np.isnan(scores.joint.class_average)
    assert scores.actor.class_average == 1.0


def test_nothing_added_gives_nan() -> None:
    scores = SemanticAccumulator().result()
    assert scores.frames == 0
    assert np.isnan([scores.actor.mean_iou, scores.joint.global_accuracy]).all()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (labels([1, 0]), "predicted label map has the id 1; wanted 0 or 10"),
        (labels([70, 0]), "has the id 70"),
        (labels([80, 0]), "has the id 80"),
        (labels([255, 0]), "has the id 255"),
        (labels([0]), r"\(1, 1\) cannot be compared with one of \(1, 2\)"),
        (np.zeros((1, 2), np.int64), "must be .* uint8, got .* int64"),
    ],
)
def test_what_is_no_label_map_is_refused(said, message) -> None:
    with pytest.raises(ShapeError, match=message):
        score_label_maps([(said, labels([0, 0]))])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_scores_are_scikit_learns(seed, kinds) -> None:
    rng = np.random.default_rng(seed)
    some = rng.choice(VALID_IDS, kinds, replace=False)
    truth, said = (some[rng.integers(0, kinds, (6, 7))].astype(np.uint8) for _ in range(2))
    scores = score_label_maps([(said, truth)])
    flat, guess = truth.ravel(), said.ravel()
    for task, group in (
        (scores.joint, lambda ids: ids),
        (scores.actor, lambda ids: ids // 10),
        (scores.action, lambda ids: ids % 10),
    ):
        true, predicted = group(flat), group(guess)
        occurring = np.unique(true)
        recall = recall_score(true, predicted, labels=occurring, average="macro")
        jaccard = jaccard_score(true, predicted, labels=occurring, average="macro")
        matrix = confusion_matrix(true, predicted, labels=range(80))
        assert task.class_average == pytest.approx(recall)
        assert task.mean_iou == pytest.approx(jaccard)
        assert task.global_accuracy == pytest.approx(np.trace(matrix) / matrix.sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_frames_in_any_order_or_as_one_large_frame_score_the_same(seed) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.choice(KNOWN_IDS, (4, 2, 3, 5)).astype(np.uint8)
    one = score_label_maps([(maps[:, 0].reshape(12, 5), maps[:, 1].reshape(12, 5))])
    many = score_label_maps([tuple(maps[place]) for place in rng.permutation(4)])
    assert (many.actor, many.action, many.joint) == (one.actor, one.action, one.joint)
    assert 0 <= many.joint.mean_iou <= 1
