"""Width and height of a JPEG or PNG from its first bytes, before anything is decompressed.

A PNG of 388 kB can ask for gigabytes, and OpenCV fills the missing part of a cut JPEG with grey;
both are told here. A JPEG with changed bytes inside decodes to a wrong picture: that is not seen.
"""

import struct
import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
JPEG_END = b"\xff\xd9"
JPEG_END_SEARCH_BYTES = 4096
# Start-of-frame markers; C4, C8 and CC lie among them but are tables and extensions.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def sniff_size(data: memoryview) -> tuple[int, int]:
    """Width and height [px] of a complete JPEG or PNG file.

    Raises:
        ValueError: If it is neither, is cut off, or (PNG) a checksum is wrong.
    """
    start = bytes(data[:8])
    if start == PNG_SIGNATURE:
        return _png_size(data)
    if start.startswith(JPEG_SIGNATURE):
        return _jpeg_size(data)
    raise ValueError(f"it is neither JPEG nor PNG, its {len(data)} bytes begin {start[:4].hex()}")


def _png_size(data: memoryview) -> tuple[int, int]:
    size: tuple[int, int] | None = None
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(data[position + 4 : end]) != checksum:
            raise ValueError(f"the checksum of its PNG chunk {kind.decode('latin-1')!r} is wrong")
        if kind == b"IHDR" and length == 13:
            size = struct.unpack_from(">II", data, position + 8)
        if kind == b"IEND" and size is not None:
            return size
        position = end + 4
    raise ValueError(f"the PNG is cut off after {len(data)} bytes")


def _jpeg_size(data: memoryview) -> tuple[int, int]:
    # Cameras pad JPEGs with zeros to a whole transfer, so the end mark need not be last.
    if JPEG_END not in bytes(data[-JPEG_END_SEARCH_BYTES:]):
        raise ValueError(f"the JPEG is cut off after {len(data)} bytes, it has no end mark")
    position = len(JPEG_SIGNATURE)
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise ValueError(f"the JPEG has no marker at byte {position}")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in JPEG_WITHOUT_LENGTH:
            position += 2
        elif marker in JPEG_FRAMES:
            return _frame_size(data, position)
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    raise ValueError("the JPEG has no frame header")


def _frame_size(data: memoryview, position: int) -> tuple[int, int]:
    if position + 9 > len(data):
        raise ValueError("the JPEG's frame header is cut off")
    height, width = struct.unpack_from(">HH", data, position + 5)
    return width, height
