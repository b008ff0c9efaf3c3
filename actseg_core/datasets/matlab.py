"""Arrays out of MATLAB files, read in a process with a time limit and a memory limit.

SciPy's reader was not made for hostile files: a small file can claim gigabytes. The process is
started with the first file, serves many, and is killed and started anew when it does not answer.
"""

import json
import math
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.datasets.hdf5 import MAX_BYTES, read_arrays
from actseg_core.errors import DatasetError

WORKER = Path(__file__).with_name("matlab_worker.py")
TIMEOUT_S = 60.0
MEMORY_BYTES = 2 * MAX_BYTES
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


class MatlabReader:
    """Reads arrays; the process behind it ends with `close`, or with this one.

    Args:
        timeout_s: Longest time for one answer [s].
        memory_bytes: What the process may use beyond its start.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = os.getpid()

    def shape(self, path: Path, name: str) -> tuple[int, ...]:
        """Shape of an array in MATLAB's order, without reading it.

        Raises:
            DatasetError: As `read`.
        """
        if _is_hdf5(path):
            return self.read(path, name).shape
        header, _ = self._ask(path, name, values=False)
        return tuple(header["shape"])

    def read(self, path: Path, name: str) -> NDArray[np.generic]:
        """An array in MATLAB's order of axes.

        Raises:
            DatasetError: If the file is missing, damaged, larger than the limits or without it,
                or its numbers are not finite.
        """
        if _is_hdf5(path):  # version 7.3 is HDF5, axes reversed
            array = read_arrays(path, [name])[name].T
        else:
            header, content = self._ask(path, name, values=True)
            array = np.frombuffer(content, np.dtype(header["dtype"])).reshape(header["shape"])
        kind = array.dtype.kind
        if kind not in "biuf" or (kind == "f" and not np.isfinite(array).all()):
            raise DatasetError(
                f"{name!r} of {path} must hold finite real numbers; export it again"
            )
        return array

    def close(self) -> None:
        """End the process; reading again starts one."""
        process, self._process = self._process, None
        if process is None or self._pid != os.getpid():  # a forked copy is not its parent
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def __del__(self) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_process": None}

    def _ask(self, path: Path, name: str, *, values: bool) -> tuple[dict[str, Any], bytes]:
        if not path.is_file():
            raise DatasetError(f"there is no annotation file {path}; is the download complete?")
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        alarm = threading.Timer(self._timeout_s, process.kill)
        alarm.start()
        try:
            request = {"path": str(path.resolve()), "name": name, "values": values}
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            header = json.loads(process.stdout.readline() or b"{}")
            content = process.stdout.read(_size(header)) if values else b""
        except (OSError, ValueError):
            header, content = {}, b""
        finally:
            alarm.cancel()
        if "error" in header:
            raise DatasetError(f"{path} {header['error']}; download or convert it again")
        if "shape" not in header or len(content) != (_size(header) if values else 0):
            self.close()
            raise DatasetError(
                f"{path} could not be read within {self._timeout_s:g} s and "
                f"{self._memory_bytes} bytes of memory; download or convert it again"
            )
        return header, content

    def _running(self) -> subprocess.Popen[bytes]:
        if self._pid != os.getpid():
            self._process, self._pid = None, os.getpid()
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(WORKER), str(self._memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        return self._process


def _size(header: dict[str, Any]) -> int:
    """Bytes that follow a header."""
    if "shape" not in header:
        return 0
    shape: list[int] = header["shape"]
    element: int = np.dtype(header["dtype"]).itemsize
    return math.prod(shape) * element


def _is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, at its start or behind MATLAB's 512-byte header."""
    try:
        with path.open("rb") as file:
            start = file.read(520)
    except OSError:
        return False
    return _HDF5_MAGIC in (start[:8], start[512:])
