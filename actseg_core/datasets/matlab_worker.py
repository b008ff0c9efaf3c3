"""Reads MATLAB files for `matlab.py` in a process of its own, started as a script.

A request is a line of JSON {"path", "name", "values"}; the answer is a line of JSON {"shape",
"dtype"} followed by the bytes of the array in C order (none unless `values`), or {"error"}.
Imports nothing of ours, so that it starts fast and runs from anywhere.
"""

import json
import math
import struct
import sys
from typing import Any, BinaryIO

import numpy as np
import scipy.io

LARGEST_BYTES = 1_000_000_000
NUMBERS = (
    "double",
    "single",
    "logical",
    *(f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32)),
)


def limit_memory(extra_bytes: int) -> None:
    """Let the process grow by this much from here on, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + extra_bytes, used + extra_bytes))


def check_whole(path: str) -> None:
    """Refuse a version 5 file that is cut short; SciPy takes its last array for complete.

    Raises:
        ValueError: If an element ends behind the end of the file.
    """
    with open(path, "rb") as file:
        end = file.seek(0, 2)
        file.seek(126)
        order = {b"IM": "<", b"MI": ">"}.get(file.read(2))
        position = 128
        while order is not None and position < end:
            file.seek(position)
            tag = file.read(8)
            if len(tag) < 8:
                raise ValueError("it is cut short")
            position += 8 + struct.unpack(f"{order}II", tag)[1]
        if order is not None and position > end:
            raise ValueError("it is cut short")


def answer(request: dict[str, Any], out: BinaryIO) -> None:
    """Answer one request."""
    path, name = request["path"], request["name"]
    check_whole(path)
    found = {item[0]: item[1:] for item in scipy.io.whosmat(path)}
    if name not in found:
        reply(out, {"error": f"holds no {name!r}, only {', '.join(sorted(found)) or 'nothing'}"})
        return
    shape, kind = found[name]
    if kind not in NUMBERS:
        reply(out, {"error": f"{name!r} must be an array of numbers, it is of class {kind}"})
        return
    if min(shape, default=0) < 0 or 8 * math.prod(shape) > LARGEST_BYTES:
        reply(
            out, {"error": f"{name!r} claims the shape {shape}, which is impossible or too large"}
        )
        return
    if not request["values"]:
        reply(out, {"shape": shape, "dtype": "uint8"})
        return
    array = np.ascontiguousarray(scipy.io.loadmat(path, variable_names=[name])[name])
    reply(out, {"shape": array.shape, "dtype": array.dtype.str})
    out.write(array.data)
    out.flush()


def reply(out: BinaryIO, content: dict[str, Any]) -> None:
    """Send the line of JSON."""
    out.write(json.dumps(content).encode() + b"\n")
    out.flush()


def main() -> None:
    """Answer requests until standard input ends."""
    out = sys.stdout.buffer
    limit_memory(int(sys.argv[1]))
    for line in sys.stdin.buffer:
        try:
            answer(json.loads(line), out)
        except Exception as error:  # whatever SciPy makes of a damaged file
            text = str(error).splitlines()[0] if str(error) else ""
            reply(out, {"error": f"cannot be read ({type(error).__name__}: {text[:200]})"})


if __name__ == "__main__":
    main()
