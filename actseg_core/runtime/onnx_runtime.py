"""Graphs in ONNX Runtime: on CPUs, and through its CUDA and TensorRT providers on GPUs."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from actseg_core.errors import BackendError
from actseg_core.runtime import onnx_session
from actseg_core.runtime.graphs import Compiled, Graph

NAME = onnx_session.NAME
Provider = tuple[str, dict[str, Any]]


def providers(device: torch.device, tensorrt: bool, half: bool) -> list[Provider]:
    """Execution providers for a device, in the order in which they are asked.

    Raises:
        BackendError: If the device is of a kind that ONNX Runtime is not used on here, or the
            installed build lacks a provider for it.
    """
    if device.type == "cpu" and not tensorrt:
        return [("CPUExecutionProvider", {})]
    if device.type != "cuda":
        wanted = "tensorrt" if tensorrt else NAME
        raise BackendError(
            f"runtime {wanted} does not run on device {device}; "
            f"set device: {'cuda' if tensorrt else 'cpu or cuda'}, or take runtime: torch"
        )
    number = {"device_id": device.index or 0}
    chosen: list[Provider] = [("CUDAExecutionProvider", number)]
    if tensorrt:
        options = {**number, "trt_fp16_enable": half}
        chosen.insert(0, ("TensorrtExecutionProvider", options))
    import onnxruntime

    there = onnxruntime.get_available_providers()
    for provider, _ in chosen:
        if provider not in there:
            raise BackendError(
                f"device {device} needs ONNX Runtime's {provider}, this build has "
                f"{', '.join(there)}; install onnxruntime-gpu, or take runtime: torch"
            )
    return [*chosen, ("CPUExecutionProvider", {})]


class OnnxRuntime:
    """Makes graphs ready in ONNX Runtime.

    Args:
        device: Where they run.
        threads: Of each graph on a CPU.
        tensorrt: Ask TensorRT before CUDA.
        half: Let TensorRT compute in float16; for CUDA the graphs themselves are converted.

    Raises:
        BackendError: If the package or a provider for the device is missing.
    """

    name = NAME

    def __init__(
        self, device: torch.device, threads: int, tensorrt: bool = False, half: bool = False
    ) -> None:
        onnx_session.require_onnxruntime()
        self.device = device
        self._threads = threads
        self._providers = providers(device, tensorrt, half)

    def compile(self, graph: Graph, model: bytes) -> Compiled:
        """Make a graph ready.

        Raises:
            BackendError: If ONNX Runtime refuses it.
        """
        import onnxruntime

        options = onnx_session.session_options(self._threads)
        try:
            session = onnxruntime.InferenceSession(model, options, providers=self._providers)
        except Exception as error:  # its exceptions share no base
            raise BackendError(f"ONNX Runtime cannot load graph {graph.name}: {error}") from error
        if self.device.type == "cpu":
            return _OnCpu(session)
        return OnDevice(session, graph, self.device)


class _OnCpu:
    def __init__(self, session: Any) -> None:
        self._session = session
        self._names = [item.name for item in session.get_inputs()]

    def __call__(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        arrays = {
            name: item.contiguous().numpy() for name, item in zip(self._names, inputs, strict=True)
        }
        return [torch.from_numpy(array) for array in self._session.run(None, arrays)]


class OnDevice:
    """A session whose inputs and outputs stay in the device's memory, shared with PyTorch.

    Args:
        session: An onnxruntime.InferenceSession.
        graph: Gives the outputs' shapes.
        device: Where tensors lie.
    """

    def __init__(self, session: Any, graph: Graph, device: torch.device) -> None:
        self._session = session
        self._graph = graph
        self._device = device

    def __call__(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        import numpy as np

        binding = self._session.io_binding()
        place = (self._device.type, self._device.index or 0, np.float32)
        count = 1
        held = [item.contiguous() for item in inputs]
        for name, item in zip(self._graph.inputs, held, strict=True):
            binding.bind_input(name, *place, tuple(item.shape), item.data_ptr())
            if name in self._graph.per_sentence:
                count = item.shape[0]
        outputs = []
        for name, example in self._graph.outputs.items():
            per_sentence = name in self._graph.per_sentence
            shape = (count, *example.shape[1:]) if per_sentence else tuple(example.shape)
            assert math.prod(shape) > 0
            outputs.append(torch.empty(shape, device=self._device))
            binding.bind_output(name, *place, shape, outputs[-1].data_ptr())
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()  # inputs are ready
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return outputs
