"""Masks as pictures, one per frame, for one actor or for several."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError, VideoError
from actseg_core.video.frames import check_pixels

LOSSLESS = (b"\x89PNG", b"BM", b"GIF8", b"II*\x00", b"MM\x00*", *(b"P%d" % n for n in range(1, 8)))
"""How files begin that keep every pixel: PNG, BMP, GIF, TIFF, PBM to PAM."""
HALF = 127
SHOWN_VALUES = 8


def png_mask(path: Path, value: str = "") -> NDArray[np.bool_]:
    """(H, W) bool of a picture: what is not black, or has the given grey value or RGB colour.

    In a file that loses detail (JPEG, mostly WebP) the surroundings of an edge are not quite
    black, so there the brighter half counts, and single values cannot be asked for.

    Args:
        path: Of the picture; a palette PNG counts as a colour picture, an alpha channel says
            nothing.
        value: "", a grey value such as "3", or a colour as six hexadecimal digits.

    Raises:
        DatasetError: If it is no picture, the value does not suit it, or no pixel is marked.
    """
    image, lossless = _read(path)
    if not value:
        mask = np.asarray((image > (0 if lossless else HALF)).any(axis=2))
    elif not lossless:
        raise DatasetError(
            f"{path}#{value}: the file has lost detail (JPEG or the like), so its values are not "
            "those that were painted; save the mask as PNG"
        )
    else:
        mask = np.asarray((image == _wanted(path, value, image.shape[2])[::-1]).all(axis=2))
    if not mask.any():
        raise DatasetError(
            f"{path}{value and '#' + value} marks no pixel: it holds {_values(image)}"
            + ("" if lossless else " (of a file that lost detail the brighter half counts)")
            + "; where the described actor is absent, name no mask"
        )
    return mask


def _read(path: Path) -> tuple[NDArray[Any], bool]:
    """(H, W, C) with 1 or 3 channels, BGR, and whether the file keeps every pixel."""
    try:
        content = np.fromfile(path, np.uint8)
        start = content[:16].tobytes()
        if start.startswith(b"\x89PNG") and len(content) > 24:  # before anything is unpacked
            check_pixels(path, *(int(side) for side in content[16:24].view(">u4")))
        lossless = start.startswith(LOSSLESS) or b"VP8L" in content[:64].tobytes()
        # A photograph's kind of file may be turned by its header, as the frames beside it are.
        how = cv2.IMREAD_UNCHANGED if lossless else cv2.IMREAD_COLOR
        image = cv2.imdecode(content, how) if content.size else None
    except VideoError as error:
        raise DatasetError(str(error)) from error
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise DatasetError(f"cannot read the mask {path}: missing, damaged or no image")
    if image.dtype not in (np.uint8, np.uint16):
        raise DatasetError(f"the mask {path} must have 8 or 16 bits a channel, not {image.dtype}")
    pixels = np.asarray(image).reshape(*image.shape[:2], -1)
    return pixels[..., :3], lossless


def _wanted(path: Path, value: str, channels: int) -> list[int]:
    wanted = [int(value)] if value.isdecimal() and len(value) < 6 else _hexadecimal(value)
    if len(wanted) != channels:
        raise DatasetError(
            f"{path}#{value[:40]}: a mask with {channels} channel(s) wants "
            + ("a grey value such as #3" if channels == 1 else "a colour such as #800000")
        )
    return wanted


def _hexadecimal(value: str) -> list[int]:
    try:
        return list(bytes.fromhex(value))
    except ValueError:
        return []


def _values(image: NDArray[Any]) -> str:
    """The values of a picture, for people."""
    pixels = image.reshape(-1, image.shape[2])
    pixels = np.unique(pixels[:: max(1, len(pixels) // 100_000)], axis=0)
    shown = [
        str(pixel[0]) if len(pixel) == 1 else bytes(pixel[::-1].astype(np.uint8)).hex()
        for pixel in pixels[:SHOWN_VALUES]
    ]
    kind = "the grey values" if image.shape[2] == 1 else "the colours"
    return f"{kind} {', '.join(shown)}" + (" and others" if len(pixels) > SHOWN_VALUES else "")
