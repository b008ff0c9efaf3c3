"""Colours of a field."""

import numpy as np
import pytest

from actseg_core.flow.picture import colour_wheel, flow_picture


@pytest.mark.parametrize(
    ("motion", "colour"),
    [
        ((0, 0), (255, 255, 255)),
        ((4, 0), (255, 0, 0)),  # right: hue 0
        ((-4, 0), (0, 255, 255)),  # left: hue 180
        ((2, 0), (255, 128, 128)),  # half as long: half as saturated
        ((0, 4), (128, 255, 0)),  # down: hue 90
        ((0, -4), (128, 0, 255)),  # up: hue 270
        ((40, 0), (255, 0, 0)),
    ],
)
def test_direction_is_hue_and_length_is_saturation(
    motion: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    picture = flow_picture(np.full((2, 3, 2), motion, np.float32), full_px=4)

    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture, np.broadcast_to(colour, (2, 3, 3)), atol=1)


def test_the_longest_motion_is_fully_coloured_by_default() -> None:
    field = np.zeros((1, 2, 2), np.float32)
    field[0, 1] = (0.3, 0)

    np.testing.assert_array_equal(flow_picture(field)[0], [[255, 255, 255], [255, 0, 0]])


def test_a_field_at_rest_is_white() -> None:
    assert (flow_picture(np.zeros((4, 5, 2), np.float32)) == 255).all()


def test_the_wheel_is_white_in_the_middle_and_outside_and_red_on_the_right() -> None:
    wheel = colour_wheel(65)

    assert wheel.shape == (65, 65, 3)
    for place in ((32, 32), (0, 0), (64, 64)):
        np.testing.assert_array_equal(wheel[place], 255)
    np.testing.assert_array_equal(wheel[32, 64], [255, 0, 0])
    np.testing.assert_allclose(wheel[32, 0], [0, 255, 255], atol=1)
