"""Resize-and-pad and its inverse."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.errors import ShapeError
from actseg_core.image import (
    Placement,
    mask_above,
    resize_and_pad,
    resize_and_pad_flow,
    restore,
)


def test_a_wide_image_is_padded_above_and_below_with_zeros() -> None:
    image = np.full((20, 40, 3), 200, np.uint8)

    square, placement = resize_and_pad(image, 20)

    assert placement.inner == (10, 20)
    assert placement.offset == (5, 0)
    assert square.shape == (20, 20, 3)
    assert (square[:5] == 0).all() and (square[15:] == 0).all()
    assert (square[5:15] == 200).all()


def test_a_square_image_of_the_right_size_is_not_copied() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    assert resize_and_pad(image, 32)[0] is image


def test_a_large_image_is_shrunk_nearly_as_by_area_alone() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (54, 96, 3), np.uint8)
    image = cv2.resize(noise, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    square, placement = resize_and_pad(image, 544)
    height, width = placement.inner
    wanted = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(int)
    apart = np.abs(square[placement.window].astype(int) - wanted)
    assert apart.mean() < 0.5 and apart.max() <= 10


def test_restore_puts_a_response_back_where_the_pixels_came_from() -> None:
    image = np.zeros((60, 120, 3), np.uint8)
    image[20:40, 60:90] = 255
    square, placement = resize_and_pad(image, 60)

    back = restore(square[..., 0].astype(np.float32), placement)

    assert back.shape == (60, 120)
    assert ((back > 127) == (image[..., 0] > 127)).mean() > 0.99


def test_restore_from_a_quarter_of_the_resolution_stays_centred() -> None:
    placement = Placement(height=64, width=64, size=64)
    response = np.zeros((16, 16), np.float32)
    response[4:12, 4:12] = 1.0

    rows, columns = np.nonzero(restore(response, placement) > 0.5)

    assert (rows.min(), rows.max()) == (16, 47)
    assert (columns.min(), columns.max()) == (16, 47)


@given(height=st.integers(1, 90), width=st.integers(1, 90), size=st.sampled_from([16, 32, 48, 64]))
def test_any_size_fits_and_comes_back(height: int, width: int, size: int) -> None:
    image = np.full((height, width, 3), 7, np.uint8)
    square, placement = resize_and_pad(image, size)
    assert square.shape == (size, size, 3)
    assert max(placement.inner) == size
    assert (square[placement.window] == 7).all()
    assert restore(np.ones((size, size), np.float32), placement).shape == (height, width)


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    size=st.sampled_from([16, 48, 64]),
    side=st.sampled_from([4, 16, 48]),
    spots=st.lists(st.tuples(st.integers(0, 47), st.integers(0, 47)), max_size=3),
    threshold=st.sampled_from([-0.5, 0.0, 0.7]),
    seed=st.integers(0, 9),
)
def test_a_mask_equals_thresholding_the_restored_response(
    height: int,
    width: int,
    size: int,
    side: int,
    spots: list[tuple[int, int]],
    threshold: float,
    seed: int,
) -> None:
    placement = Placement(height, width, size)
    response = np.random.default_rng(seed).uniform(-2, threshold, (side, side)).astype(np.float32)
    for row, column in spots:
        response[row % side, column % side] = 3.0

    mask = mask_above(response, threshold, placement)

    whole = restore(response, placement)
    assert mask.shape == whole.shape and mask.dtype == np.uint8
    clear = np.abs(whole - threshold) > 1e-4  # nearer, the rounding of the coordinates decides
    np.testing.assert_array_equal(mask[clear], np.where(whole > threshold, 255, 0)[clear])


def test_a_part_of_a_restored_response_is_cut_from_the_whole() -> None:
    placement = Placement(height=45, width=80, size=64)
    response = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    part = restore(response, placement, (slice(7, 30), slice(21, 77)))
    np.testing.assert_allclose(part, restore(response, placement)[7:30, 21:77], atol=1e-4)


def test_nothing_above_the_threshold_gives_an_empty_mask() -> None:
    mask = mask_above(np.full((8, 8), -1.0, np.float32), 0.0, Placement(30, 40, 32))
    assert mask.shape == (30, 40) and not mask.any()


def test_an_empty_image_is_refused() -> None:
    with pytest.raises(ShapeError, match="at least 1 px, got 0x5"):
        Placement(height=0, width=5, size=32)


def test_a_flow_field_is_resized_with_its_lengths_and_padded_without_motion() -> None:
    # 40x80 into 64: scale 0.8, so 32x64 cells under 16 empty rows; 10 px right and 5 px up of the
    # camera are 8 and 4 of the network.
    field = np.full((40, 80, 2), [10.0, -5.0], np.float32)

    square = resize_and_pad_flow(field, 64)

    assert square.shape == (64, 64, 2) and square.dtype == np.float32
    np.testing.assert_allclose(square[16:48], np.full((32, 64, 2), [8.0, -4.0]), rtol=1e-5)
    assert not square[:16].any() and not square[48:].any()


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3)])
def test_an_array_that_is_no_flow_field_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"a flow field must be \(H, W, 2\) of finite numbers"):
        resize_and_pad_flow(np.zeros(shape, np.float32), 64)
