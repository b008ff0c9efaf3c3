from collections.abc import Callable

import numpy as np
import pytest

from actseg_core.objects.motion import FLOW_SIZE, NOISE_PX, FrameMotion
from actseg_core.objects.scene import Objects, no_objects
from actseg_core.objects.tracks import MEMORY_FRAMES, OLD_SHARE, Tracker, steadied

Make = Callable[..., Objects]


def motion(x: float = 0.0) -> FrameMotion:
    flow = np.zeros((FLOW_SIZE, FLOW_SIZE, 2), np.float32)
    flow[..., 0] = x / 2  # of 208, given in pixels of 416
    return FrameMotion(flow, flow, NOISE_PX, 1 / 15)


def test_an_object_keeps_its_number_while_it_moves(objects: Make) -> None:
    tracker = Tracker()
    numbers = []
    for step in range(6):
        found = objects({"x": 100 + 12 * step, "y": 200})
        (track,) = tracker.update(found, motion(12) if step else None)
        numbers.append(track.number)

    assert numbers == [1] * 6
    assert track.frames == 6


def test_two_that_cross_are_told_apart_by_their_looks(objects: Make) -> None:
    tracker = Tracker()
    for step in range(9):
        red = {"x": 100 + 20 * step, "y": 200, "colour": 3, "looks": 1}
        blue = {"x": 260 - 20 * step, "y": 210, "colour": 7, "looks": 2}
        tracks = tracker.update(objects(red, blue), motion() if step else None)

    by_place = {track.number: float(track.box[0]) for track in tracks}
    assert by_place == {1: 260.0, 2: 100.0}


def test_an_unsure_object_begins_no_track_but_continues_one(objects: Make) -> None:
    tracker = Tracker()
    assert tracker.update(objects({"x": 100, "y": 100, "objectness": 0.1}), None) == []

    tracker.update(objects({"x": 100, "y": 100}), None)
    (track,) = tracker.update(objects({"x": 100, "y": 100, "objectness": 0.1}), motion())

    assert (track.number, track.missed) == (1, 0)


def test_a_track_that_is_not_seen_keeps_its_mask_moved_along_the_flow(objects: Make) -> None:
    tracker = Tracker()
    for step in range(3):
        tracker.update(objects({"x": 100, "y": 200}), motion() if step else None)

    (track,) = tracker.update(no_objects(104), motion(16))

    assert track.missed == 1
    columns = np.flatnonzero((track.mask > 0.5).any(axis=0))
    assert (columns[0], columns[-1]) == (19, 38)  # cells 15 to 34 before, 16 px are 4 cells


def test_a_track_is_given_up_after_as_many_frames_as_it_was_seen(objects: Make) -> None:
    tracker = Tracker(patience=8)
    tracker.update(objects({"x": 100, "y": 200}), None)
    tracker.update(objects({"x": 100, "y": 200}), motion())

    assert len(tracker.update(no_objects(104), motion())) == 1
    assert len(tracker.update(no_objects(104), motion())) == 1
    assert tracker.update(no_objects(104), motion()) == []


def test_who_comes_back_and_looks_the_same_gets_the_old_number(objects: Make) -> None:
    tracker = Tracker(patience=2)
    dog = {"x": 100, "y": 200, "coco": 16, "colour": 1, "looks": 3}
    for step in range(4):
        tracker.update(objects(dog), motion() if step else None)
    for _ in range(5):
        tracker.update(no_objects(104), motion())

    (again,) = tracker.update(objects(dog | {"x": 320}), motion())
    assert again.number == 1

    other = {"x": 60, "y": 60, "coco": 16, "colour": 0, "looks": 4}
    assert {
        track.number for track in tracker.update(objects(dog | {"x": 320}, other), motion())
    } == {1, 2}


def test_a_lost_track_is_forgotten_after_a_while(objects: Make) -> None:
    tracker = Tracker(patience=0)
    tracker.update(objects({"x": 100, "y": 200}), None)
    for _ in range(MEMORY_FRAMES + 1):
        tracker.update(no_objects(104), motion())

    (track,) = tracker.update(objects({"x": 100, "y": 200}), motion())
    assert track.number == 2


def test_what_is_known_of_a_track_fades_in(objects: Make) -> None:
    tracker = Tracker(seconds=0.5)
    tracker.update(objects({"x": 100, "y": 200, "coco": 16}), None)
    (track,) = tracker.update(objects({"x": 100, "y": 200, "coco": 17}), motion())

    # The second of two frames counts half.
    assert track.classes[16] == pytest.approx((0.9 + 0.01) / 2)
    assert track.classes[17] == pytest.approx((0.9 + 0.01) / 2)


def test_masks_that_agree_are_averaged_over_time_and_others_are_not() -> None:
    before = np.zeros((8, 8), np.float32)
    before[:, :4] = 1.0
    new = np.zeros((8, 8), np.float32)
    new[:, :5] = 1.0  # 32 of 40 cells agree
    far = np.zeros((8, 8), np.float32)
    far[:, 2:8] = 1.0  # 16 of 64

    mask = steadied(new, before)

    assert mask[0, 3] == 1.0
    assert mask[0, 4] == pytest.approx(1 - OLD_SHARE)
    assert steadied(far, before) is far
