"""Coordinate channels against cells worked out by hand."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.networks.coordinates import append_coordinates, coordinate_channels


def test_a_map_of_two_by_four_cells() -> None:
    channels = coordinate_channels(2, 4)

    assert channels.shape == (8, 2, 4)
    # Cells are half a unit wide and one high; first row, third cell: x 0 to 0.5, y -1 to 0.
    torch.testing.assert_close(
        channels[:, 0, 2], torch.tensor([0.0, -1.0, 0.5, 0.0, 0.25, -0.5, 0.25, 0.5])
    )
    # Second row, first cell.
    torch.testing.assert_close(
        channels[:, 1, 0], torch.tensor([-1.0, 0.0, -0.5, 1.0, -0.75, 0.5, 0.25, 0.5])
    )


def test_a_single_cell_is_the_whole_image() -> None:
    torch.testing.assert_close(
        coordinate_channels(1, 1)[:, 0, 0], torch.tensor([-1.0, -1, 1, 1, 0, 0, 1, 1])
    )


@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_cells_touch_and_cover_the_image(height: int, width: int) -> None:
    left, top, right, bottom, x, y, per_width, per_height = coordinate_channels(height, width)

    torch.testing.assert_close(left[:, 1:], right[:, :-1])
    torch.testing.assert_close(top[1:], bottom[:-1])
    for first, last in ((left[:, 0], right[:, -1]), (top[0], bottom[-1])):
        torch.testing.assert_close(first, -torch.ones_like(first))
        torch.testing.assert_close(last, torch.ones_like(last))
    torch.testing.assert_close(x, (left + right) / 2)
    torch.testing.assert_close(y, (top + bottom) / 2)
    torch.testing.assert_close(per_width, (right - left) / 2)
    torch.testing.assert_close(per_height, (bottom - top) / 2)


def test_channels_follow_the_features_of_every_clip() -> None:
    features = torch.randn(3, 5, 2, 4)

    located = append_coordinates(features)

    assert located.shape == (3, 13, 2, 4)
    torch.testing.assert_close(located[:, :5], features)
    for item in located:
        torch.testing.assert_close(item[5:], coordinate_channels(2, 4))


def test_the_features_precision_is_kept() -> None:
    assert (
        append_coordinates(torch.zeros(1, 1, 2, 2, dtype=torch.bfloat16)).dtype == torch.bfloat16
    )
