"""Answers as images of numbers, from masks made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from actseg_core.live.label_images import confidence_image, instance_image, label_mask
from actseg_core.types import Actor, MaskResult


def row(*columns: int) -> np.ndarray:
    """A mask of one row and six columns."""
    mask = np.zeros((1, 6), np.uint8)
    mask[0, list(columns)] = 255
    return mask


def answer(
    columns: Sequence[int], confidence: float, actors: tuple[Actor, ...] = (), found: bool = True
) -> MaskResult:
    return MaskResult(row(*columns), found, confidence, actors=actors)


def actor(track_id: int, confidence: float, *columns: int) -> Actor:
    return Actor(track_id, confidence, (0.0, 0.0, 1.0, 1.0), (), lambda: row(*columns))


def test_where_masks_overlap_the_surer_sentence_has_the_pixel() -> None:
    answers = [(7, answer([0, 1, 2], 0.9)), (2, answer([2, 3], 0.6))]
    assert label_mask(answers).tolist() == [[7, 7, 7, 2, 0, 0]]
    assert confidence_image(answers).tolist() == [[230, 230, 230, 153, 0, 0]]
    assert label_mask(answers[::-1]).tolist() == [[7, 7, 7, 2, 0, 0]]


def test_of_equally_sure_sentences_the_lower_number_has_the_pixel() -> None:
    answers = [(3, answer([0, 1], 0.5)), (2, answer([1, 2], 0.5))]
    assert label_mask(answers).tolist() == [[3, 2, 2, 0, 0, 0]]
    assert label_mask(answers[::-1]).tolist() == [[3, 2, 2, 0, 0, 0]]


def test_a_sentence_whose_actor_is_not_found_has_no_pixel() -> None:
    answers = [(255, answer([], 0.1, (actor(4, 0.1, 0, 1),), found=False))]
    assert not label_mask(answers).any()
    assert not confidence_image(answers).any()
    assert not instance_image(answers).any()


def test_each_of_several_actors_of_one_sentence_has_its_track_id() -> None:
    meant = (actor(300, 0.9, 0, 1), actor(5, 0.8, 1, 2, 5))
    image = instance_image([(1, answer([0, 1, 2, 3], 0.9, meant))])
    # Column 1 is the surer one's; 3 is in the mask, but nobody's; 5 is not in the mask.
    assert image.tolist() == [[300, 300, 5, 0, 0, 0]]
    assert image.dtype == np.uint16


def test_track_ids_that_mono16_cannot_hold_begin_anew_at_one() -> None:
    meant = (actor(65_535, 0.9, 0), actor(65_536, 0.8, 1))
    image = instance_image([(1, answer([0, 1], 0.9, meant))])
    assert image.tolist() == [[65_535, 1, 0, 0, 0, 0]]


def test_where_the_network_knows_no_actors_the_sentences_number_stands_for_them() -> None:
    assert instance_image([(9, answer([2], 0.9))]).tolist() == [[0, 0, 9, 0, 0, 0]]


def test_a_smaller_image_has_of_each_cell_the_number_in_its_middle() -> None:
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2:5] = 255  # of the cells of 2x2 pixels the middles are rows 1, 3, columns 1, 3, 5
    found = MaskResult(mask, True, 0.6)
    assert label_mask([(9, found)], 0.5).tolist() == [[0, 9, 0], [0, 0, 0]]
    assert confidence_image([(9, found)], 0.5).tolist() == [[0, 153, 0], [0, 0, 0]]
    assert instance_image([(9, found)], 0.5).tolist() == [[0, 9, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("scale", "shape"), [(1.0, (4, 6)), (0.6, (2, 4)), (0.25, (1, 2)), (0.01, (1, 1))]
)
def test_the_sides_are_rounded_and_never_vanish(scale: float, shape: tuple[int, int]) -> None:
    found = MaskResult(np.full((4, 6), 255, np.uint8), True, 1.0)
    for draw in (label_mask, confidence_image, instance_image):
        image = draw([(1, found)], scale)
        assert image.shape == shape
        assert image.all()
