"""Which runtime runs a network: the one that was asked for, or the fastest that passes a check."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from actseg_core.config import RuntimeConfig
from actseg_core.errors import BackendError
from actseg_core.networks.two_stream import Network
from actseg_core.runtime import onnx_runtime, openvino_runtime, torch_runtime
from actseg_core.runtime.executor import Executor
from actseg_core.runtime.graphs import Compiled, Graph, make_graphs
from actseg_core.runtime.onnx_export import OnnxCache, cache_folder

logger = logging.getLogger(__name__)

TOLERANCE = 1e-3  # of an output's largest value, or of 1 if that is smaller
HALF_TOLERANCE = 0.25  # 8 bits of mantissa through 60 layers
# 3-D convolutions are faster in OpenVINO (docs/runtimes.md); ONNX Runtime is always installed.
FASTEST_FRAMES = (onnx_runtime.NAME, openvino_runtime.NAME)
FASTEST_CLIPS = (openvino_runtime.NAME, onnx_runtime.NAME)

Made = TypeVar("Made")


class Runtime(Protocol):
    """What every runtime offers."""

    name: str

    def compile(self, graph: Graph, model: bytes) -> Compiled:
        """Make a graph, whose ONNX form is `model`, ready."""


def make_executor(
    network: Network, settings: RuntimeConfig, cache: Path | None = None
) -> Executor:
    """The network behind the runtime of the settings, on the device on which it lies.

    `auto` takes PyTorch if no other runtime can be used, and warns why.

    Args:
        network: In evaluation mode; it is neither changed nor copied unless for folding.
        settings: Which runtime, threads and precision.
        cache: Folder for converted graphs; None: the user's cache folder.

    Raises:
        BackendError: If the named runtime is missing, does not run on the device, or answers
            otherwise than PyTorch.
    """
    device = next(network.parameters()).device
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if settings.runtime == "auto":
        return _fastest(network, settings, device, cache)
    if settings.runtime == "torch":
        return _torch(network, settings, device)
    return _compiled(settings.runtime, network, settings, device, cache)


def _fastest(
    network: Network, settings: RuntimeConfig, device: torch.device, cache: Path | None
) -> Executor:
    if device.type != "cpu":
        return _torch(network, settings, device)
    found = first_usable(
        FASTEST_CLIPS, settings, lambda name: _compiled(name, network, settings, device, cache)
    )
    return found or _torch(network, settings.model_copy(update={"half": False}), device)


def first_usable(
    names: Sequence[str], settings: RuntimeConfig, make: Callable[[str], Made]
) -> Made | None:
    """What the first runtime makes that can be used here; None, with a warning, if none can."""
    reasons = []
    for name in names:
        if settings.half and name == onnx_runtime.NAME:
            continue
        try:
            return make(name)
        except BackendError as error:
            reasons.append(str(error))
    logger.warning("PyTorch runs the network, which is slower here: %s", "; ".join(reasons))
    return None


def _torch(network: Network, settings: RuntimeConfig, device: torch.device) -> Executor:
    if settings.half and device.type != "cuda":
        raise BackendError(
            f"half precision in PyTorch needs a cuda device, not {device}; take runtime: openvino"
        )
    network = torch_runtime.folded(network)
    return Executor(network.half() if settings.half else network)


def _compiled(
    name: str,
    network: Network,
    settings: RuntimeConfig,
    device: torch.device,
    cache: Path | None,
) -> Executor:
    started = time.monotonic()
    threads = settings.threads or torch.get_num_threads()
    runtime = make_runtime(name, settings, device, threads)
    network = torch_runtime.folded(network)
    files = OnnxCache(network, cache or cache_folder())
    tolerance = HALF_TOLERANCE if settings.half else TOLERANCE
    compiled = {
        graph.name: ready(runtime, graph, files, tolerance) for graph in make_graphs(network)
    }
    logger.info("%s runs the network, ready in %.1f s", name, time.monotonic() - started)
    return Executor(network, compiled, name)


def make_runtime(
    name: str, settings: RuntimeConfig, device: torch.device, threads: int
) -> Runtime:
    """What makes graphs ready.

    Raises:
        BackendError: If it is not installed, or cannot do what the settings want.
    """
    if name == openvino_runtime.NAME:
        return openvino_runtime.OpenVino(device, threads, settings.half)
    if name == torch_runtime.NAME:
        return torch_runtime.TorchCompile()
    tensorrt = name == "tensorrt"
    if settings.half and not tensorrt:
        raise BackendError(
            "half precision in ONNX Runtime is TensorRT's: take runtime: tensorrt, on a CPU "
            "runtime: openvino"
        )
    return onnx_runtime.OnnxRuntime(device, threads, tensorrt, settings.half)


def ready(runtime: Runtime, graph: Graph, files: OnnxCache, tolerance: float) -> Compiled:
    """A graph made ready and compared; what came from a file is converted once more on failure."""
    if runtime.name == torch_runtime.NAME:
        compiled = runtime.compile(graph, b"")
        check(runtime.name, graph, compiled, tolerance)
        return compiled
    model = files.get(graph)
    try:
        compiled = runtime.compile(graph, model)
        check(runtime.name, graph, compiled, tolerance)
    except BackendError:
        if not files.used:
            raise
        compiled = runtime.compile(graph, files.renew(graph))
        check(runtime.name, graph, compiled, tolerance)
    return compiled


def check(name: str, graph: Graph, compiled: Compiled, tolerance: float) -> dict[str, float]:
    """Compare a graph's answers to the examples with PyTorch's.

    Returns:
        The largest difference of every output, as a share of its largest value or of 1.

    Raises:
        BackendError: If an output is missing, of another shape, or differs by more.
    """
    try:
        with torch.inference_mode():  # as the executor does
            outputs = compiled(graph.example())
    except Exception as error:  # of the runtime, of many kinds
        raise BackendError(f"{name} cannot run graph {graph.name}: {error}") from error
    found = differences(list(graph.outputs.values()), outputs)
    named = dict(zip(graph.outputs, found, strict=False))
    worst = max(found, default=math.inf)
    if len(found) != len(graph.outputs) or not worst <= tolerance:
        raise BackendError(
            f"{name} answers otherwise than PyTorch in graph {graph.name}: differences of "
            f"{named}, allowed are {tolerance:g} of the largest value; take runtime: torch"
        )
    return named


def differences(wanted: Sequence[Tensor], got: Sequence[Tensor]) -> list[float]:
    """Largest difference per tensor as a share of the wanted one's largest value, or of 1."""
    return [_difference(theirs, ours) for theirs, ours in zip(wanted, got, strict=False)]


def _difference(wanted: Tensor, got: Tensor) -> float:
    if wanted.shape != got.shape:
        return math.inf
    scale = max(1.0, float(wanted.abs().max()))
    return float((got.float() - wanted.float()).abs().max()) / scale
