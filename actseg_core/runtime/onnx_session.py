"""Sessions of ONNX Runtime on the CPU, for whatever makes graphs ready in it; without torch."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import BackendError

NAME = "onnxruntime"
BOUNDED_SPINNING = (1, 26)
"""The first version that can bound how long a thread without work spins."""
SPIN_US = "20"
"""[us] that a thread spins for its next piece of work: a frame has some 280, and to be woken takes
longer than most of them."""


def default_threads() -> int:
    """OMP_NUM_THREADS, as torch reads it, else the cores that this process may use."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))


def require_onnxruntime() -> None:
    """Raise BackendError if the package is not there."""
    if find_spec(NAME) is None:
        raise BackendError("runtime onnxruntime is not installed; pip install onnxruntime")


def session_options(threads: int) -> Any:
    """onnxruntime.SessionOptions for a graph beside other work.

    Args:
        threads: That the graph is split over.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    for name, value in spinning(onnxruntime.__version__).items():
        options.add_session_config_entry(name, value)
    options.log_severity_level = 3
    return options


def spinning(version: str) -> dict[str, str]:
    """How threads wait, as entries of a session: briefly awake within a run, never after it.

    Where that cannot be bounded they sleep at once: spinning threads take the cores from others.

    Args:
        version: Of ONNX Runtime, for example "1.32.0".
    """
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < BOUNDED_SPINNING:
        return {"session.intra_op.allow_spinning": "0"}
    return {
        "session.intra_op.allow_spinning": "1",
        "session.intra_op.spin_duration_us": SPIN_US,
        "session.force_spinning_stop": "1",
    }


def session_with_weights(
    name: str, graph: bytes, weights: Mapping[str, NDArray[Any]], threads: int
) -> Any:
    """An onnxruntime.InferenceSession on the CPU of a graph that is stored without its weights.

    Args:
        name: Of the graph, for the message.
        graph: ONNX, the weights marked as external data.
        weights: All of them, by their names in the graph.
        threads: That the graph is split over.

    Raises:
        BackendError: If ONNX Runtime refuses it.
    """
    import onnxruntime

    options = session_options(threads)
    values = [
        onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value))
        for value in weights.values()
    ]
    try:
        options.add_external_initializers(list(weights), values)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base
        raise BackendError(f"ONNX Runtime cannot load graph {name}: {error}") from error
