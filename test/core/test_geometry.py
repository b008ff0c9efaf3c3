"""Points from depth, worked out by hand and put back onto their pixels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from actseg_core.geometry import (
    GeometryError,
    Pinhole,
    back_project,
    measure,
    outline,
    thin_out,
    to_metres,
    without_rim,
)

CAMERA = Pinhole(fx=100.0, fy=50.0, cx=2.0, cy=1.0)
NAN = float("nan")
MASKS = arrays(
    np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 255])
)


def test_millimetres_become_metres_and_zero_is_not_measured() -> None:
    metres = to_metres(np.array([[0, 1, 1500, 65535]], np.uint16))
    assert metres.dtype == np.float32
    assert metres[0, 1:].tolist() == pytest.approx([0.001, 1.5, 65.535])
    assert np.isnan(metres[0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_a_distance_is_not_measured(dtype: type) -> None:
    metres = to_metres(np.array([[NAN, np.inf, -np.inf, 0.0, -1.0, 2.5]], dtype))
    assert np.isnan(metres[0, :5]).all()
    assert metres[0, 5] == 2.5


@pytest.mark.parametrize("depth", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 1), np.float32)])
def test_other_arrays_are_no_depth(depth: np.ndarray) -> None:
    with pytest.raises(GeometryError, match="uint16"):
        to_metres(depth)


def test_the_input_is_not_changed() -> None:
    depth = np.array([[NAN, -1.0]], np.float32)
    to_metres(depth)
    assert depth[0, 1] == -1.0


def test_pixels_are_back_projected_as_by_hand() -> None:
    depth = np.full((3, 5), 2.0, np.float32)
    mask = np.zeros((3, 5), np.uint8)
    mask[1, 2] = mask[2, 4] = 255
    # The optical axis itself; and two columns right, one row below: 2 * 2/100, 2 * 1/50.
    points = back_project(depth, mask, CAMERA)
    assert points.dtype == np.float32
    assert points == pytest.approx(np.array([[0.0, 0.0, 2.0], [0.04, 0.04, 2.0]]))


def test_pixels_without_depth_or_too_far_are_left_out() -> None:
    depth = np.array([[NAN, 0.0, 1.0, np.inf, 9.0]], np.float32)
    points = back_project(depth, np.full((1, 5), 255, np.uint8), CAMERA, max_depth_m=8.0)
    assert points[:, 2].tolist() == [1.0]


def test_an_empty_mask_has_no_points() -> None:
    points = back_project(np.ones((3, 5), np.float32), np.zeros((3, 5), np.uint8), CAMERA)
    assert points.shape == (0, 3)


def test_a_depth_image_of_another_size_is_refused() -> None:
    with pytest.raises(GeometryError, match="5x3 image, got 4x2.*registered"):
        back_project(np.ones((2, 4), np.float32), np.ones((3, 5), np.uint8), CAMERA)


@pytest.mark.parametrize(
    "values", [(0.0, 1.0, 1.0, 1.0), (1.0, -1.0, 1.0, 1.0), (1.0, 1.0, NAN, 1.0)]
)
def test_a_camera_that_is_not_calibrated_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(GeometryError, match="calibrate"):
        Pinhole(*values)


@given(
    st.floats(10.0, 2000.0),
    st.floats(10.0, 2000.0),
    st.floats(-50.0, 50.0),
    st.floats(-50.0, 50.0),
    st.integers(0, 2**32 - 1),
)
def test_points_project_back_onto_their_pixels(
    fx: float, fy: float, cx: float, cy: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    depth = random.uniform(0.2, 20.0, (7, 9)).astype(np.float32)
    mask = (random.random((7, 9)) < 0.5).astype(np.uint8) * 255
    x, y, z = back_project(depth, mask, Pinhole(fx, fy, cx, cy)).astype(np.float64).T
    rows, columns = np.nonzero(mask)
    assert np.allclose(fx * x / z + cx, columns, atol=1e-3)
    assert np.allclose(fy * y / z + cy, rows, atol=1e-3)
    assert np.array_equal(z.astype(np.float32), depth[rows, columns])


def test_the_wall_behind_the_rim_is_left_out() -> None:
    actor = np.array([[0.1, 0.2, 2.0]] * 90, np.float32)
    wall = np.array([[3.0, 3.0, 6.0]] * 10, np.float32)
    inner = without_rim(np.concatenate([actor, wall]))
    assert np.array_equal(inner, actor)
    extent = measure(inner)
    assert extent.centre == pytest.approx([0.1, 0.2, 2.0])
    assert extent.size == pytest.approx([0.0, 0.0, 0.0])


def test_a_flat_actor_may_differ_by_a_twentieth_of_its_depth() -> None:
    points = np.zeros((9, 3), np.float32)
    points[:, 2] = [2.0, 2.0, 2.0, 2.0, 2.0, 1.91, 2.09, 1.89, 2.11]
    assert sorted(without_rim(points)[:, 2].tolist()) == pytest.approx([1.91, *[2.0] * 5, 2.09])


def test_an_actor_with_depth_keeps_its_points() -> None:
    z = np.linspace(1.8, 2.2, 101, dtype=np.float32)
    points = np.stack([z - 2.0, np.zeros(101, np.float32), z], axis=1)
    assert len(without_rim(points)) == 101
    extent = measure(points)
    assert extent.centre == pytest.approx([0.0, 0.0, 2.0], abs=1e-6)
    # Between the 2nd and the 98th percentile: 96 % of 0.4 m.
    assert extent.size == pytest.approx([0.384, 0.0, 0.384], abs=1e-6)
    assert extent.middle == pytest.approx([0.0, 0.0, 2.0], abs=1e-6)


def test_no_points_have_no_rim() -> None:
    assert without_rim(np.empty((0, 3), np.float32)).shape == (0, 3)


@given(st.integers(1, 500), st.integers(1, 100))
def test_points_are_thinned_out_evenly(count: int, most: int) -> None:
    points = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    kept = thin_out(points, most)
    assert 1 <= len(kept) <= most
    assert len(kept) == count or len(kept) > most // 2
    assert (kept[0] == points[0]).all()
    steps = np.diff(kept[:, 0])
    assert len(steps) == 0 or (steps == steps[0]).all()


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
