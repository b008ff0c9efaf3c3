"""Arrays out of HDF5 files (.h5 and MATLAB 7.3 .mat) that need not be trusted.

HDF5 can point outside the file: external storage, external links and virtual datasets make the
reader open any file that the process may read. All three are refused before any data is read.
"""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError

MAX_BYTES = 1_000_000_000
DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, MemoryError)
"""Whatever h5py makes of damage."""


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The named arrays at the root of a file, as they lie there (MATLAB's are transposed).

    Args:
        path: Of the file.
        names: Which arrays; all must be there.

    Raises:
        DatasetError: If the file is missing, empty, half-written or no HDF5; if an array is
            missing, not numeric, not stored in this very file, or larger than `MAX_BYTES`.
    """
    if not path.is_file():
        raise DatasetError(f"there is no annotation file {path}; is the download complete?")
    try:
        with h5py.File(path, "r") as file:
            return {name: _read(path, file, name) for name in names}
    except DAMAGE as error:
        size = path.stat().st_size
        raise DatasetError(
            f"cannot read {path} ({size} bytes): half-written, damaged or no HDF5 file "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__}); "
            "download or convert it again"
        ) from error


def _read(path: Path, file: h5py.File, name: str) -> NDArray[np.generic]:
    link = file.get(name, getlink=True)
    if link is None:
        raise DatasetError(
            f"{path} holds no {name!r}, only {', '.join(sorted(map(str, file))) or 'nothing'}"
        )
    if not isinstance(link, h5py.HardLink):
        raise DatasetError(
            f"{name!r} of {path} is a link to elsewhere; only plain arrays are read"
        )
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
        raise DatasetError(f"{name!r} of {path} must be an array of numbers; convert it again")
    if item.external or item.is_virtual:
        raise DatasetError(
            f"{name!r} of {path} keeps its data in other files; only arrays inside are read"
        )
    if item.size is None or item.size * item.dtype.itemsize > MAX_BYTES:
        raise DatasetError(
            f"{name!r} of {path} claims the shape {item.shape} of {item.dtype}; "
            f"wanted at most {MAX_BYTES} bytes"
        )
    if item.chunks is not None:
        _check_chunks(path, item)
    return np.asarray(item[()])


def _check_chunks(path: Path, item: h5py.Dataset) -> None:
    """Refuse a damaged index of chunks: HDF5 believes it and reads beyond its memory.

    Raises:
        DatasetError: If a chunk is empty, doubled, or outside the file or the array.
    """
    length, seen = path.stat().st_size, set()

    def check(chunk: h5py.h5d.StoreInfo) -> None:
        place = chunk.chunk_offset
        is_one = all(
            first < side and not first % step
            for first, side, step in zip(place, item.shape, item.chunks, strict=True)
        )
        end = (chunk.byte_offset or length) + chunk.size
        if not is_one or place in seen or chunk.size == 0 or end > length:
            raise DatasetError(
                f"the index of {item.name!r} of {path} is damaged at {place}; "
                "download or convert it again"
            )
        seen.add(place)

    item.id.chunk_iter(check)
