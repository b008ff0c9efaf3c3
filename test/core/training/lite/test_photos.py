from pathlib import Path

import numpy as np
import pytest

from actseg_core.errors import DatasetError
from actseg_core.training.lite.cached_views import Jitter, given_boxes, mask_boxes
from actseg_core.training.lite.photos import MASK_SIZE, SIZE, random_view, read_photos


def test_photographs_with_their_annotations(photo_folder: Path) -> None:
    photos = read_photos(photo_folder)

    assert [photo.number for photo in photos] == [1, 2, 3, 4, 5, 6]
    assert photos[0].categories == ("dog", "car")
    assert [photo.complete for photo in photos] == [True] * 5 + [False]
    assert [photo.whole for photo in photos] == [True] * 5 + [False]
    assert photos[0].polygons[0][0].tolist() == [[10, 25], [50, 25], [50, 55], [10, 55]]


def test_only_permissive_photographs(photo_folder: Path) -> None:
    assert [p.number for p in read_photos(photo_folder, permissive_only=True)] == [1, 3, 5]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not a readable COCO instances file"):
        read_photos(tmp_path)


def test_a_view_repeats_and_its_masks_lie_on_its_objects(photo_folder: Path) -> None:
    photo = read_photos(photo_folder)[0]

    view = random_view(photo, np.random.default_rng(4))
    again = random_view(photo, np.random.default_rng(4))

    assert view.image.shape == (SIZE, SIZE, 3)
    assert view.masks.shape == (2, MASK_SIZE, MASK_SIZE)
    assert np.array_equal(view.image, again.image)
    small = view.image[2::4, 2::4].mean(axis=2)
    inside = small[view.masks.max(axis=0) > 250].mean()
    outside = small[(view.masks.max(axis=0) == 0) & (small > 0)].mean()
    assert inside > outside + 60


def test_a_missing_picture_is_told(photo_folder: Path) -> None:
    photo = read_photos(photo_folder)[0]
    photo.path.unlink()

    with pytest.raises(DatasetError, match="missing or not a readable image"):
        random_view(photo, np.random.default_rng(0))


def test_boxes_of_masks_by_hand() -> None:
    masks = np.zeros((2, 104, 104), np.float32)
    masks[0, 10:20, 30:50] = 1.0
    masks[1, 5, 5] = 0.2  # less than half of one cell

    assert mask_boxes(masks).tolist() == [[160, 60, 80, 40], [22, 22, 4, 4]]


def test_the_detectors_box_is_taken_where_it_agrees() -> None:
    masks = np.zeros((1, 104, 104), np.float32)
    masks[0, 10:20, 30:50] = 1.0
    near, far = [162.0, 60.0, 84.0, 44.0], [300.0, 300.0, 80.0, 40.0]

    taken = given_boxes(masks, np.array([far, near], np.float32), None, Jitter())
    own = given_boxes(masks, np.array([far], np.float32), None, Jitter())

    assert taken.tolist() == [near]
    assert own.tolist() == [[160, 60, 80, 40]]
