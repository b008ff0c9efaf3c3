"""Masks as pictures: values, colours, files that lose detail, what marks nothing."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from damaged_files import changed_bytes
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.datasets.mask_picture import png_mask
from actseg_core.errors import DatasetError


def disc() -> np.ndarray:
    mask = np.zeros((120, 160), np.uint8)
    cv2.circle(mask, (80, 60), 30, 255, -1)
    return mask


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "pgm"])
def test_every_pixel_of_a_lossless_file_that_is_not_black_counts(tmp_path, ending) -> None:
    path = tmp_path / f"m.{ending}"
    cv2.imwrite(str(path), np.minimum(disc(), 1))
    np.testing.assert_array_equal(png_mask(path), disc() > 0)


@pytest.mark.parametrize("ending", ["jpg", "webp", "jp2"])
@pytest.mark.parametrize("quality", [100, 75, 30])
def test_the_grey_rim_of_a_lossy_file_does_not_count(tmp_path, ending, quality) -> None:
    path = tmp_path / f"m.{ending}"
    options = {"jpg": cv2.IMWRITE_JPEG_QUALITY, "webp": cv2.IMWRITE_WEBP_QUALITY}
    option = [options[ending], quality] if ending in options else []
    cv2.imwrite(str(path), disc(), option)
    mask, truth = png_mask(path), disc() > 0
    assert (mask & truth).sum() / (mask | truth).sum() > 0.98


def test_a_lossless_webp_keeps_its_values(tmp_path) -> None:
    path = tmp_path / "m.webp"
    cv2.imwrite(str(path), np.dstack([np.minimum(disc(), 3)] * 3), [cv2.IMWRITE_WEBP_QUALITY, 101])
    np.testing.assert_array_equal(png_mask(path, "030303"), disc() > 0)


def test_a_value_of_a_lossy_file_cannot_be_asked_for(tmp_path) -> None:
    path = tmp_path / "ids.png"  # the content counts, not the name
    path.write_bytes(cv2.imencode(".jpg", np.minimum(disc(), 3))[1].tobytes())
    with pytest.raises(DatasetError, match=r"ids\.png#3: the file has lost detail .* as PNG"):
        png_mask(path, "3")


def test_a_jpeg_of_small_values_says_why_it_marks_nothing(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "ids.jpg"), np.minimum(disc(), 3))
    with pytest.raises(DatasetError, match=r"ids\.jpg marks no pixel: .* brighter half counts"):
        png_mask(tmp_path / "ids.jpg")


def test_a_jpeg_is_turned_as_its_header_says(tmp_path) -> None:
    upright = np.zeros((16, 32), np.uint8)
    upright[:, :16] = 255
    jpeg = cv2.imencode(".jpg", upright)[1].tobytes()
    # One entry: orientation (0x0112), a short, 6: the first row is the right side.
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    marker = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    (tmp_path / "turned.jpg").write_bytes(jpeg[:2] + marker + jpeg[2:])
    np.testing.assert_array_equal(png_mask(tmp_path / "turned.jpg"), np.rot90(upright > 0, -1))


def test_values_of_16_bits_are_told_apart(tmp_path) -> None:
    image = np.zeros((4, 5), np.uint16)
    image[1, 2], image[3, 4] = 300, 44  # 300 - 256
    cv2.imwrite(str(tmp_path / "ids.png"), image)
    assert np.argwhere(png_mask(tmp_path / "ids.png", "300")).tolist() == [[1, 2]]


def test_an_alpha_channel_says_nothing(tmp_path) -> None:
    image = np.zeros((2, 3, 4), np.uint8)
    image[..., 3] = 255
    image[1, 2, 0] = 9
    cv2.imwrite(str(tmp_path / "a.png"), image)
    assert np.argwhere(png_mask(tmp_path / "a.png")).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("5", r"ids\.png#5 marks no pixel: it holds the grey values 0, 3; where the described"),
        ("800000", r"a mask with 1 channel\(s\) wants a grey value such as #3"),
        ("-3", "wants a grey value"),
        ("nan", "wants a grey value"),
        ("9" * 5000, "wants a grey value"),
    ],
)
def test_a_value_that_no_pixel_has_is_named_with_those_that_are_there(
    tmp_path, value, problem
) -> None:
    cv2.imwrite(str(tmp_path / "ids.png"), np.minimum(disc(), 3))
    with pytest.raises(DatasetError, match=problem):
        png_mask(tmp_path / "ids.png", value)


@pytest.mark.parametrize("black", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.uint8)])
def test_a_black_mask_does_not_say_that_nobody_is_there(tmp_path, black) -> None:
    cv2.imwrite(str(tmp_path / "m.png"), black)
    with pytest.raises(DatasetError, match=r"m\.png marks no pixel: it holds the (grey val|col)"):
        png_mask(tmp_path / "m.png")


def test_a_mask_in_the_alpha_channel_is_refused(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([0 * disc()] * 3 + [disc()]))
    with pytest.raises(DatasetError, match=r"a\.png marks no pixel: it holds the colours 000000"):
        png_mask(tmp_path / "a.png")


def test_numbers_with_a_point_are_no_mask(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "m.tiff"), np.full((4, 4), np.nan, np.float32))
    with pytest.raises(DatasetError, match="must have 8 or 16 bits a channel, not float32"):
        png_mask(tmp_path / "m.tiff")


def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_unpacked(tmp_path) -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )
    with pytest.raises(DatasetError, match=r"bomb\.png says its frames are 30000x30000"):
        png_mask(tmp_path / "bomb.png")


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"no picture at all", b"P5\n-1 4 255\n"])
def test_what_is_no_picture_is_named(tmp_path, content) -> None:
    (tmp_path / "m.png").write_bytes(content)
    with pytest.raises(DatasetError, match=r"cannot read the mask .*m\.png: missing, damaged"):
        png_mask(tmp_path / "m.png")


PICTURES = [
    cv2.imencode(ending, np.minimum(disc(), 3)[40:80, 60:100])[1].tobytes()
    for ending in (".png", ".jpg", ".webp", ".bmp", ".tiff", ".pgm")
]


@given(st.sampled_from(PICTURES).flatmap(changed_bytes), st.sampled_from(["", "3", "030303"]))
def test_a_picture_changed_anywhere_is_read_or_refused(tmp_path_factory, content, value) -> None:
    path = tmp_path_factory.getbasetemp() / "changed_mask"
    path.write_bytes(content)
    try:
        mask = png_mask(path, value)
    except DatasetError:
        return
    assert mask.ndim == 2 and mask.dtype == np.bool_ and mask.any()
