"""A folder with a model as ONNX: graphs, settings, what is what, and examples to check it by."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from actseg_core.config import ModelConfig
from actseg_core.errors import (
    DAMAGED_ARRAYS,
    ActSegError,
    BackendError,
    CheckpointError,
)
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network
from actseg_core.runtime.graphs import EXPORTED, Graph, make_graphs
from actseg_core.runtime.object_runner import object_graphs
from actseg_core.runtime.onnx_export import SENTENCES_AXIS, to_onnx
from actseg_core.runtime.onnx_runtime import OnnxRuntime
from actseg_core.runtime.openvino_runtime import OpenVino
from actseg_core.runtime.select import HALF_TOLERANCE, TOLERANCE, Runtime, differences
from actseg_core.runtime.torch_runtime import folded

FORMAT = "actseg-onnx"
VERSION = 1
INDEX = "model.json"
REFERENCE = "reference.npz"
ABOUT = {
    "clip": "prepared frames (1, C, T, S, S), oldest first: RGB / 127.5 - 1, or flow [px] clipped "
    "and divided by clip_px",
    "image": "one prepared frame: RGB, black where it is padded",
    "given_boxes": "centre x, y, width, height [px of the input] of the boxes to look at",
    "boxes": "of every anchor: centre x, y, width, height [px of the input]",
    "objectness": "of every anchor: probability that its box holds an object",
    "classes": "of every anchor: probabilities of COCO's 80 classes",
    "object_masks": "probabilities over the square input, one map per given box",
    "object_names": "probabilities of ImageNet's 1,000 classes, one row per given box",
    "words": "word vectors of every sentence; zero rows are unknown words and padding",
    "mask_logits": "one map per sentence over the network's square input; above 0 is the actor",
    "presence_score": "a logit: confidence = sigmoid((score - presence.bias) / temperature)",
}


CHECKED_IN: dict[str, Callable[[torch.device, int], Runtime]] = {
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVino,
}
"""Package and what runs a graph in it, on a device with so many threads."""


@dataclass(frozen=True)
class Difference:
    """How far one graph in one runtime is from PyTorch.

    Attributes:
        graph: Its name.
        runtime: What ran it.
        largest: Largest difference of its outputs, as a share of the largest value or of 1.
        allowed: The most that passes.
        problem: Why it could not be run; empty if it could.
    """

    graph: str
    runtime: str
    largest: float
    allowed: float
    problem: str = ""

    @property
    def passes(self) -> bool:
        """Whether the graph answers as PyTorch does."""
        return not self.problem and self.largest <= self.allowed


def export_folder(
    network: Network | ObjectsModel, folder: Path, half: bool = False, force: bool = False
) -> None:
    """Write a network as ONNX with its settings and reference answers, whole or not at all.

    Args:
        network: In evaluation mode, on the CPU.
        folder: Made anew.
        half: Weights and arithmetic in float16; inputs and outputs stay float32.
        force: Replace a folder that an earlier export wrote.

    Raises:
        BackendError: If a graph cannot be written as ONNX.
        CheckpointError: If the folder exists and may not be replaced, or cannot be written.
    """
    _refuse(folder, force)
    encoder = network.config.text.encoder
    if network.config.has_response_maps and encoder != "conv":
        raise BackendError(
            f"only sentences with text.encoder: conv can be exported, this model has {encoder}; "
            "it runs in PyTorch, and its video encoder in any runtime"
        )
    partial = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(folded(network), partial, half)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise CheckpointError(f"cannot write {folder}: {error}; is the disk full?") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def missing_runtimes() -> list[str]:
    """Those of `CHECKED_IN` that are not installed, and in which nothing can be checked."""
    return [name for name in CHECKED_IN if find_spec(name) is None]


def check_folder(folder: Path) -> Iterator[Difference]:
    """Run every graph of an exported folder on its examples, in each runtime that is installed.

    Raises:
        CheckpointError: If the folder is missing, damaged, foreign or of a newer version.
    """
    index = _read_index(folder)
    allowed = HALF_TOLERANCE if index["half"] else TOLERANCE
    graphs = [_read_graph(folder, name, about) for name, about in index["graphs"].items()]
    device, threads = torch.device("cpu"), torch.get_num_threads()
    for name in [name for name in CHECKED_IN if name not in missing_runtimes()]:
        for graph, model in graphs:
            try:
                outputs = CHECKED_IN[name](device, threads).compile(graph, model)(graph.example())
                found = max(differences(list(graph.outputs.values()), outputs))
                yield Difference(graph.name, name, found, allowed)
            except BackendError as error:
                yield Difference(graph.name, name, float("inf"), allowed, str(error))


def _refuse(folder: Path, force: bool) -> None:
    if not folder.exists():
        return
    if not force:
        raise CheckpointError(f"{folder} exists already; name another, or add --force")
    if not (folder / INDEX).is_file():
        raise CheckpointError(
            f"{folder} is no exported model (it has no {INDEX}) and is not replaced; name another"
        )


def _write(network: Network | ObjectsModel, folder: Path, half: bool) -> None:
    arrays: dict[str, NDArray[np.float32]] = {}
    described = {}
    for graph in _graphs(network):
        model = to_onnx(graph)
        if half:
            model = _in_half(model)
        file = f"{graph.name}.onnx"
        (folder / file).write_bytes(model)
        described[graph.name] = {
            "file": file,
            "sha256": hashlib.sha256(model).hexdigest(),
            "inputs": _labels(graph, graph.inputs),
            "outputs": _labels(graph, graph.outputs),
        }
        for kind, values in (("inputs", graph.inputs), ("outputs", graph.outputs)):
            for name, value in values.items():
                arrays[f"{graph.name}/{kind}/{name}"] = value.numpy()
    np.savez_compressed(folder / REFERENCE, **arrays)  # type: ignore[arg-type]
    index = {
        "format": FORMAT,
        "version": VERSION,
        "half": half,
        "config": network.config.model_dump(mode="json"),
        "graphs": described,
    }
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _graphs(network: Network | ObjectsModel) -> list[Graph]:
    if network.config.has_response_maps:
        assert isinstance(network, Network)
        return make_graphs(network, EXPORTED)
    assert isinstance(network, ObjectsModel)
    return object_graphs(network)


def _in_half(model: bytes) -> bytes:
    try:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        raise BackendError(
            f"--half needs onnx and onnxruntime: {error}; pip install onnx onnxruntime"
        ) from error
    converted = convert_float_to_float16(onnx.load_model_from_string(model), keep_io_types=True)
    return bytes(converted.SerializeToString())


def _labels(graph: Graph, values: dict[str, Tensor]) -> dict[str, Any]:
    labels = {}
    for name, value in values.items():
        shape: list[int | str] = list(value.shape)
        if name in graph.per_sentence:
            shape[0] = SENTENCES_AXIS
        labels[name] = {
            "shape": shape,
            "dtype": str(value.dtype).removeprefix("torch."),
            "about": ABOUT.get(name, ""),
        }
    return labels


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["format"] != FORMAT or index["version"] > VERSION:
            raise CheckpointError(
                f"{folder} has format {index['format']} {index['version']}, this package reads "
                f"{FORMAT} up to {VERSION}; update actseg or export the model again"
            )
        ModelConfig.from_stored(index["config"])
        bool(index["half"]), dict(index["graphs"])
    except CheckpointError:
        raise
    except (OSError, ValueError, KeyError, TypeError, ActSegError) as error:
        raise CheckpointError(
            f"{folder} is no readable exported model ({error!r}); export it again"
        ) from error
    assert isinstance(index, dict)
    return index


def _read_graph(folder: Path, name: str, about: dict[str, Any]) -> tuple[Graph, bytes]:
    try:
        model = (folder / f"{name}.onnx").read_bytes()
        if hashlib.sha256(model).hexdigest() != about["sha256"]:
            raise CheckpointError(
                f"{folder / name}.onnx is not the file that was exported; export the model again"
            )
        with np.load(folder / REFERENCE) as arrays:
            values = {
                kind: {
                    key: torch.from_numpy(arrays[f"{name}/{kind}/{key}"]) for key in about[kind]
                }
                for kind in ("inputs", "outputs")
            }
        named = {**about["inputs"], **about["outputs"]}
        dynamic = {key for key, item in named.items() if item["shape"][0] == SENTENCES_AXIS}
    except (*DAMAGED_ARRAYS, TypeError, IndexError) as error:
        raise CheckpointError(
            f"{folder} is no readable exported model ({error!r}); export it again"
        ) from error
    return Graph(
        name, nn.Identity(), values["inputs"], values["outputs"], frozenset(dynamic)
    ), model
