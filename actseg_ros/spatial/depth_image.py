"""Depth image and camera_info messages to numbers; lengths are checked as in convert.py."""

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image

from actseg_core.geometry import GeometryError, Pinhole, to_metres
from actseg_ros.convert import ImageRefused, Layout, check_size

# 16UC1 counts millimetres, 32FC1 metres (REP 118); some drivers call the first mono16.
DEPTH_ENCODINGS = {
    "16UC1": (Layout(2, 2), "u2"),
    "mono16": (Layout(2, 2), "u2"),
    "32FC1": (Layout(4), "f4"),
}


def decode_depth(message: Image, max_pixels: int) -> NDArray[np.float32]:
    """(H, W) float32 [m], NaN where nothing was measured.

    Args:
        message: sensor_msgs/Image of 16UC1 [mm] or 32FC1 [m]; padded rows and both byte orders.
        max_pixels: Larger ones are refused [px].

    Raises:
        ImageRefused: With one line that says what was wrong with the message.
    """
    if message.encoding not in DEPTH_ENCODINGS:
        raise ImageRefused(
            f"encoding {message.encoding[:40]!r} is no depth; accepted are 16UC1 (millimetres) "
            "and 32FC1 (metres)"
        )
    layout, kind = DEPTH_ENCODINGS[message.encoding]
    height, rows = check_size(message, message.encoding, layout, max_pixels)
    row_bytes = message.width * layout.bytes_per_pixel
    stored = np.frombuffer(message.data, np.uint8).reshape(rows, message.step)[:, :row_bytes]
    order = np.dtype((">" if message.is_bigendian else "<") + kind)
    values = np.ascontiguousarray(stored).view(order).reshape(height, message.width)
    return to_metres(values.astype(order.newbyteorder("=")))


def camera_of(info: CameraInfo, width: int, height: int) -> Pinhole:
    """The camera that an image of this size [px] was taken with.

    As image_geometry does, the projection matrix P is used, which is that of the rectified
    picture, and K where P is not set. Distortion is not undone: connect rectified images.

    Raises:
        GeometryError: If it is for another size, or not calibrated.
    """
    if (info.width, info.height) != (width, height):
        raise GeometryError(
            f"camera_info is for {info.width}x{info.height} images, the masks are "
            f"{width}x{height}; connect the camera_info of the image topic"
        )
    fx, _, cx, _, _, fy, cy = info.p[:7]
    if fx == 0:
        fx, _, cx, _, fy, cy = info.k[:6]
    return Pinhole(float(fx), float(fy), float(cx), float(cy))
