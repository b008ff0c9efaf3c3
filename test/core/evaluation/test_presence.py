"""Presence: accuracies, marked area, calibration and AUROC, by hand and against scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.classification import binary_calibration_error

from actseg_core.evaluation.presence import PresenceAnswer, presence_scores

answers = st.lists(
    st.builds(
        PresenceAnswer,
        present=st.booleans(),
        found=st.booleans(),
        confidence=st.floats(0, 1),
        marked=st.floats(0, 1),
        kind=st.sampled_from(["", "absent_actor", "other_action"]),
    ),
    min_size=1,
    max_size=40,
)


def test_accuracies_and_marked_area_by_hand() -> None:
    scores = presence_scores(
        [
            PresenceAnswer(True, True, 0.9, 0.2),
            PresenceAnswer(True, True, 0.8, 0.2),
            PresenceAnswer(True, False, 0.3, 0.0),
            PresenceAnswer(False, False, 0.1, 0.0, "absent_actor"),
            PresenceAnswer(False, True, 0.7, 0.06, "other_action"),
            PresenceAnswer(False, True, 0.6, 0.02, "other_action"),
            PresenceAnswer(False, False, 0.2, 0.0),
        ]
    )
    assert scores.targets == 3
    assert scores.target_accuracy == pytest.approx(2 / 3)
    assert scores.absent.samples == 4
    assert scores.absent.accuracy == pytest.approx(2 / 4)
    assert scores.absent.false_area == pytest.approx(0.08 / 4)
    kinds = scores.absent_by_kind
    assert list(kinds) == ["absent_actor", "annotated", "other_action"]
    assert (kinds["absent_actor"].accuracy, kinds["absent_actor"].false_area) == (1.0, 0.0)
    assert kinds["other_action"].accuracy == 0.0
    assert kinds["other_action"].false_area == pytest.approx(0.04)
    # 12 pairs of one who is there and one who is not; 0.3 is above 0.1 and 0.2 only.
    assert scores.auroc == pytest.approx(10 / 12)


def test_calibration_error_is_the_weighted_distance_of_confidence_and_frequency() -> None:
    present = [True, True, False, True, False]
    confidence = [0.92, 0.98, 0.94, 0.12, 0.18]
    scores = presence_scores(
        [
            PresenceAnswer(*item, marked=0.0)
            for item in zip(present, present, confidence, strict=True)
        ]
    )
    high, low = sum(confidence[:3]) / 3, sum(confidence[3:]) / 2
    assert scores.calibration_error == pytest.approx(
        3 / 5 * abs(high - 2 / 3) + 2 / 5 * abs(low - 1 / 2), abs=1e-6
    )
    used = {place: item for place, item in enumerate(scores.calibration) if item.samples}
    assert list(used) == [1, 9]
    assert (used[9].samples, used[9].confidence, used[9].present) == pytest.approx(
        (3, high, 2 / 3)
    )


def test_a_confidence_of_one_is_in_the_last_bin() -> None:
    scores = presence_scores([PresenceAnswer(True, True, 1.0, 0.5)])
    assert scores.calibration[9].samples == 1
    assert scores.calibration_error == 0.0


@pytest.mark.parametrize(
    ("confidence", "place"), [(0.0, 0), (0.1, 1), (0.3, 3), (0.6, 6), (0.7, 7), (0.9, 9)]
)
def test_a_confidence_on_an_edge_is_in_the_bin_above(confidence: float, place: int) -> None:
    scores = presence_scores([PresenceAnswer(True, True, confidence, 0.5)])
    assert [item.samples for item in scores.calibration].index(1) == place


def test_a_confidence_of_one_counts_with_the_others_of_its_bin() -> None:
    # One bin: mean confidence 0.96875, one of two is there. Apart they would give 0.53125.
    scores = presence_scores(
        [PresenceAnswer(False, True, 1.0, 0.5), PresenceAnswer(True, True, 0.9375, 0.5)]
    )
    assert scores.calibration_error == pytest.approx(0.96875 - 0.5)


def test_without_samples_of_both_kinds_there_is_no_auroc() -> None:
    scores = presence_scores([PresenceAnswer(True, True, 0.9, 0.5)])
    assert np.isnan([scores.auroc, scores.absent.accuracy, scores.absent.false_area]).all()
    assert scores.absent_by_kind == {}


def test_without_any_sample_everything_is_nan() -> None:
    scores = presence_scores([])
    assert np.isnan([scores.auroc, scores.calibration_error, scores.target_accuracy]).all()


@settings(deadline=None)
@given(answers)
def test_scores_are_bounded_and_auroc_is_that_of_scikit_learn(items) -> None:
    scores = presence_scores(items)
    assert sum(item.samples for item in scores.calibration) == len(items)
    assert 0 <= scores.calibration_error <= 1
    present = [item.present for item in items]
    if len(set(present)) == 2:
        expected = roc_auc_score(present, [item.confidence for item in items])
        assert scores.auroc == pytest.approx(expected)
    else:
        assert np.isnan(scores.auroc)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 999)), min_size=1, max_size=40))
def test_away_from_the_edges_the_calibration_error_is_that_of_torchmetrics(items) -> None:
    present = [present for present, _ in items]
    confidences = [(place + 0.5) / 1000 for _, place in items]  # never on a tenth, never 1
    scores = presence_scores(
        [
            PresenceAnswer(*item, marked=0.0)
            for item in zip(present, present, confidences, strict=True)
        ]
    )
    error = binary_calibration_error(
        torch.tensor(confidences, dtype=torch.double), torch.tensor(present).long(), n_bins=10
    )
    assert scores.calibration_error == pytest.approx(float(error), abs=1e-6)


@settings(deadline=None)
@given(answers, st.randoms())
def test_order_changes_nothing(items, random) -> None:
    mixed = list(items)
    random.shuffle(mixed)
    first, second = presence_scores(items), presence_scores(mixed)
    assert first.absent.samples == second.absent.samples
    np.testing.assert_allclose(first.auroc, second.auroc)
    np.testing.assert_allclose(first.calibration_error, second.calibration_error, atol=1e-9)
    np.testing.assert_allclose(first.absent.false_area, second.absent.false_area)
