"""Places in space as markers for RViz. Pure functions."""

import textwrap
from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Pose, Quaternion, Vector3
from numpy.typing import NDArray
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from actseg_core.visualize import PALETTE
from actseg_ros.messages import duration_message
from actseg_ros.spatial.messages import Place, point_message

BOX_OPACITY = 0.35
TEXT_M = 0.1
SMALLEST_BOX_M = 0.02
LINE_LETTERS = 24
MOST_LINES = 3


def marker_message(header: Header, places: Sequence[Place], lifetime_ns: int) -> MarkerArray:
    """A box and a text per actor; those of the message before are taken away first."""
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    for place in places:
        markers += [_box(header, place), _text(header, place)]
    for marker in markers[1:]:
        marker.lifetime = duration_message(lifetime_ns)
    return MarkerArray(markers=markers)


def _box(header: Header, place: Place) -> Marker:
    size = np.maximum(place.extent.size, SMALLEST_BOX_M)
    return Marker(
        header=header,
        ns="box",
        id=place.number,
        type=Marker.CUBE,
        action=Marker.ADD,
        pose=_pose(place.extent.middle),
        scale=Vector3(x=float(size[0]), y=float(size[1]), z=float(size[2])),
        color=_colour(place.number, BOX_OPACITY),
    )


def _text(header: Header, place: Place) -> Marker:
    """Above the box; y points down. The distance has a line of its own and stays in sight."""
    extent = place.extent
    distance_m = float(np.linalg.norm(extent.centre))
    lines = textwrap.wrap(place.sentence, LINE_LETTERS, max_lines=MOST_LINES, placeholder=" ...")
    lines.append(f"{distance_m:.2f} m")
    above = np.array([0.0, -(extent.size[1] / 2 + TEXT_M * (len(lines) + 1) / 2), 0.0])
    return Marker(
        header=header,
        ns="text",
        id=place.number,
        type=Marker.TEXT_VIEW_FACING,
        action=Marker.ADD,
        pose=_pose(extent.middle + above),
        scale=Vector3(x=0.0, y=0.0, z=TEXT_M),
        color=_colour(place.number, 1.0),
        text="\n".join(lines),
    )


def _pose(place: NDArray[np.float64]) -> Pose:
    return Pose(position=point_message(place), orientation=Quaternion(x=0.0, y=0.0, z=0.0, w=1.0))


def _colour(number: int, opacity: float) -> ColorRGBA:
    red, green, blue = (value / 255 for value in PALETTE[number % len(PALETTE)])
    return ColorRGBA(r=red, g=green, b=blue, a=opacity)
