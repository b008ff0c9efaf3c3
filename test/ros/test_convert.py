"""Every picture that is accepted comes out right, every other is refused in one line."""

import struct
import sys
from array import array
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pictures import compressed, encoded, image, noise
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from actseg_ros import convert
from actseg_ros.convert import ENCODINGS, SAME_AS, ImageRefused, decode, encode

LIMIT = 1_000_000
PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


@given(PICTURES, st.booleans())
def test_encoding_and_decoding_give_the_picture_back(
    picture: NDArray[np.uint8], rgb: bool
) -> None:
    message = encode(picture, Header(frame_id="cam"), rgb)
    assert message.encoding == ("rgb8" if rgb else "bgr8")
    assert message.header.frame_id == "cam"
    np.testing.assert_array_equal(decode(message, LIMIT), picture)


def test_a_mask_becomes_mono8() -> None:
    message = encode(np.array([[0, 255], [255, 0], [7, 8]], np.uint8), Header())
    assert (message.width, message.height, message.step) == (2, 3, 2)
    assert (message.encoding, list(message.data)) == ("mono8", [0, 255, 255, 0, 7, 8])


@given(PICTURES, st.integers(0, 7), st.sampled_from(["rgb8", "bgr8"]))
def test_padded_rows_are_understood(
    picture: NDArray[np.uint8], padding: int, encoding: str
) -> None:
    height, width = picture.shape[:2]
    stored = picture if encoding == "rgb8" else picture[..., ::-1]
    rows = np.full((height, width * 3 + padding), 99, np.uint8)
    rows[:, : width * 3] = stored.reshape(height, -1)
    message = image(encoding, width, height, rows.tobytes(), width * 3 + padding)
    np.testing.assert_array_equal(decode(message, LIMIT), picture)


@pytest.mark.parametrize("big", [0, 1])
def test_sixteen_bits_in_either_byte_order_keep_their_high_byte(big: int) -> None:
    samples = struct.pack(("><"[1 - big]) + "6H", 0xFFFF, 0x8080, 0, 0, 0x4040, 0xFFFF)
    picture = decode(image("rgb16", 2, 1, samples, big=big), LIMIT)
    assert picture.tolist() == [[[255, 128, 0], [0, 64, 255]]]


def test_an_odd_step_of_sixteen_bit_rows_is_fine() -> None:
    row = struct.pack("<H", 0xFFFF) + b"\x01"
    assert decode(image("mono16", 1, 2, row * 2, 3), LIMIT).tolist() == [[[255] * 3], [[255] * 3]]


@pytest.mark.parametrize(
    ("encoding", "data", "rgb"),
    [
        ("mono8", [9], [9, 9, 9]),
        ("8UC1", [9], [9, 9, 9]),
        ("8UC3", [1, 2, 3], [3, 2, 1]),
        ("rgba8", [1, 2, 3, 4], [1, 2, 3]),
        ("bgra8", [1, 2, 3, 4], [3, 2, 1]),
        ("8UC4", [1, 2, 3, 4], [3, 2, 1]),
    ],
)
def test_one_pixel_of_each_plain_encoding(encoding: str, data: list[int], rgb: list[int]) -> None:
    assert decode(image(encoding, 1, 1, bytes(data)), LIMIT).tolist() == [[rgb]]


@pytest.mark.parametrize(("pattern", "corner"), [("rggb", 0), ("bggr", 2)])
def test_bayer_patterns_put_red_and_blue_where_they_belong(pattern: str, corner: int) -> None:
    raw = np.zeros((8, 8), np.uint8)
    raw[::2, ::2] = 200  # the colour of the pattern's first letter, everywhere
    picture = decode(image(f"bayer_{pattern}8", 8, 8, raw.tobytes()), LIMIT)
    centre = picture[3:5, 3:5].reshape(-1, 3).mean(axis=0)
    assert centre[corner] > 150 and centre[1] == 0 and centre[2 - corner] == 0


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("uyvy", [128, 81, 128, 145]),
        ("yuv422", [128, 81, 128, 145]),
        ("yuyv", [81, 128, 145, 128]),
        ("yuv422_yuy2", [81, 128, 145, 128]),
    ],
)
def test_grey_in_yuv_422(encoding: str, data: list[int]) -> None:
    # BT.601 video range: (Y - 16) * 255 / 219
    picture = decode(image(encoding, 2, 1, bytes(data)), LIMIT).astype(int)
    assert np.abs(picture - [[[76] * 3, [150] * 3]]).max() <= 1


@pytest.mark.parametrize("encoding", ["nv12", "nv21"])
@pytest.mark.parametrize("declared_rows", [4, 6])
def test_nv_with_or_without_the_chroma_rows_in_height(encoding: str, declared_rows: int) -> None:
    data = bytes([16 + 219] * 16 + [128] * 8)
    picture = decode(image(encoding, 4, declared_rows, data, 4), LIMIT)
    assert picture.shape == (4, 4, 3)
    assert picture.min() == 255


@pytest.mark.parametrize("declared_rows", [4, 12])
def test_nv24_is_nv12_with_every_second_colour(declared_rows: int) -> None:
    rng = np.random.default_rng(5)
    brightness = rng.integers(16, 236, (4, 6), np.uint8)
    colours = np.repeat(np.repeat(rng.integers(80, 170, (2, 3, 2), np.uint8), 2, 0), 2, 1)
    fine = image("nv24", 6, declared_rows, brightness.tobytes() + colours.tobytes(), 6)
    coarse = image("nv12", 6, 4, brightness.tobytes() + colours[::2, ::2].tobytes(), 6)
    np.testing.assert_array_equal(decode(fine, LIMIT), decode(coarse, LIMIT))


@pytest.mark.parametrize("encoding", [*ENCODINGS, *SAME_AS])
def test_every_listed_encoding_can_be_converted(encoding: str) -> None:
    layout = ENCODINGS[SAME_AS.get(encoding, encoding)]
    rows = 8 + 8 * layout.chroma // 2
    data = bytes(range(256)) * 4
    picture = decode(
        image(
            encoding, 8, 8, data[: rows * 8 * layout.bytes_per_pixel], 8 * layout.bytes_per_pixel
        ),
        LIMIT,
    )
    assert picture.shape == (8, 8, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (image("bgr8 ", 1, 1, bytes(3)), "encoding 'bgr8 ' is not known; accepted are rgb8"),
        (image("", 1, 1, bytes(3)), "encoding '' is not known"),
        (image("x" * 10_000, 1, 1, bytes(3)), "encoding 'x{40}' is not known"),
        (image("🙂", 1, 1, bytes(3)), "is not known"),
        (image("32FC1", 1, 1, bytes(4)), "32FC1 is a depth image; connect the colour image"),
        (image("16UC1", 1, 1, bytes(2)), "16UC1 is a depth image"),
        (image("64FC1", 1, 1, bytes(8)), "64FC1 is a matrix of numbers"),
        (image("bgr8", 0, 1, b""), "width and height must be 1 to 65535, got 0x1"),
        (image("bgr8", 2**32 - 1, 2**32 - 1, b""), "got 4294967295x4294967295"),
        (image("bgr8", 1001, 1000, b""), "1001000 pixels, stream.max_pixels allows 1000000"),
        (image("bgr8", 4, 2, bytes(22), 11), "step is 11 bytes, but 4 pixels of bgr8 need 12"),
        (image("bgr8", 4, 2, bytes(23), 12), "data holds 23 bytes, but 2 rows of 12 bytes are 24"),
        (image("bgr8", 4, 2, bytes(25), 12), "data holds 25 bytes"),
        (image("bgr8", 4, 2, b"", 12), "data holds 0 bytes"),
        (image("uyvy", 3, 2, bytes(12)), "width divisible by 2 and a height divisible by 1"),
        (image("bayer_rggb8", 3, 3, bytes(9)), "divisible by 2, got 3x3"),
        (image("nv24", 2, 2, bytes(18), 3), "nv24 needs rows without padding, got a step of 3"),
    ],
)
def test_a_wrong_image_is_refused_with_its_reason(message: Image, reason: str) -> None:
    with pytest.raises(ImageRefused, match=reason) as error:
        decode(message, LIMIT)
    assert "\n" not in str(error.value)


@settings(max_examples=300)
@given(
    encoding=st.one_of(st.sampled_from([*ENCODINGS, *SAME_AS]), st.text(max_size=12)),
    width=st.one_of(st.integers(0, 8), st.integers(0, 2**32 - 1)),
    height=st.one_of(st.integers(0, 8), st.integers(0, 2**32 - 1)),
    step=st.one_of(st.integers(0, 80), st.integers(0, 2**32 - 1)),
    big=st.integers(0, 255),
    exact=st.booleans(),
    data=st.binary(max_size=640),
)
def test_any_image_is_a_picture_or_one_line(
    encoding: str, width: int, height: int, step: int, big: int, exact: bool, data: bytes
) -> None:
    message = image(encoding.encode("utf-8", "replace").decode(), width, height, data, step, big)
    if exact and height * step < 2000:
        message.data = array("B", (data * 2000)[: height * step] if data else bytes(height * step))
    try:
        picture = decode(message, 64)
    except ImageRefused as error:
        assert "\n" not in str(error)
        return
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (width, 3)
    assert picture.shape[0] in (height, height * 2 // 3, height // 3)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "bgra8", "mono8"])
def test_pictures_lie_in_memory_as_they_are_read(encoding: str) -> None:
    channels = {"bgra8": 4, "mono8": 1}.get(encoding, 3)
    data = np.arange(4 * 6 * channels, dtype=np.uint8)
    message = Image(height=4, width=6, encoding=encoding, step=6 * channels)
    message.data = array("B", data.tobytes())
    assert decode(message, LIMIT).flags.c_contiguous
    assert decode(compressed(encoded(".png", noise())), LIMIT).flags.c_contiguous


@pytest.mark.parametrize("big", [0, 1])
def test_the_bits_that_a_camera_uses_fill_the_range(big: int) -> None:
    data = struct.pack(("><"[1 - big]) + "4H", 4095, 2048, 16, 65535)
    message = image("mono16", 4, 1, data, big=big)
    assert decode(message, LIMIT)[0, :, 0].tolist() == [15, 7, 0, 255]
    # 12 bits: 2048 of 4095 is 127.5 of 255, 16 is 0.996; what is above 4095 is cut to it.
    near = np.abs(decode(message, LIMIT, 12)[0, :, 0].astype(float) - [255, 127.5, 0.996, 255])
    assert near.max() < 1


@pytest.mark.parametrize("encoding", ["rgb16", "bayer_rggb16"])
def test_the_bits_that_a_camera_uses_count_for_colour_too(encoding: str) -> None:
    samples = np.full((4, 4, 3 if encoding == "rgb16" else 1), 4095, np.uint16)
    message = image(encoding, 4, 4, samples.tobytes())
    assert decode(message, LIMIT).max() == 15
    assert decode(message, LIMIT, 12).min() == 255


@pytest.mark.parametrize(
    ("message", "deep"),
    [
        (image("mono16", 1, 1, bytes(2)), True),
        (image("16UC3", 1, 1, bytes(6)), True),
        (image("mono8", 1, 1, bytes(1)), False),
        (compressed(cv2.imencode(".png", np.zeros((2, 2), np.uint16))[1].tobytes()), True),
        (compressed(cv2.imencode(".png", np.zeros((2, 2), np.uint8))[1].tobytes()), False),
        (compressed(cv2.imencode(".jpg", np.zeros((2, 2), np.uint8))[1].tobytes()), False),
    ],
)
def test_images_with_16_bits_are_known(message: Any, deep: bool) -> None:
    assert convert.has_16_bits(message) == deep


def test_opencv_4_10_which_cannot_read_rgb_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = decode(compressed(encoded(".png", noise())), LIMIT)
    monkeypatch.delattr(cv2, "IMREAD_COLOR_RGB", raising=False)
    np.testing.assert_array_equal(decode(compressed(encoded(".png", noise())), LIMIT), wanted)
    np.testing.assert_array_equal(wanted, noise())


def _bridge(convert_: Any) -> ModuleType:
    module = ModuleType("cv_bridge")

    class CvBridge:
        def imgmsg_to_cv2(self, message: Any, encoding: str) -> Any:
            assert encoding == "rgb8"
            return convert_(message)

    module.CvBridge = CvBridge  # type: ignore[attr-defined]
    return module


def test_the_distributions_cv_bridge_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    def works(message: Any) -> Any:
        shape = (message.height, message.width, 3)
        return np.ndarray(shape, np.uint8, buffer=message.data)[..., ::-1]

    monkeypatch.setitem(sys.modules, "cv_bridge", _bridge(works))
    assert convert.choose_converter()[0] == "cv_bridge"


def test_a_cv_bridge_that_does_not_work_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def ros_1(message: Any) -> Any:
        raise AttributeError("newbyteorder was removed from the ndarray class in NumPy 2")

    monkeypatch.setitem(sys.modules, "cv_bridge", _bridge(ros_1))
    assert convert.choose_converter()[0] == "rosbags-image"


def test_without_any_converter_both_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    monkeypatch.setitem(sys.modules, "rosbags.image", None)
    with pytest.raises(ImportError, match="install the ROS package cv_bridge or the Python pack"):
        convert.choose_converter()
