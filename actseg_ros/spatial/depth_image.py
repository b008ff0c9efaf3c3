"""Depth image and camera_info messages to numbers; lengths are checked as in convert.py."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage

from actseg_core.geometry import GeometryError, Pinhole, to_metres
from actseg_ros.compressed import PNG_SIGNATURE, decompress, sniff
from actseg_ros.convert import ImageRefused, Layout, check_size

# 16UC1 counts millimetres, 32FC1 metres (REP 118); some drivers call the first mono16.
DepthMessage = Any  # sensor_msgs/Image or CompressedImage; generated messages have no types
# compressed_depth_image_transport's ConfigHeader: an enumeration, and the two numbers that turn
# what is stored of 32FC1 into metres: a / (stored - b).
CONFIG_HEADER = struct.Struct("<iff")
DEPTH_ENCODINGS = {
    "16UC1": (Layout(2, 2), "u2"),
    "mono16": (Layout(2, 2), "u2"),
    "32FC1": (Layout(4), "f4"),
}


def decode_depth(message: DepthMessage, max_pixels: int) -> NDArray[np.float32]:
    """(H, W) float32 [m], NaN where nothing was measured.

    Args:
        message: sensor_msgs/Image of 16UC1 [mm] or 32FC1 [m]; padded rows and both byte orders.
            Or CompressedImage as image_transport's compressedDepth plugin makes it, PNG.
        max_pixels: Larger ones are refused [px].

    Raises:
        ImageRefused: With one line that says what was wrong with the message.
    """
    if isinstance(message, CompressedImage):
        return _decompress_depth(message, max_pixels)
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


def _decompress_depth(message: CompressedImage, max_pixels: int) -> NDArray[np.float32]:
    encoding, _, packing = (part.strip() for part in message.format.partition(";"))
    if packing and not packing.startswith("compressedDepth"):
        raise ImageRefused(
            f"format {message.format[:60]!r} is no compressed depth; connect the topic whose name "
            "ends in /compressedDepth"
        )
    if "rvl" in packing:
        raise ImageRefused(
            "depth is packed as RVL, which is not read here; set the camera's "
            "compressedDepth.format to png"
        )
    if encoding not in DEPTH_ENCODINGS:
        raise ImageRefused(
            f"format {message.format[:60]!r} names no depth; wanted are 16UC1 (millimetres) and "
            "32FC1 (metres)"
        )
    content = memoryview(message.data).cast("B")
    head, picture = content[: CONFIG_HEADER.size], content[CONFIG_HEADER.size :]
    try:
        if bytes(picture[: len(PNG_SIGNATURE)]) != PNG_SIGNATURE:
            raise ValueError("behind its header there is no PNG")
        sniffed = sniff(picture)
        if sniffed.width * sniffed.height > max_pixels:
            raise ValueError(
                f"it is {sniffed.width}x{sniffed.height}, stream.max_pixels allows {max_pixels}"
            )
        if sniffed.sample_bits != 16:
            raise ValueError(f"its PNG has {sniffed.sample_bits} bits, depth has 16")
        stored = decompress(np.frombuffer(picture, np.uint8)[: sniffed.length], sniffed, True)
    except ValueError as error:
        raise ImageRefused(f"compressed depth cannot be read: {error}") from error
    if encoding != "32FC1":
        return to_metres(stored)
    _, scale, offset = CONFIG_HEADER.unpack(head)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        metres = scale / (stored.astype(np.float32) - np.float32(offset))
    return to_metres(np.where(stored > 0, metres, np.nan).astype(np.float32))


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
