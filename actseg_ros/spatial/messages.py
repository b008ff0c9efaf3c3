"""Places in space as messages: point and cloud. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import Point, PointStamped
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from actseg_core.geometry import Extent
from actseg_core.visualize import PALETTE

# rgb is RViz's and PCL's: 0x00RRGGBB, in a field that is called a float.
POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("sentence", "<u4"), ("rgb", "<u4")])
FIELD_TYPES = {"x": PointField.FLOAT32, "sentence": PointField.UINT32}


@dataclass(frozen=True, eq=False)
class Place:
    """Where the actor of one sentence is.

    Attributes:
        sentence: The sentence.
        number: Of the sentence: 0 for the id q1, 1 for q2 and so on.
        confidence: That the actor is there, [0, 1].
        points: (N, 3) float32 [m] for the cloud.
        extent: Centre and size.
    """

    sentence: str
    number: int
    confidence: float
    points: NDArray[np.float32]
    extent: Extent


def centroid_message(header: Header, place: Place) -> PointStamped:
    """The actor's centre [m]."""
    return PointStamped(header=header, point=point_message(place.extent.centre))


def cloud_message(header: Header, places: Sequence[Place]) -> PointCloud2:
    """All actors' points: x, y, z [m], `sentence`, its number (see Place), and its colour."""
    cloud = np.empty(sum(len(place.points) for place in places), POINT)
    first = 0
    for place in places:
        part = cloud[first : first + len(place.points)]
        part["x"], part["y"], part["z"] = place.points.T
        part["sentence"] = place.number
        red, green, blue = PALETTE[place.number % len(PALETTE)]
        part["rgb"] = red << 16 | green << 8 | blue
        first += len(part)
    message = PointCloud2(
        header=header,
        height=1,
        width=len(cloud),
        fields=[
            PointField(
                name=name,
                offset=POINT.fields[name][1],  # type: ignore[index]
                datatype=FIELD_TYPES.get(name, PointField.FLOAT32),
                count=1,
            )
            for name in POINT.names or ()
        ],
        is_bigendian=False,
        point_step=POINT.itemsize,
        row_step=POINT.itemsize * len(cloud),
        is_dense=True,
    )
    message.data.frombytes(cloud.tobytes())
    return message


def point_message(place: NDArray[np.float64]) -> Point:
    """A point of (3,) [m]."""
    return Point(x=float(place[0]), y=float(place[1]), z=float(place[2]))
