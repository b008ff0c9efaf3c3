"""Depth and camera_info messages, good and malformed."""

import struct
from array import array
from typing import Any

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from actseg_core.geometry import GeometryError, Pinhole
from actseg_ros.convert import ImageRefused
from actseg_ros.spatial.depth_image import camera_of, decode_depth

MANY = 10**6


def message(values: np.ndarray, encoding: str, **changes: Any) -> Image:
    height, width = values.shape
    fields = {
        "height": height,
        "width": width,
        "encoding": encoding,
        "step": width * values.itemsize,
        "data": values.tobytes(),
        **changes,
    }
    return Image(**fields)


MILLIMETRES = np.array([[0, 1500], [250, 65535]], np.uint16)


@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
def test_millimetres_are_read(encoding: str) -> None:
    depth = decode_depth(message(MILLIMETRES, encoding), MANY)
    assert depth.dtype == np.float32
    assert depth[0, 1] == 1.5 and depth[1, 0] == 0.25
    assert np.isnan(depth[0, 0])


def test_big_endian_millimetres_are_read() -> None:
    swapped = message(MILLIMETRES.astype(">u2"), "16UC1", is_bigendian=1)
    assert decode_depth(swapped, MANY)[0, 1] == 1.5


@pytest.mark.parametrize("order", ["<", ">"])
def test_metres_are_read_and_what_is_no_distance_is_left_out(order: str) -> None:
    values = np.array([[np.nan, np.inf], [-2.0, 3.25]], f"{order}f4")
    depth = decode_depth(message(values, "32FC1", is_bigendian=int(order == ">")), MANY)
    assert depth[1, 1] == 3.25
    assert np.isnan(depth).sum() == 3


def test_padding_at_the_end_of_rows_is_left_out() -> None:
    padded = np.pad(MILLIMETRES, ((0, 0), (0, 3)), constant_values=999)
    depth = decode_depth(message(padded, "16UC1", width=2), MANY)
    assert depth.shape == (2, 2) and depth[0, 1] == 1.5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoding": "bgr8"}, "'bgr8' is no depth; accepted are 16UC1"),
        ({"encoding": "x" * 5000}, "is no depth"),
        ({"step": 1}, "step is 1 bytes"),
        ({"data": b"123"}, "data holds 3 bytes"),
        ({"data": b""}, "data holds 0 bytes"),
        ({"width": 0}, "width and height"),
        ({"height": 2**32 - 1}, "width and height"),
        ({"width": 60000, "height": 60000}, "stream.max_pixels allows"),
    ],
)
def test_malformed_depth_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ImageRefused, match=reason):
        decode_depth(message(MILLIMETRES, **{"encoding": "16UC1", **changes}), MANY)


def packed(
    stored: np.ndarray, encoding: str, quantization: tuple[float, float] = (0.0, 0.0)
) -> CompressedImage:
    """As compressed_depth_image_transport packs it: enumeration, two numbers, a PNG."""
    done, png = cv2.imencode(".png", stored)
    assert done
    data = struct.pack("<iff", 0, *quantization) + png.tobytes()
    return CompressedImage(format=f"{encoding}; compressedDepth png", data=array("B", data))


def test_packed_millimetres_are_read_as_the_plain_ones() -> None:
    plain = decode_depth(message(MILLIMETRES, "16UC1"), MANY)
    np.testing.assert_array_equal(decode_depth(packed(MILLIMETRES, "16UC1"), MANY), plain)
    short = packed(MILLIMETRES, "16UC1")
    short.format = "16UC1"  # as the plugin's first versions named it
    np.testing.assert_array_equal(decode_depth(short, MANY), plain)
    short.format = "16UC1; compressedDepth"
    np.testing.assert_array_equal(decode_depth(short, MANY), plain)


def test_packed_metres_are_a_over_what_is_stored_less_b() -> None:
    # With the plugin's defaults, quantization 100 and depth up to 10 m: a = 100 * 101 = 10100,
    # b = 1 - 10100 / 10 = -1009. 2 m: 10100 / 2 - 1009 = 4041; 0: not measured.
    stored = np.array([[4041, 0]], np.uint16)
    depth = decode_depth(packed(stored, "32FC1", (10100.0, -1009.0)), MANY)
    assert depth[0, 0] == pytest.approx(2.0)
    assert np.isnan(depth[0, 1])


@pytest.mark.parametrize("cut", [0, 5, 12, 30])
def test_packed_depth_that_ends_early_is_refused(cut: int) -> None:
    whole = packed(MILLIMETRES, "16UC1")
    with pytest.raises(ImageRefused, match="compressed depth cannot be read"):
        decode_depth(CompressedImage(format=whole.format, data=whole.data[:cut]), MANY)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "16UC1; compressedDepth rvl"}, "set the camera's compressedDepth.format"),
        ({"format": "bgr8; jpeg compressed bgr8"}, "is no compressed depth; connect the topic"),
        ({"format": "bgr8; compressedDepth png"}, "names no depth; wanted are 16UC1"),
        ({"data": array("B", b"\xff\xd8" * 20)}, "behind its header there is no PNG"),
    ],
)
def test_what_is_no_packed_depth_is_refused(change: dict[str, Any], reason: str) -> None:
    whole = packed(MILLIMETRES, "16UC1")
    with pytest.raises(ImageRefused, match=reason):
        decode_depth(
            CompressedImage(**{"format": whole.format, "data": whole.data, **change}), MANY
        )


def test_packed_depth_of_8_bits_or_too_many_pixels_is_refused() -> None:
    with pytest.raises(ImageRefused, match="its PNG has 8 bits, depth has 16"):
        decode_depth(packed(MILLIMETRES.astype(np.uint8), "16UC1"), MANY)
    with pytest.raises(ImageRefused, match="it is 2x2, stream.max_pixels allows 3"):
        decode_depth(packed(MILLIMETRES, "16UC1"), 3)


K = [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
P = [400.0, 0.0, 310.0, 0.0, 0.0, 410.0, 230.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_the_projection_matrix_is_preferred_to_k() -> None:
    info = CameraInfo(width=640, height=480, k=K, p=P)
    assert camera_of(info, 640, 480) == Pinhole(400.0, 410.0, 310.0, 230.0)
    info = CameraInfo(width=640, height=480, k=K)
    assert camera_of(info, 640, 480) == Pinhole(500.0, 510.0, 320.0, 240.0)


def test_a_camera_info_of_another_size_or_without_calibration_is_refused() -> None:
    with pytest.raises(GeometryError, match="for 640x480 images, the masks are 320x240"):
        camera_of(CameraInfo(width=640, height=480, k=K), 320, 240)
    with pytest.raises(GeometryError, match="calibrate"):
        camera_of(CameraInfo(width=640, height=480), 640, 480)
