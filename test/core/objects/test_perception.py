import numpy as np
import pytest

from actseg_core.objects.perception import (
    Perception,
    SeenFrame,
    SeenObjects,
    choose_boxes,
    drop_crumbs,
)
from actseg_core.objects.scene import MAX_OBJECTS, box_overlap, mask_overlap

SIDE = 104


def seen(boxes: list[tuple[float, ...]], scores: list[float], kinds: list[int]) -> SeenFrame:
    classes = np.zeros((len(boxes), 80), np.float32)
    classes[np.arange(len(boxes)), kinds] = 1.0
    return SeenFrame(None, np.array(boxes, np.float32), np.array(scores, np.float32), classes)


class Drawn:
    """A runner whose masks fill their boxes."""

    def __init__(self, frame: SeenFrame) -> None:
        self.frame = frame

    def see(self, image: np.ndarray) -> SeenFrame:
        return self.frame

    def look(self, frame: SeenFrame, boxes: np.ndarray) -> SeenObjects:
        masks = np.zeros((len(boxes), SIDE, SIDE), np.float32)
        for mask, (x, y, width, height) in zip(masks, boxes / 4, strict=True):
            rows = slice(int(y - height / 2), int(y + height / 2))
            mask[rows, int(x - width / 2) : int(x + width / 2)] = 1.0
        count = len(boxes)
        return SeenObjects(
            masks,
            np.ones(count, np.float32),
            np.zeros((count, 4), np.float32),
            np.full((count, 1000), 1e-3, np.float32),
        )


IMAGE = np.full((416, 416, 3), 255, np.uint8)


def test_overlaps_by_hand() -> None:
    one = np.array([[10, 10, 20, 20]], np.float32)
    other = np.array([[20, 10, 20, 20], [100, 100, 20, 20]], np.float32)

    assert box_overlap(one, other) == pytest.approx(np.array([[1 / 3, 0]]))

    left, right = np.zeros((1, 4, 4), np.float32), np.zeros((1, 4, 4), np.float32)
    left[0, :, :2], right[0, :, 1:3] = 1, 1
    assert mask_overlap(left, right) == pytest.approx(np.array([[1 / 3]]))


def test_boxes_of_one_object_are_one_and_weak_ones_are_left_out() -> None:
    frame = seen(
        [(100, 100, 80, 80), (102, 100, 80, 80), (300, 300, 60, 60), (200, 50, 40, 40)],
        [0.6, 0.9, 0.5, 0.01],
        [0, 0, 0, 0],
    )

    assert choose_boxes(frame).tolist() == [1, 2]


def test_no_more_than_the_limit() -> None:
    boxes = [(20.0 + 50 * (k % 8), 20.0 + 50 * (k // 8), 20.0, 20.0) for k in range(60)]

    assert len(choose_boxes(seen(boxes, [0.5] * 60, [0] * 60))) == MAX_OBJECTS


def test_a_part_of_an_object_of_the_same_kind_is_dropped_and_of_another_kind_stays() -> None:
    boxes = [(200, 200, 160, 160), (180, 180, 60, 60), (220, 220, 60, 60)]

    same = Perception(Drawn(seen(boxes[:2], [0.9, 0.8], [0, 0]))).objects(IMAGE)
    other = Perception(Drawn(seen([boxes[0], boxes[2]], [0.9, 0.8], [0, 24]))).objects(IMAGE)

    assert len(same) == 1
    assert len(other) == 2


def test_crumbs_of_a_mask_are_dropped_and_halves_stay() -> None:
    mask = np.zeros((104, 104), np.float32)
    mask[10:40, 10:40], mask[10:40, 50:70], mask[80:83, 80:83] = 0.9, 0.8, 0.7

    drop_crumbs(mask)

    assert mask[20, 20] == np.float32(0.9) and mask[20, 60] == np.float32(0.8)
    assert mask[81, 81] == 0.0


def test_a_mask_of_nothing_and_one_at_the_edges_stay_as_they_are() -> None:
    nothing, edges = np.zeros((104, 104), np.float32), np.zeros((104, 104), np.float32)
    edges[:20, :20], edges[90:, 90:] = 0.9, 0.8
    before = edges.copy()

    drop_crumbs(nothing)
    drop_crumbs(edges)

    assert not nothing.any()
    np.testing.assert_array_equal(edges, before)


def test_an_empty_frame_has_no_objects() -> None:
    found = Perception(Drawn(seen([(100, 100, 80, 80)], [0.01], [0]))).objects(IMAGE)

    assert len(found) == 0
    assert found.masks.shape == (0, SIDE, SIDE)
