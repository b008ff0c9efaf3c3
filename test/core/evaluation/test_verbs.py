"""Verb sensitivity by hand."""

import numpy as np
import pytest

from actseg_core.evaluation.verbs import VerbPair, verb_scores


def test_scores_of_two_pairs_by_hand() -> None:
    scores = verb_scores(
        [
            VerbPair(0.9, 0.3, True, False, coverage=0.8, other_coverage=0.0),
            VerbPair(0.5, 0.5, True, True, coverage=0.6, other_coverage=0.6),
        ],
        [(0.7, 0.1), (0.2, 0.3), (0.4, 0.4)],
    )
    assert scores.pairs == 2
    assert scores.ranked == pytest.approx((1 + 0.5) / 2)  # a tie counts half
    assert scores.confidence_drop == pytest.approx(0.3)
    assert (scores.found, scores.other_found) == (1.0, 0.5)
    assert (scores.coverage, scores.other_coverage) == pytest.approx((0.7, 0.3))
    assert scores.sensitivity == pytest.approx(0.4)
    assert scores.rivals == 3
    assert scores.told_apart == pytest.approx(1 / 3)  # a tie is not told apart


def test_a_network_that_ignores_verbs_has_no_sensitivity() -> None:
    same = VerbPair(0.9, 0.9, True, True, coverage=0.8, other_coverage=0.8)
    scores = verb_scores([same] * 5, [(0.5, 0.5)])
    assert (scores.sensitivity, scores.ranked, scores.confidence_drop) == (0.0, 0.5, 0.0)
    assert scores.told_apart == 0.0


def test_nothing_asked_gives_nan() -> None:
    scores = verb_scores([], [])
    assert np.isnan([scores.ranked, scores.sensitivity, scores.told_apart]).all()
