"""Poses, choice and boxes of actors in space, by hand."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import Quaternion
from std_msgs.msg import Header

from actseg_core.geometry import Extent, GeometryError, Pinhole
from actseg_core.live.queries import Query
from actseg_core.types import Actor, MaskResult
from actseg_ros.spatial.actors import ActorInSpace, actors_of, chosen, level, pose_message
from actseg_ros.spatial.frames import Rigid
from actseg_ros.spatial.rest import rest_message

HALF = math.sqrt(0.5)
# A camera in the robot's frame: 1 m above the ground, looking ahead (x), REP 103.
AHEAD = Rigid((-0.5, 0.5, -0.5, 0.5), (0.0, 0.0, 1.0))
HEADER = Header(frame_id="somewhere")


def actor(x: float, y: float, z: float, **changes: Any) -> ActorInSpace:
    place = np.array([x, y, z], float)
    extent = Extent(place, place, np.array([0.5, 1.8, 0.3]))
    return dataclasses.replace(ActorInSpace("q1", "the dog", 7, 0.9, extent), **changes)


def turned(orientation: Quaternion) -> list[float]:
    return [orientation.x, orientation.y, orientation.z, orientation.w]


def axis_x(orientation: Quaternion) -> list[float]:
    """Where x of the pose points."""
    x, y, z, w = turned(orientation)
    return Rigid((x, y, z, w)).matrix()[:, 0].tolist()


@pytest.mark.parametrize(
    ("place", "position", "heading"),
    [
        ((0, 0, 2), (2, 0, 1), (1, 0, 0)),  # straight ahead
        ((-2, 0, 2), (2, 2, 1), (HALF, HALF, 0)),  # ahead and to the left
        ((2, 0.5, 0), (0, -2, 0.5), (0, -1, 0)),  # to the right and lower: still level
    ],
)
def test_in_a_robots_frame_the_pose_points_level_from_the_camera_to_the_actor(
    place: Any, position: Any, heading: Any
) -> None:
    pose = pose_message(HEADER, actor(*place), AHEAD, False, level(False)).pose
    at = pose.position
    assert [at.x, at.y, at.z] == pytest.approx(position)
    assert axis_x(pose.orientation) == pytest.approx(heading, abs=1e-9)
    assert turned(pose.orientation)[:2] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("place", "heading"),
    [((0, 0, 2), (0, 0, 1)), ((-2, 0, 2), (-HALF, 0, HALF)), ((3, -9, 0), (1, 0, 0))],
)
def test_in_the_cameras_frame_it_does_too_and_up_is_minus_y(place: Any, heading: Any) -> None:
    pose = pose_message(HEADER, actor(*place), Rigid(), True, level(True)).pose
    assert [pose.position.x, pose.position.y, pose.position.z] == list(place)
    assert axis_x(pose.orientation) == pytest.approx(heading, abs=1e-9)
    x, y, z, w = turned(pose.orientation)
    assert Rigid((x, y, z, w)).matrix()[:, 2] == pytest.approx([0, -1, 0])


def test_the_cameras_frame_and_the_robots_agree_on_the_direction() -> None:
    seen = actor(0.7, 0.2, 1.9)
    optical = pose_message(HEADER, seen, Rigid(), True, level(True)).pose
    robot = pose_message(HEADER, seen, AHEAD, False, level(False)).pose
    moved = AHEAD.matrix() @ np.array(axis_x(optical.orientation))
    assert axis_x(robot.orientation) == pytest.approx(moved.tolist())


def test_straight_below_the_camera_the_direction_stays_as_it_was() -> None:
    before = Quaternion(x=0.0, y=0.0, z=1.0, w=0.0)
    pose = pose_message(HEADER, actor(0.0, 0.9, 0.01), AHEAD, False, before).pose
    assert pose.orientation == before


def test_the_pose_stays_with_an_actor_until_another_is_clearly_surer() -> None:
    first, second = actor(0, 0, 2), actor(1, 0, 2, track_id=8, confidence=0.95)
    assert chosen([first, second], None) is second
    assert chosen([first, second], ("q1", 7)) is first
    surer = dataclasses.replace(second, confidence=1.0)
    assert chosen([dataclasses.replace(first, confidence=0.8), surer], ("q1", 7)) is surer
    assert chosen([second], ("q1", 7)) is second
    assert chosen([], ("q1", 7)) is None


def test_each_of_several_actors_has_its_own_place_and_track(read: Any) -> None:
    masks = [np.zeros((4, 4), np.uint8) for _ in range(3)]
    for column, mask in enumerate(masks):
        mask[0, column] = 255
    seen = tuple(
        Actor(index + 5, 0.9 - index / 10, (0, 0, 1, 1), (), lambda index=index: masks[index])
        for index in range(3)
    )
    whole = actor(0, 0, 2).extent
    places = {0: whole, 2: actor(1, 0, 2).extent}  # the one in the middle has no depth
    answer = MaskResult(masks[0], True, 0.9, actors=seen)
    query = Query("q1", read("the dogs"), 0)
    found = list(actors_of(query, answer, whole, lambda mask: places.get(int(mask[0].argmax()))))
    assert [(item.track_id, item.confidence) for item in found] == [
        (5, 0.9),
        (7, pytest.approx(0.7)),
    ]
    alone = dataclasses.replace(answer, actors=seen[:1])
    assert [item.track_id for item in actors_of(query, alone, whole, lambda mask: None)] == [5]
    pixels = dataclasses.replace(answer, actors=())
    assert [item.track_id for item in actors_of(query, pixels, whole, lambda mask: None)] == [0]
    assert list(actors_of(query, pixels, None, lambda mask: whole)) == []


def xyz(message: Any) -> Any:
    return np.frombuffer(message.data, "<f4").reshape(-1, 3)


def test_the_rest_is_every_second_pixel_without_the_actor_and_a_margin() -> None:
    depth = np.full((6, 8), 2.0, np.float32)
    depth[0, 0] = np.nan
    mask = np.zeros((6, 8), np.uint8)
    mask[3, 4] = 255
    camera = Pinhole(10.0, 10.0, 0.0, 0.0)
    message = rest_message(HEADER, depth, [mask], camera, 2, 1, 20.0)
    # Rows 0, 2, 4 and columns 0, 2, 4, 6: without (0, 0), and of the margin's rows 2 to 4 and
    # columns 3 to 5 without (2, 4) and (4, 4).
    pixels = {(round(y * 5), round(x * 5)) for x, y, _ in xyz(message)}
    assert pixels == {(0, 2), (0, 4), (0, 6), (2, 0), (2, 2), (2, 6), (4, 0), (4, 2), (4, 6)}
    assert set(xyz(message)[:, 2]) == {2.0}
    assert (message.width, message.point_step, message.row_step) == (9, 12, 108)
    assert message.header == HEADER


def test_without_an_actor_the_rest_is_everything_up_to_the_farthest_depth() -> None:
    depth = np.full((2, 2), 2.0, np.float32)
    depth[1, 1] = 21.0
    message = rest_message(HEADER, depth, [], Pinhole(1.0, 1.0, 0.0, 0.0), 1, 8, 20.0)
    assert message.width == 3


def test_masks_of_another_size_than_depth_are_refused() -> None:
    depth = np.full((2, 2), 2.0, np.float32)
    with pytest.raises(GeometryError, match="aligned with the mask's 4x4 image, got 2x2"):
        rest_message(HEADER, depth, [np.zeros((4, 4), np.uint8)], Pinhole(1, 1, 0, 0), 1, 0, 20.0)
