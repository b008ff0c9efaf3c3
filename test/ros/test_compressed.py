"""Sizes read off the first bytes, on files written out by hand."""

import pytest

from actseg_ros.compressed import sniff_size

SOF = bytes.fromhex("ffc0 0011 08 0102 0304 03 01 22 00 02 11 01 03 11 01".replace(" ", ""))
APP = bytes.fromhex("ffe00004abcd")
END = b"\xff\xd9"


def size(content: bytes) -> tuple[int, int]:
    return sniff_size(memoryview(content))


def test_a_jpegs_size_is_behind_its_other_segments() -> None:
    assert size(b"\xff\xd8" + APP + b"\xff\xff" + SOF[1:] + END) == (0x0304, 0x0102)


def test_progressive_jpegs_too_but_not_huffman_tables() -> None:
    table = b"\xff\xc4" + SOF[2:]
    assert size(b"\xff\xd8" + table + b"\xff\xc2" + SOF[2:] + END) == (0x0304, 0x0102)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8" + SOF, "no end mark"),
        (b"\xff\xd8" + APP + END, "no frame header"),
        (b"\xff\xd8" + b"\x00\x00\x00\x00" + END, "no marker at byte 2"),
        (b"\xff\xd8" + SOF[:6] + END, "frame header is cut off"),
        (b"RIFF", "neither JPEG nor PNG, its 4 bytes begin 52494646"),
    ],
)
def test_wrong_files_are_named(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        size(content)


def test_zeros_behind_the_end_mark_are_a_transfers_padding() -> None:
    assert size(b"\xff\xd8" + SOF + END + bytes(1000)) == (0x0304, 0x0102)
