"""Every compressed picture comes out right, every file that is none is refused in one line."""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import compressed, encoded, image, noise
from std_msgs.msg import Header

from actseg_ros import convert
from actseg_ros.convert import ImageRefused, decode

LIMIT = 1_000_000


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff", ".webp"])
@pytest.mark.parametrize("grey", [False, True])
def test_compressed_pictures_come_back(suffix: str, grey: bool) -> None:
    ramp = np.tile(np.arange(0, 240, 10, dtype=np.uint8), (16, 1))
    picture = np.stack([ramp] * 3 if grey else [ramp, 255 - ramp, ramp // 2], axis=2)
    stored = picture[..., 0] if grey else picture[..., ::-1]
    content = bytes(cv2.imencode(suffix, stored)[1].tobytes())
    decoded = decode(compressed(content, "a lie"), LIMIT)
    assert decoded.shape == picture.shape
    assert np.abs(decoded.astype(int) - picture).mean() < (8 if suffix == ".jpg" else 1e-9)


def test_a_mosaic_that_was_compressed_as_grey_gets_its_colours_back() -> None:
    raw = np.zeros((8, 8), np.uint8)
    raw[::2, ::2] = 200
    content = bytes(cv2.imencode(".png", raw)[1].tobytes())
    mosaic = compressed(content, "bayer_bggr8; png compressed bayer_bggr8")
    plain = image("bayer_bggr8", 8, 8, raw.tobytes())
    np.testing.assert_array_equal(decode(mosaic, LIMIT), decode(plain, LIMIT))


@pytest.mark.parametrize(("quality", "kind"), [(None, "png"), (95, "jpeg")])
def test_what_is_compressed_here_can_be_read_here(quality: int | None, kind: str) -> None:
    ramp = np.tile(np.arange(0, 240, 10, dtype=np.uint8), (16, 1))
    picture = np.stack([ramp, 255 - ramp, ramp // 2], axis=2)
    message = convert.compress(picture, Header(frame_id="cam"), quality)
    assert message.format == f"bgr8; {kind} compressed bgr8"
    assert message.header.frame_id == "cam"
    decoded = decode(message, LIMIT).astype(int)
    assert np.abs(decoded - picture).mean() < (6 if quality else 1e-9)


def test_a_compressed_mask_has_one_bit_a_pixel_and_comes_back_as_it_was() -> None:
    mask = np.zeros((37, 61), np.uint8)
    mask[5:20, 8:33] = 255
    small = convert.compress(mask, Header(), is_mask=True)
    assert small.format == "mono8; png compressed mono8"
    assert bytes(small.data)[24] == 1  # the bit depth
    back = cv2.imdecode(np.frombuffer(small.data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(back, mask)


def test_a_depth_stream_is_not_taken_for_a_picture() -> None:
    with pytest.raises(ImageRefused, match="compressedDepth; connect the colour image"):
        decode(compressed(b"\x00" * 12, "32FC1; compressedDepth"), LIMIT)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(20), bytes(100)]
)
def test_what_is_no_known_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ImageRefused, match="the compressed image is unusable"):
        decode(compressed(content), LIMIT)


@pytest.mark.parametrize(
    ("suffix", "zeros"), [(".jpg", 0), (".jpg", 6000), (".png", 0), (".tiff", 0), (".webp", 0)]
)
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_cut_off_picture_is_refused(suffix: str, zeros: int, kept: float) -> None:
    content = encoded(suffix, noise())
    content = content[: int(len(content) * kept)] + bytes(zeros)
    with pytest.raises(ImageRefused, match="cut off"):
        decode(compressed(content), LIMIT)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("behind", [bytes(4095), bytes(500_000), b"\xff" * 7, b"\xff\xd8 next"])
def test_what_a_camera_leaves_behind_a_picture_changes_nothing(suffix: str, behind: bytes) -> None:
    content = encoded(suffix, noise())
    np.testing.assert_array_equal(
        decode(compressed(content + behind), LIMIT), decode(compressed(content), LIMIT)
    )


def test_a_jpeg_without_an_end_mark_is_the_same_picture() -> None:
    content = encoded(".jpg", noise())
    np.testing.assert_array_equal(
        decode(compressed(content[:-2]), LIMIT), decode(compressed(content), LIMIT)
    )


def test_the_bits_that_a_camera_uses_fill_the_range_of_a_png_too() -> None:
    samples = np.array([[4095, 2048, 16, 65535]], np.uint16)
    grey = compressed(cv2.imencode(".png", samples)[1].tobytes(), "mono16; png compressed mono16")
    assert decode(grey, LIMIT)[0, :, 0].tolist() == [15, 8, 0, 255]
    near = np.abs(decode(grey, LIMIT, 12)[0, :, 0].astype(float) - [255, 127.5, 0.996, 255])
    assert near.max() < 1
    blue = np.stack([samples, samples * 0, samples // 2], axis=2)
    colour = compressed(cv2.imencode(".png", blue)[1].tobytes(), "png")
    assert decode(colour, LIMIT, 12)[0, 1].tolist() == [64, 0, 128]


def test_a_deep_mosaic_that_was_compressed_as_grey_gets_its_colours_back() -> None:
    raw = np.zeros((8, 8), np.uint16)
    raw[::2, ::2] = 4000
    content = bytes(cv2.imencode(".png", raw)[1].tobytes())
    mosaic = compressed(content, "bayer_bggr16; png compressed bayer_bggr16")
    plain = image("bayer_bggr16", 8, 8, raw.tobytes())
    picture = decode(mosaic, LIMIT, 12)
    np.testing.assert_array_equal(picture, decode(plain, LIMIT, 12))
    centre = picture[3:5, 3:5].reshape(-1, 3).mean(axis=0)
    assert centre[2] > 150 and centre[0] == 0


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    content = bytearray(encoded(".png", np.zeros((9, 9, 3), np.uint8)))
    content[45] ^= 1
    with pytest.raises(ImageRefused, match="checksum of its PNG chunk 'IDAT' is wrong"):
        decode(compressed(bytes(content)), LIMIT)


def test_a_png_that_claims_to_be_huge_is_refused_before_it_is_unpacked() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    with pytest.raises(ImageRefused, match="3600000000 pixels, stream.max_pixels allows"):
        decode(compressed(bomb, "png"), LIMIT)


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_file_is_a_picture_or_one_line(data: Any) -> None:
    suffix = data.draw(st.sampled_from([".jpg", ".png", ".tiff", ".webp"]))
    content = bytearray(encoded(suffix, np.zeros((12, 10, 3), np.uint8)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decode(compressed(bytes(content)), LIMIT).shape[2] == 3
    except ImageRefused as error:
        assert "\n" not in str(error)
