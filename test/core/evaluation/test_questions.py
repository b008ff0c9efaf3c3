"""What is refused as a question or an answer."""

import numpy as np
import pytest

from actseg_core.errors import ShapeError
from actseg_core.evaluation.questions import Prediction, Question


@pytest.mark.parametrize(
    "truth",
    [np.zeros((4, 4), np.uint8), np.zeros((0, 4), np.bool_), np.zeros((1, 4, 4), np.bool_)],
)
def test_a_truth_that_is_no_mask_is_refused(truth) -> None:
    with pytest.raises(
        ShapeError, match=r"the truth of v/1 must be \(H, W\) bool .* compare with"
    ):
        Question(sample_id="v/1", video_id="v", sentence="dog", truth=truth)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_out_of_range_is_refused(confidence, rectangle) -> None:
    with pytest.raises(ShapeError, match=r"must be in \[0, 1\], got"):
        Prediction(mask=rectangle(), found=True, confidence=confidence)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response", np.zeros((12, 10), np.float32)),
        ("response", np.zeros((10, 12), np.int64)),
        ("next_mask", np.zeros((10, 12), np.uint8)),
        ("next_flow", np.zeros((10, 12), np.float32)),
    ],
)
def test_parts_of_an_answer_must_have_the_masks_size(name, value, rectangle) -> None:
    with pytest.raises(ShapeError, match=rf"prediction\.{name} must be \(10, 12.*like the mask"):
        Prediction(mask=rectangle(), found=True, confidence=0.5, **{name: value})
