"""Mean average precision of pairs: by hand and against torchmetrics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import multilabel_average_precision

from actseg_core.errors import ShapeError
from actseg_core.evaluation.classification import classification_scores


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
