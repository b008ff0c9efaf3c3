"""Maps carried along the flow: hand-made motions, chains, and generated clips with true masks."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.errors import ShapeError
from actseg_core.flow.moving import backward_flow, compose, warp


def shift(x: float, y: float, size: int = 32) -> np.ndarray:
    """The flow of a picture that moves as a whole."""
    return np.broadcast_to(np.float32([x, y]), (size, size, 2)).copy()


def square(top: int, left: int, size: int = 32) -> np.ndarray:
    """A response of 1 in an 8x8 square and -1 elsewhere."""
    response = np.full((size, size), -1.0, np.float32)
    response[top : top + 8, left : left + 8] = 1.0
    return response


def test_a_shifted_picture_steps_back_by_the_shift() -> None:
    np.testing.assert_allclose(backward_flow(shift(3.0, -2.0)), shift(-3.0, 2.0))


def test_a_square_goes_where_the_flow_goes() -> None:
    back = backward_flow(shift(5.0, 2.0))
    np.testing.assert_allclose(warp(square(10, 4), back), square(12, 9))


def test_two_steps_add_up() -> None:
    back = compose(backward_flow(shift(3.0, 0.0)), backward_flow(shift(1.0, 4.0)))
    np.testing.assert_allclose(warp(square(4, 4), back), square(8, 8))


def test_a_map_of_a_quarter_of_the_resolution_moves_a_quarter_as_many_cells() -> None:
    response = np.zeros((8, 8), np.float32)
    response[2, 2] = 1.0
    moved = warp(response, backward_flow(shift(8.0, 4.0)))
    assert np.argwhere(moved == 1.0).tolist() == [[3, 4]]


def test_what_moves_in_front_of_a_still_background_is_followed() -> None:
    motion = np.zeros((32, 32), np.float32)
    motion[6:22, 0:20] = 4.0  # the square and, as estimators blur it, what is round it
    flow = np.stack((cv2.blur(motion, (5, 5)), np.zeros_like(motion)), axis=2)
    true = square(10, 10) > 0
    moved = warp(square(10, 6), backward_flow(flow)) > 0
    still = square(10, 6) > 0
    assert (moved & true).sum() / (moved | true).sum() > 0.85
    assert (still & true).sum() / (still | true).sum() == pytest.approx(1 / 3)


def test_from_outside_the_picture_the_edge_is_continued() -> None:
    response = np.full((32, 32), -1.0, np.float32)
    response[:, 0] = 1.0
    assert (warp(response, backward_flow(shift(3.0, 0.0)))[:, :4] == 1.0).all()


@given(
    first=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    second=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    seed=st.integers(0, 5),
)
def test_carrying_over_two_smooth_steps_at_once_is_carrying_twice(
    first: tuple[float, float], second: tuple[float, float], seed: int
) -> None:
    rows, columns = np.mgrid[:32, :32] / 32.0
    phase = np.random.default_rng(seed).uniform(0, 6, 2)
    response = np.sin(3 * rows + phase[0]) + np.cos(2 * columns + phase[1])
    response = response.astype(np.float32)
    one, two = backward_flow(shift(*first)), backward_flow(shift(*second))
    at_once, in_turn = warp(response, compose(one, two)), warp(warp(response, one), two)
    inner = slice(5, -5)  # nearer to the edge what came in from outside differs
    np.testing.assert_allclose(at_once[inner, inner], in_turn[inner, inner], atol=0.02)


@pytest.mark.parametrize("field", [np.zeros((8, 8), np.float32), np.zeros((8, 8, 3), np.float32)])
def test_no_flow_field_is_refused(field: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"an \(H, W, 2\) field is wanted"):
        backward_flow(field)


def test_ways_back_of_two_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="must have one shape"):
        compose(shift(0, 0, 16), shift(0, 0, 32))


def test_a_map_that_is_no_square_is_refused() -> None:
    with pytest.raises(ShapeError, match="a square response"):
        warp(np.zeros((8, 9), np.float32), shift(0, 0))
