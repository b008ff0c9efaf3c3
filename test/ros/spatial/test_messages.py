"""Clouds, points and markers, read back as their subscribers read them."""

import dataclasses

import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from actseg_core.geometry import measure
from actseg_core.visualize import PALETTE
from actseg_ros.messages import time_message
from actseg_ros.spatial.markers import marker_message
from actseg_ros.spatial.messages import POINT, Place, centroid_message, cloud_message

HEADER = Header(stamp=time_message(7_000_000_009), frame_id="optical")


def place(number: int, at: tuple[float, float, float], count: int = 3) -> Place:
    points = np.tile(np.array(at, np.float32), (count, 1))
    return Place(f"sentence {number}", number, 0.5, points, measure(points))


def test_a_cloud_holds_all_points_with_the_number_of_their_sentence() -> None:
    message = cloud_message(HEADER, [place(0, (1, 2, 3), 2), place(4, (-1, 0.5, 9), 1)])
    assert message.header == HEADER
    assert (message.height, message.width) == (1, 3)
    assert (message.point_step, message.row_step) == (20, 60)
    assert [(field.name, field.offset, field.datatype) for field in message.fields] == [
        ("x", 0, PointField.FLOAT32),
        ("y", 4, PointField.FLOAT32),
        ("z", 8, PointField.FLOAT32),
        ("sentence", 12, PointField.UINT32),
        ("rgb", 16, PointField.FLOAT32),
    ]
    cloud = np.frombuffer(message.data, POINT)
    assert cloud["x"].tolist() == [1, 1, -1]
    assert cloud["y"].tolist() == [2, 2, 0.5]
    assert cloud["z"].tolist() == [3, 3, 9]
    assert cloud["sentence"].tolist() == [0, 0, 4]


def test_a_point_has_the_colour_of_its_sentence_in_the_overlay() -> None:
    cloud = np.frombuffer(cloud_message(HEADER, [place(1, (1, 2, 3))]).data, POINT)
    assert PALETTE[1] == (86, 180, 233)
    assert set(cloud["rgb"].tolist()) == {0x56B4E9}
    after_the_last = np.frombuffer(
        cloud_message(HEADER, [place(1 + len(PALETTE), (1, 2, 3))]).data, POINT
    )
    assert set(after_the_last["rgb"].tolist()) == {0x56B4E9}


def test_an_empty_cloud_is_a_valid_message() -> None:
    message: PointCloud2 = cloud_message(HEADER, [])
    assert (message.width, message.row_step, len(message.data)) == (0, 0, 0)
    assert len(message.fields) == 5


def test_the_centroid_is_the_actors_centre() -> None:
    message = centroid_message(HEADER, place(0, (1, 2, 3)))
    assert (message.point.x, message.point.y, message.point.z) == (1, 2, 3)
    assert message.header == HEADER


def test_markers_replace_those_before_and_vanish_by_themselves() -> None:
    message = marker_message(HEADER, [place(0, (0, 0, 2)), place(2, (0, 3, 4))], 1_500_000_000)
    actions = [marker.action for marker in message.markers]
    assert actions == [Marker.DELETEALL] + [Marker.ADD] * 4
    shown = message.markers[1:]
    assert {(marker.ns, marker.id) for marker in shown} == {
        *(("box", 0), ("text", 0), ("box", 2), ("text", 2))
    }
    for marker in shown:
        assert (marker.lifetime.sec, marker.lifetime.nanosec) == (1, 500_000_000)
        assert marker.header == HEADER
        assert marker.pose.orientation.w == 1.0
    assert shown[3].text == "sentence 2\n5.00 m"
    assert shown[3].pose.position.y < shown[2].pose.position.y, "up is -y in an optical frame"
    # RViz draws nothing of a box without a side.
    assert min(shown[0].scale.x, shown[0].scale.y, shown[0].scale.z) == pytest.approx(0.02)


def test_a_long_sentence_is_wrapped_and_the_distance_stays_in_sight() -> None:
    said = "the small brown dog that runs after the ball on the left side of the road"
    actor = dataclasses.replace(place(0, (0, 0, 2)), sentence=said)
    box, text = marker_message(HEADER, [actor], 10**9).markers[1:]
    assert text.text.splitlines() == [
        "the small brown dog that",
        "runs after the ball on",
        "the left side of the ...",
        "2.00 m",
    ]
    # Four lines of 0.1 m, the middle of which is the marker's place: they end above the box.
    top_of_box = box.pose.position.y - box.scale.y / 2
    assert text.pose.position.y + 4 / 2 * text.scale.z < top_of_box


def test_without_places_all_markers_are_taken_away() -> None:
    (only,) = marker_message(HEADER, [], 10**9).markers
    assert only.action == Marker.DELETEALL
