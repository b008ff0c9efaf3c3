"""Small file helpers that the layouts share: nothing is ever half-written in its place."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError

FLOW_SCALE, FLOW_ZERO = 64.0, 32768.0


@contextmanager
def replacing_folder(place: Path) -> Iterator[Path]:
    """A folder to write into that takes its place when the block ends without an exception."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        shutil.rmtree(place, ignore_errors=True)
        part.replace(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_text(place: Path, text: str) -> None:
    """Write a text file beside its place, then rename it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    part.write_text(text)
    part.replace(place)


def write_png(place: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write a PNG; colour images are given as RGB.

    Raises:
        DatasetError: If the disk does not take it.
    """
    bgr = image[..., ::-1] if image.ndim == 3 else image
    if not cv2.imwrite(str(place), np.ascontiguousarray(bgr), [cv2.IMWRITE_PNG_COMPRESSION, 3]):
        raise DatasetError(f"cannot write {place}; is the disk full or read-only?")


def write_flow(place: Path, flow: NDArray[np.float32]) -> None:
    """Write a flow field as KITTI does: 16-bit PNG of 64 u + 2^15, 64 v + 2^15, valid.

    Args:
        place: Of the .png file.
        flow: (H, W, 2) float32 [px]; beyond +-512 px a pixel is marked invalid.
    """
    coded = np.rint(flow.astype(np.float64) * FLOW_SCALE + FLOW_ZERO)
    valid = ((coded >= 0) & (coded <= 65535)).all(axis=2)
    clipped = np.clip(coded, 0, 65535).astype(np.uint16)
    write_png(place, np.dstack([clipped, valid.astype(np.uint16)]))


def read_flow(place: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read what `write_flow` or KITTI wrote: (H, W, 2) float32 [px] and (H, W) bool validity.

    Raises:
        DatasetError: If there is no such picture.
    """
    image = cv2.imread(str(place), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16 or image.ndim != 3:
        raise DatasetError(f"{place} is no 16-bit flow PNG; was it written by actseg or KITTI?")
    flow = (image[..., :0:-1].astype(np.float32) - FLOW_ZERO) / FLOW_SCALE
    return flow.astype(np.float32), np.asarray(image[..., 0] > 0)
