"""Graphs in OpenVINO on the CPU."""

import threading
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from actseg_core.errors import BackendError
from actseg_core.runtime.graphs import Compiled, Graph

NAME = "openvino"
_LOCK = threading.Lock()


@cache
def _core() -> Any:
    """Return the one core of this process, which nobody closes.

    A core's CPU plugin gives the thread that loads it a signal stack and unmaps it when the core
    goes (SigAltStackSetup in OpenVINO's intel_cpu plugin, seen in 2026.4). If another core is
    younger, or another thread drops it, the thread keeps the unmapped stack, and the next signal
    that Python handles ends the process with SIGSEGV.
    """
    import openvino

    return openvino.Core()


class OpenVino:
    """Makes graphs ready in OpenVINO.

    Args:
        device: Must be a CPU.
        threads: Of each graph.
        half: Compute in bfloat16 or float16, whichever this processor has.

    Raises:
        BackendError: If the package is missing, the device is no CPU, or `half` is wanted of a
            processor that has neither type.
    """

    name = NAME

    def __init__(self, device: torch.device, threads: int, half: bool = False) -> None:
        if find_spec(NAME) is None:
            raise BackendError("runtime openvino is not installed; pip install openvino")
        if device.type != "cpu":
            raise BackendError(
                f"runtime openvino runs on cpu here, not on {device}; take runtime: torch"
            )
        with _LOCK:
            self._core = _core()
        self._properties = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self._precision(half),
        }

    def _precision(self, half: bool) -> str:
        if not half:
            return "f32"
        there = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        for name in ("FP16", "BF16"):
            if name in there:
                return {"FP16": "f16", "BF16": "bf16"}[name]
        raise BackendError(
            f"half precision: this processor has neither bfloat16 nor float16 ({there}); "
            "set half: false"
        )

    def compile(self, graph: Graph, model: bytes) -> Compiled:
        """Make a graph ready.

        Raises:
            BackendError: If OpenVINO refuses it.
        """
        try:
            compiled = self._core.compile_model(
                self._core.read_model(model), "CPU", self._properties
            )
        except RuntimeError as error:
            raise BackendError(f"OpenVINO cannot load graph {graph.name}: {error}") from error
        return _Request(compiled)


class _Request:
    """One request, asked by one thread at a time."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    def __call__(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        arrays = [item.contiguous().numpy() for item in inputs]
        with self._lock:
            # Inputs are read where they lie; outputs are copied, for the request writes over them.
            answer = self._request.infer(arrays, share_inputs=True, share_outputs=False)
            return [torch.from_numpy(np.asarray(item)) for item in answer.to_tuple()]
