"""The objects model in ONNX Runtime, from graphs that ship with the package: without torch.

`weights/objects_see.onnx` and `objects_look.onnx` hold the two graphs without their weights, which
come from the checkpoint; `objects.json` names the weights of each, and the shapes of all.
`tools/export_object_graphs.py` writes the three files; a test compares them with PyTorch.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import RuntimeConfig
from actseg_core.objects.perception import SeenFrame, SeenObjects
from actseg_core.runtime.onnx_session import (
    NAME,
    default_threads,
    require_onnxruntime,
    session_with_weights,
)

Array = NDArray[np.float32]
PREFIX = "model."  # of the weights' names in the graphs


@cache
def graph_facts() -> Mapping[str, Any]:
    """What `objects.json` says: side of the input, shapes of all weights, weights per graph."""
    found: dict[str, Any] = json.loads(_file("objects.json").decode())
    return found


def runs_without_torch(size: int, device: str, settings: RuntimeConfig) -> bool:
    """Whether the shipped graphs serve a model of that input side with these settings.

    Args:
        size: [px] of the model.
        device: As torch names it.
        settings: Which runtime is wanted.
    """
    wanted = settings.runtime in ("auto", NAME) and not settings.half
    return wanted and device == "cpu" and size == graph_facts()["size"]


class ObjectSessions:
    """What `objects.perception.Perception` needs, in ONNX Runtime on the CPU.

    Args:
        weights: Of the whole model, by their names in the checkpoint.
        threads: Of each graph; 0: as many as there are cores.

    Raises:
        BackendError: If ONNX Runtime is missing or refuses a graph.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], threads: int = 0) -> None:
        require_onnxruntime()
        self._see, self._look = (
            session_with_weights(
                name,
                _file(f"objects_{name}.onnx"),
                {PREFIX + key: weights[key] for key in graph_facts()[name]},
                threads or default_threads(),
            )
            for name in ("see", "look")
        )
        self._inputs = [item.name for item in self._look.get_inputs()]

    def see(self, image: NDArray[np.uint8]) -> SeenFrame:
        """All boxes of one (H, W, 3) uint8 RGB frame, sides multiples of 32."""
        outputs = self._see.run(None, {"image": image[np.newaxis]})
        *features, boxes, objectness, classes = outputs
        return SeenFrame(features, boxes[0], objectness[0], classes[0])

    def look(self, frame: SeenFrame, boxes: Array) -> SeenObjects:
        """Masks and names of (K, 4) boxes of that frame, K at least 1."""
        assert isinstance(frame.features, list)
        given = [*frame.features, np.ascontiguousarray(boxes, np.float32)]
        masks, names, embeddings, quality = self._look.run(
            None, dict(zip(self._inputs, given, strict=True))
        )
        return SeenObjects(masks, quality, embeddings, names)


def _file(name: str) -> bytes:
    return (resources.files("actseg_core") / "weights" / name).read_bytes()
