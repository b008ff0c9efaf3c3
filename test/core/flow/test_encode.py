"""The flow of clips, and 8-bit rounding."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.flow.encode import Quantised, clip_flow, quantise


class BrightnessDifference:
    """Stands in for an estimator: x is how much brighter the later frame is, y its brightness."""

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        before, after = previous[..., 0].astype(np.float32), current[..., 0].astype(np.float32)
        return np.stack([after - before, after], axis=2)


def frames(*brightness: int) -> NDArray[np.uint8]:
    return np.stack([np.full((2, 3, 3), value, np.uint8) for value in brightness])


def test_each_frame_has_the_flow_to_the_next_and_the_last_repeats_it() -> None:
    flow = clip_flow(frames(10, 13, 20), BrightnessDifference())

    assert flow.shape == (3, 2, 3, 2)
    assert flow.dtype == np.float32
    np.testing.assert_array_equal(flow[:, 0, 0], [[3, 13], [7, 20], [7, 20]])


def test_a_single_frame_does_not_move() -> None:
    flow = clip_flow(frames(10), BrightnessDifference())

    assert flow.shape == (1, 2, 3, 2)
    assert flow.dtype == np.float32
    assert not flow.any()


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (4, 4, 3)])
def test_what_is_no_clip_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"\(T, H, W, 3\) uint8 frames with T >= 1, got"):
        clip_flow(np.zeros(shape, np.uint8), BrightnessDifference())


def test_levels_are_those_of_an_8_bit_file() -> None:
    # 20 px is 255 levels of 40 / 255 px above -20 px: 0 px lies between levels 127 and 128.
    field = np.array([[-30, -20], [0, 20], [1, 25]], np.float32)

    expected = np.array([[0, 0], [128, 255], [134, 255]]) * 40 / 255 - 20
    np.testing.assert_allclose(quantise(field, 20), expected, atol=1e-5)


finite: Any = arrays.arrays(np.float32, (3, 2), elements=st.floats(-60, 60, width=32))


@given(finite, st.floats(1, 50))
def test_rounding_moves_less_than_half_a_step_and_is_stable(
    field: NDArray[np.float32], clip_px: float
) -> None:
    rounded = quantise(field, clip_px)

    clipped = np.clip(field, -clip_px, clip_px)
    assert np.abs(rounded - clipped).max() <= clip_px / 255 + 1e-4
    np.testing.assert_allclose(quantise(rounded, clip_px), rounded, atol=1e-4)


def test_an_estimator_can_be_wrapped() -> None:
    first, second = frames(10, 50)

    field = Quantised(BrightnessDifference(), 20).estimate(first, second)

    np.testing.assert_array_equal(field, np.full((2, 3, 2), 20))
