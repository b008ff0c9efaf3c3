"""Box, centre, area and outline, counted by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from actseg_core.outline import outline

MASKS = arrays(
    np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 255])
)


def test_a_rectangle() -> None:
    mask = np.zeros((10, 20), np.uint8)
    mask[2:5, 3:9] = 255
    shape = outline(mask)
    assert shape.area_px == 18
    assert shape.box == (3, 2, 6, 3)
    assert shape.centre == pytest.approx((5.5, 3.0))
    assert sorted(map(tuple, shape.polygon.tolist())) == [(3, 2), (3, 4), (8, 2), (8, 4)]


def test_an_empty_mask_has_no_centre() -> None:
    shape = outline(np.zeros((3, 3), np.uint8))
    assert (shape.area_px, shape.box, len(shape.polygon)) == (0, (0, 0, 0, 0), 0)
    assert all(math.isnan(value) for value in shape.centre)


def test_the_outline_is_that_of_the_largest_part() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[0, 0] = 255
    mask[10:16, 10:16] = 255
    assert outline(mask).polygon.min() == 10


@given(MASKS)
def test_measures_agree_with_counting(mask: NDArray[np.uint8]) -> None:
    shape = outline(mask)
    rows, columns = np.nonzero(mask)
    assert shape.area_px == len(rows)
    if len(rows):
        assert shape.centre == pytest.approx((columns.mean(), rows.mean()))
        x, y, width, height = shape.box
        assert (x, y) == (columns.min(), rows.min())
        assert (x + width - 1, y + height - 1) == (columns.max(), rows.max())
        assert all(mask[y, x] for x, y in shape.polygon)
