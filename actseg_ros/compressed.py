"""What the first bytes of a compressed picture say, and where it ends, before it is decompressed.

JPEG, PNG, TIFF (the three of image_transport) and WebP. A PNG of 388 kB can ask for gigabytes, and
decoders fill the missing part of a cut JPEG with grey; both are told here. A JPEG with changed
bytes inside decodes to a wrong picture: that is not seen.
"""

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
JPEG_END = b"\xff\xd9"
# The next marker, fill bytes before it included. FF 00 is a data byte, D0 to D7 restart the data.
JPEG_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
# Start-of-frame markers; C4, C8 and CC lie among them but are tables and extensions.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_WITHOUT_LENGTH = frozenset({0x01, 0xD8})
TIFF_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}
TIFF_WIDTH, TIFF_HEIGHT, TIFF_BITS, TIFF_FORMAT = 256, 257, 258, 339
TIFF_SHORT, TIFF_LONG, TIFF_UNSIGNED = 3, 4, 1
OTHER_KINDS = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"\x00\x00\x00\x0cjP", "JPEG 2000"),
    (b"\x00\x00\x00\x01", "an H.264 or H.265 stream"),
    (b"\x00\x00\x01", "an H.264 or H.265 stream"),
)


@dataclass(frozen=True)
class Sniffed:
    """What a compressed picture says of itself.

    Attributes:
        width: [px].
        height: [px].
        sample_bits: Of each channel: 16 in a 16-bit PNG or TIFF, else 8.
        length: Bytes up to the end; what comes behind is padding. 0: a JPEG without an end mark.
    """

    width: int
    height: int
    sample_bits: int
    length: int


def sniff(data: memoryview) -> Sniffed:
    """Size and length of a JPEG, PNG, TIFF or WebP file.

    Raises:
        ValueError: If it is none of them, has no size, or (PNG, WebP) is cut off or (PNG) the
            checksum of a chunk that the picture needs is wrong.
    """
    start = bytes(data[:8])
    if not start:
        raise ValueError("it has no bytes; send JPEG, PNG, TIFF or WebP")
    if start == PNG_SIGNATURE:
        return _sniff_png(data)
    if start.startswith(JPEG_SIGNATURE):
        return _sniff_jpeg(data)
    if start[:4] in TIFF_ORDERS:
        return _sniff_tiff(data, TIFF_ORDERS[start[:4]])
    if start[:4] == b"RIFF" and bytes(data[8:12]) == b"WEBP":
        return _sniff_webp(data)
    kind = next((name for mark, name in OTHER_KINDS if start.startswith(mark)), "")
    like = f" as those of {kind} do" if kind else ""
    raise ValueError(
        f"its {len(data)} bytes begin {start[:4].hex()}{like}; send JPEG, PNG, TIFF or WebP"
    )


def without_end_mark(data: bytes) -> bytes:
    """A JPEG that lacks its end mark, completed; some cameras leave it out.

    Args:
        data: Checked by `sniff`; zeros behind it are padding.

    Raises:
        ValueError: If the data end before the last row, as FFmpeg's decoder tells.
    """
    import av

    picture = data.rstrip(b"\x00")
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode"}
    try:
        whole = bool([*decoder.decode(av.Packet(picture)), *decoder.decode(None)])
    except (av.FFmpegError, ValueError):
        whole = False
    if not whole:
        raise ValueError(f"the JPEG is cut off after {len(picture)} bytes, it has no end mark")
    return picture + JPEG_END


def decompress(data: NDArray[np.uint8], sniffed: Sniffed, grey: bool = False) -> NDArray[Any]:
    """The picture of a file that `sniff` has checked.

    Args:
        data: (bytes,) uint8, padding left out.
        sniffed: What the file says of itself.
        grey: Whether one channel is wanted.

    Returns:
        (H, W), or (H, W, 3) blue first; uint8, or uint16 where the file has 16 bits.

    Raises:
        ValueError: If it is damaged.
    """
    import cv2

    # Not IMREAD_COLOR_RGB, which came with OpenCV 4.11.
    flags = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
    if sniffed.sample_bits == 16:
        flags |= cv2.IMREAD_ANYDEPTH
    try:
        picture = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(f"it is damaged: {error.err}") from error
    wanted = (sniffed.height, sniffed.width), np.dtype(f"u{sniffed.sample_bits // 8}")
    if picture is None or (picture.shape[:2], picture.dtype) != wanted:
        raise ValueError(
            f"it is damaged: its header says {sniffed.width}x{sniffed.height}, but it cannot be "
            "decoded to that"
        )
    return np.asarray(picture)


def _sniff_png(data: memoryview) -> Sniffed:
    size: tuple[int, int, int] | None = None
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        (checksum,) = struct.unpack_from(">I", data, end)
        is_needed = not kind[0] & 0x20  # the others, a lower case first letter, decoders skip
        if is_needed and zlib.crc32(data[position + 4 : end]) != checksum:
            raise ValueError(f"the checksum of its PNG chunk {kind.decode('latin-1')!r} is wrong")
        if kind == b"IHDR" and length == 13:
            size = struct.unpack_from(">IIB", data, position + 8)
        if kind == b"IEND" and size is not None:
            return Sniffed(size[0], size[1], 16 if size[2] == 16 else 8, end + 4)
        position = end + 4
    raise ValueError(f"the PNG is cut off after {len(data)} bytes")


def _sniff_jpeg(data: memoryview) -> Sniffed:
    """Walks over the segments as decoders do; bytes between them are skipped."""
    size: tuple[int, int] | None = None
    position = len(JPEG_SIGNATURE)
    while (found := JPEG_MARKER.search(data, position)) is not None:
        marker, position = data[found.end() - 1], found.end()
        if marker == JPEG_END[1]:
            if size is None:
                break
            return Sniffed(*size, 8, position)
        if marker in JPEG_WITHOUT_LENGTH:
            continue
        if marker in JPEG_FRAMES and size is None:
            size = _frame_size(data, position)
        if position + 2 > len(data):
            break
        position += max(2, struct.unpack_from(">H", data, position)[0])
    if size is None:
        raise ValueError("the JPEG has no frame header")
    return Sniffed(*size, 8, 0)


def _frame_size(data: memoryview, position: int) -> tuple[int, int]:
    if position + 7 > len(data):
        raise ValueError("the JPEG's frame header is cut off")
    height, width = struct.unpack_from(">HH", data, position + 3)
    return width, height


def _sniff_webp(data: memoryview) -> Sniffed:
    """The first of its chunks tells the size; layout: RFC 9649, bit stream: RFC 6386."""
    if len(data) < 30:
        raise ValueError(f"the WebP is cut off after {len(data)} bytes")
    length = 8 + int.from_bytes(data[4:8], "little")
    if length > len(data):
        raise ValueError(f"the WebP is cut off after {len(data)} of {length} bytes")
    kind = bytes(data[12:16])
    if kind == b"VP8X":
        sides = int.from_bytes(data[24:27], "little"), int.from_bytes(data[27:30], "little")
        return Sniffed(sides[0] + 1, sides[1] + 1, 8, length)
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return Sniffed((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 8, length)
    width, height = struct.unpack_from("<HH", data, 26)
    return Sniffed(width & 0x3FFF, height & 0x3FFF, 8, length)


def _sniff_tiff(data: memoryview, order: str) -> Sniffed:
    """The first directory of tags tells the size; layout: TIFF 6.0."""
    tags = {TIFF_BITS: 1, TIFF_FORMAT: TIFF_UNSIGNED}
    try:
        (place,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, place)
        for entry in range(place + 2, place + 2 + 12 * count, 12):
            tag, kind, items = struct.unpack_from(f"{order}HHI", data, entry)
            layout = {TIFF_SHORT: "H", TIFF_LONG: "I"}.get(kind)
            if layout is None:
                continue
            is_inside = items * struct.calcsize(layout) <= 4
            value_at = entry + 8
            if not is_inside:
                (value_at,) = struct.unpack_from(f"{order}I", data, entry + 8)
            (tags[tag],) = struct.unpack_from(order + layout, data, value_at)
    except struct.error:
        raise ValueError(f"the TIFF is cut off after {len(data)} bytes") from None
    if TIFF_WIDTH not in tags or TIFF_HEIGHT not in tags:
        raise ValueError("the TIFF says no size")
    if tags[TIFF_FORMAT] != TIFF_UNSIGNED or tags[TIFF_BITS] > 16:
        raise ValueError(
            f"it is a TIFF of {tags[TIFF_BITS]}-bit numbers that are no brightness, such as "
            "depth; connect the colour image instead"
        )
    bits = 16 if tags[TIFF_BITS] == 16 else 8
    return Sniffed(tags[TIFF_WIDTH], tags[TIFF_HEIGHT], bits, len(data))
