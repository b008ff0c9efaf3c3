"""Sizes and ends read off files written out by hand, and off those of OpenCV."""

import struct

import cv2
import numpy as np
import pytest

from actseg_ros.compressed import Sniffed, sniff, without_end_mark

START = b"\xff\xd8"
SOF = bytes.fromhex("ffc0 0011 08 0102 0304 03 01 22 00 02 11 01 03 11 01".replace(" ", ""))
APP = bytes.fromhex("ffe00004abcd")
END = b"\xff\xd9"
NOISE = cv2.resize(np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8), (64, 48))
JPEGS = {
    "baseline": cv2.imencode(".jpg", NOISE)[1].tobytes(),
    "progressive": cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes(),
    "restarts": cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_RST_INTERVAL, 2])[1].tobytes(),
}


def size(content: bytes) -> tuple[int, int]:
    sniffed = sniff(memoryview(content))
    return sniffed.width, sniffed.height


def length(content: bytes) -> int:
    return sniff(memoryview(content)).length


def test_a_jpegs_size_is_behind_its_other_segments() -> None:
    assert size(START + APP + b"\xff\xff" + SOF[1:] + END) == (0x0304, 0x0102)


def test_progressive_jpegs_too_but_not_huffman_tables() -> None:
    table = b"\xff\xc4" + SOF[2:]
    assert size(START + table + b"\xff\xc2" + SOF[2:] + END) == (0x0304, 0x0102)


def test_bytes_between_a_jpegs_segments_are_skipped_as_decoders_do() -> None:
    assert size(START + b"abc" + APP + b"\x00\x00" + SOF + END) == (0x0304, 0x0102)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (START + APP + END, "no frame header"),
        (START + bytes(4) + END, "no frame header"),
        (START + SOF[:6], "frame header is cut off"),
        (b"", "it has no bytes; send JPEG, PNG, TIFF or WebP$"),
        (b"abcd", "its 4 bytes begin 61626364; send JPEG, PNG, TIFF or WebP$"),
        (b"\0\0\1\x67", "begin 00000167 as those of an H.264 or H.265 stream do; send JPEG"),
        (b"RIFF\0\0\0\0WAVE", "its 12 bytes begin 52494646; send JPEG, PNG, TIFF or WebP$"),
        (b"RIFF\0\0\0\0WEBP", "the WebP is cut off after 12 bytes"),
        (b"II*\0\x08\0\0\0", "the TIFF is cut off after 8 bytes"),
        (b"II*\0\x08\0\0\0\0\0", "the TIFF says no size"),
    ],
)
def test_wrong_files_are_named(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        sniff(memoryview(content))


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("zeros", [1, 4094, 4095, 100_000])
def test_zeros_behind_the_end_mark_are_a_transfers_padding(kind: str, zeros: int) -> None:
    content = JPEGS[kind]
    assert length(content + bytes(zeros)) == len(content)


@pytest.mark.parametrize("behind", [b"\xff" * 5000, b"GPS 52.1 5.1", JPEGS["baseline"]])
def test_anything_else_behind_the_end_mark_is_not_of_the_picture(behind: bytes) -> None:
    content = JPEGS["baseline"]
    assert length(content + behind) == len(content)


def test_the_end_mark_of_a_thumbnail_is_not_that_of_the_picture() -> None:
    thumbnail, content = JPEGS["progressive"], JPEGS["baseline"]
    exif = b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    content = START + exif + content[2:]
    assert sniff(memoryview(content)) == Sniffed(64, 48, 8, len(content))
    assert length(content[: len(content) * 3 // 4]) == 0


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("zeros", [0, 5000])
def test_a_whole_jpeg_without_an_end_mark_gets_one(kind: str, zeros: int) -> None:
    content = JPEGS[kind][:-2]
    assert length(content + bytes(zeros)) == 0
    assert without_end_mark(content + bytes(zeros)) == JPEGS[kind]


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("zeros", [0, 5000])
def test_a_jpeg_whose_data_end_early_is_cut_off(kind: str, zeros: int) -> None:
    content = JPEGS[kind][: len(JPEGS[kind]) * 3 // 4]
    with pytest.raises(ValueError, match="the JPEG is cut off after .* bytes, it has no end mark"):
        without_end_mark(content + bytes(zeros))


def test_a_png_ends_with_its_last_chunk_and_tells_its_bits() -> None:
    deep = cv2.imencode(".png", np.zeros((3, 5), np.uint16))[1].tobytes()
    assert sniff(memoryview(deep + bytes(99))) == Sniffed(5, 3, 16, len(deep))
    flat = cv2.imencode(".png", np.zeros((3, 5), np.uint8))[1].tobytes()
    assert sniff(memoryview(flat)) == Sniffed(5, 3, 8, len(flat))


def test_a_wrong_checksum_of_a_chunk_that_decoders_skip_does_no_harm() -> None:
    content = cv2.imencode(".png", NOISE)[1].tobytes()
    comment = struct.pack(">I", 4) + b"tEXtab\x00c" + b"none"
    assert size(content[:33] + comment + content[33:]) == (64, 48)


def chunks(kind: bytes, content: bytes) -> bytes:
    whole = b"WEBP" + kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


@pytest.mark.parametrize(
    "content",
    [
        # key frame, start code, 14 bits each
        chunks(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 0x4000 | 300, 200)),
        # 14 bits each, less 1
        chunks(b"VP8L", b"\x2f" + struct.pack("<I", 299 | 199 << 14) + bytes(9)),
        # flags, then 24 bits each, less 1
        chunks(b"VP8X", bytes(4) + b"\x2b\x01\0" + b"\xc7\0\0"),
    ],
)
def test_each_kind_of_webp_says_its_size_at_its_place(content: bytes) -> None:
    assert sniff(memoryview(content + b"padding")) == Sniffed(300, 200, 8, len(content))


def directory(order: str, *entries: tuple[int, int, int, int]) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    rows = [
        struct.pack(f"{order}HHIH2x" if kind == 3 else f"{order}HHII", tag, kind, count, value)
        for tag, kind, count, value in entries
    ]
    return mark + struct.pack(f"{order}IH", 8, len(rows)) + b"".join(rows)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiffs_size_and_depth_are_in_its_directory(order: str, bits: int) -> None:
    content = directory(order, (256, 3, 1, 300), (257, 4, 1, 200), (258, 3, 1, bits))
    assert sniff(memoryview(content)) == Sniffed(300, 200, bits, len(content))


def test_a_tiff_of_floating_point_numbers_is_no_picture() -> None:
    content = directory("<", (256, 3, 1, 3), (257, 3, 1, 2), (258, 3, 1, 32), (339, 3, 1, 3))
    with pytest.raises(ValueError, match="TIFF of 32-bit numbers that are no brightness, such as"):
        sniff(memoryview(content))
