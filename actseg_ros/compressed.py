"""What the first bytes of a JPEG or PNG say, and where it ends, before anything is decompressed.

A PNG of 388 kB can ask for gigabytes, and decoders fill the missing part of a cut JPEG with grey;
both are told here. A JPEG with changed bytes inside decodes to a wrong picture: that is not seen.
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
OTHER_KINDS = (
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"RIFF", "WebP"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"\x00\x00\x00\x0cjP", "JPEG 2000"),
    (b"\x00\x00\x00\x01", "an H.264 or H.265 stream"),
)


@dataclass(frozen=True)
class Sniffed:
    """What a compressed picture says of itself.

    Attributes:
        width: [px].
        height: [px].
        sample_bits: Of each channel: 16 in a 16-bit PNG, else 8.
        length: Bytes up to the end mark; what comes behind is padding. 0: there is no end mark,
            which only a JPEG may lack.
    """

    width: int
    height: int
    sample_bits: int
    length: int


def sniff(data: memoryview) -> Sniffed:
    """Size and length of a JPEG or PNG file.

    Raises:
        ValueError: If it is neither, has no size, or (PNG) is cut off or the checksum of a chunk
            that the picture needs is wrong.
    """
    start = bytes(data[:8])
    if start == PNG_SIGNATURE:
        return _sniff_png(data)
    if start.startswith(JPEG_SIGNATURE):
        return _sniff_jpeg(data)
    kind = next((name for mark, name in OTHER_KINDS if start.startswith(mark)), "")
    like = f" as those of {kind} do" if kind else ""
    raise ValueError(
        f"it is neither JPEG nor PNG, its {len(data)} bytes begin {start[:4].hex()}{like}"
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
