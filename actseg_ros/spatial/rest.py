"""`~/points_without_actors`: what the depth camera sees, without the actors. Pure functions."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from actseg_core.geometry import Pinhole, back_project

BYTES = 4


def rest_message(
    header: Header,
    depth_m: NDArray[np.float32],
    masks: Sequence[NDArray[np.uint8]],
    camera: Pinhole,
    step: int,
    margin_px: int,
    max_depth_m: float,
) -> PointCloud2:
    """A cloud of x, y, z [m], unorganised, without invalid points.

    Args:
        header: Frame and stamp of the depth image.
        depth_m: (H, W) float32 [m], NaN = not measured.
        masks: Each (H, W) uint8, not 0 = an actor.
        camera: Of the masks' image.
        step: Every so many'th pixel of every so many'th row.
        margin_px: What lies so near to an actor [px] is left out, too: a mask's rim is not exact.
        max_depth_m: What is farther away is left out [m].

    Raises:
        GeometryError: If depth and masks differ in size.
    """
    shape = masks[0].shape if masks else depth_m.shape
    kept = np.zeros(shape, np.uint8)
    kept[::step, ::step] = 255
    side = 2 * margin_px + 1
    kernel = np.ones((side, side), np.uint8)
    for mask in masks:
        kept[cv2.dilate(mask, kernel) > 0] = 0
    points = back_project(depth_m, kept, camera, max_depth_m)
    message = PointCloud2(
        header=header,
        height=1,
        width=len(points),
        fields=[
            PointField(name=name, offset=BYTES * index, datatype=PointField.FLOAT32, count=1)
            for index, name in enumerate("xyz")
        ],
        is_bigendian=False,
        point_step=3 * BYTES,
        row_step=3 * BYTES * len(points),
        is_dense=True,
    )
    message.data.frombytes(points.astype("<f4").tobytes())
    return message
