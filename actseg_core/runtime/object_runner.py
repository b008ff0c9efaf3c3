"""Runs the objects model's two graphs behind any runtime."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from actseg_core.config import RuntimeConfig
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.objects.perception import GRID, SeenFrame, SeenObjects
from actseg_core.runtime import torch_runtime
from actseg_core.runtime.graphs import Compiled, Graph
from actseg_core.runtime.onnx_export import OnnxCache, cache_folder
from actseg_core.runtime.select import (
    FASTEST_FRAMES,
    HALF_TOLERANCE,
    TOLERANCE,
    first_usable,
    make_runtime,
    ready,
)

Array = NDArray[np.float32]
FRAME_OUTPUTS = ("stride16", "stride8", "masks", "names", "boxes", "objectness", "classes")
FEATURES = FRAME_OUTPUTS[:4]
LOOK_OUTPUTS = ("object_masks", "object_names", "embeddings", "quality")
EXAMPLE_BOXES = 3
SEE_SIDES = {"image": {1: "height", 2: "width"}}
SEE_SIDES |= {name: {2: f"{name}_rows", 3: f"{name}_columns"} for name in FEATURES}
SEE_SIDES |= {name: {1: "anchors"} for name in FRAME_OUTPUTS[4:]}
LOOK_SIDES = {"object_masks": {1: "rows", 2: "columns"}}
TORCH = "torch"


class _See(nn.Module):
    def __init__(self, model: ObjectsModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return self.model.see(image)


class _Look(nn.Module):
    def __init__(self, model: ObjectsModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return self.model.look(*tensors)


@torch.no_grad()  # not inference mode: its tensors cannot be traced
def object_graphs(model: ObjectsModel, seed: int = 0) -> list[Graph]:
    """The graphs "see" (once per frame) and "look" (the boxes of that frame), with examples."""
    random = torch.Generator().manual_seed(seed)
    size = model.config.size
    shape = (size * 3 // 4 // GRID * GRID, size)  # a constant for a square would show in the check
    coarse = torch.rand(1, 3, 8, 8, generator=random)
    picture = nn.functional.interpolate(coarse, size=shape, mode="bilinear")
    image = (picture * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    seen = dict(zip(FRAME_OUTPUTS, model.see(image), strict=True))
    centre = torch.rand(EXAMPLE_BOXES, 2, generator=random) * size / 2 + size / 4
    extent = torch.rand(EXAMPLE_BOXES, 2, generator=random) * size / 4 + size / 8
    inputs = {name: seen[name] for name in FEATURES}
    inputs["given_boxes"] = torch.cat((centre, extent), dim=1)
    found = dict(zip(LOOK_OUTPUTS, model.look(*inputs.values()), strict=True))
    return [
        Graph("see", _See(model), {"image": image}, seen, open_sides=SEE_SIDES),
        Graph(
            "look",
            _Look(model),
            inputs,
            found,
            frozenset({"given_boxes", *LOOK_OUTPUTS}),
            {name: sides for name, sides in SEE_SIDES.items() if name in FEATURES} | LOOK_SIDES,
        ),
    ]


def in_torch(model: ObjectsModel) -> dict[str, Compiled]:
    """Both graphs run by PyTorch, layer by layer, following later changes of the weights."""
    return {
        "see": lambda inputs: list(model.see(*inputs)),
        "look": lambda inputs: list(model.look(*inputs)),
    }


def make_object_runner(
    model: ObjectsModel, settings: RuntimeConfig | None, cache: Path | None = None
) -> tuple["CompiledObjects", str]:
    """The model behind the runtime of the settings, and that runtime's name.

    Args:
        model: In evaluation mode, where it shall run.
        settings: Which runtime; None: PyTorch.
        cache: Folder for converted graphs; None: the user's cache folder.

    Raises:
        BackendError: If the named runtime is missing, does not run on the device, or answers
            otherwise than PyTorch.
    """
    device = next(model.parameters()).device
    wanted = settings.runtime if settings is not None else TORCH
    if settings is None or wanted == TORCH or (wanted == "auto" and device.type != "cpu"):
        return CompiledObjects(in_torch(model), device), TORCH
    if wanted != "auto":
        return CompiledObjects(_compiled(wanted, model, settings, cache), device), wanted
    found = first_usable(
        FASTEST_FRAMES, settings, lambda name: (_compiled(name, model, settings, cache), name)
    )
    graphs, name = found or (in_torch(model), TORCH)
    return CompiledObjects(graphs, device), name


def _compiled(
    name: str, model: ObjectsModel, settings: RuntimeConfig, cache: Path | None
) -> dict[str, Compiled]:
    threads = settings.threads or torch.get_num_threads()
    device = next(model.parameters()).device
    runtime = make_runtime(name, settings, device, threads)
    model = torch_runtime.folded(model)
    files = OnnxCache(model, cache or cache_folder())
    tolerance = HALF_TOLERANCE if settings.half else TOLERANCE
    return {graph.name: ready(runtime, graph, files, tolerance) for graph in object_graphs(model)}


class CompiledObjects:
    """What `objects.perception.Perception` needs, from graphs made ready by a runtime.

    Args:
        graphs: "see" and "look".
        device: Where their inputs lie.
    """

    def __init__(self, graphs: Mapping[str, Compiled], device: torch.device) -> None:
        self._see, self._look = graphs["see"], graphs["look"]
        self._device = device

    @torch.inference_mode()
    def see(self, image: NDArray[np.uint8]) -> SeenFrame:
        given = torch.from_numpy(image).unsqueeze(0).to(self._device)
        outputs = self._see([given])
        *features, boxes, objectness, classes = outputs
        return SeenFrame(features, _array(boxes)[0], _array(objectness)[0], _array(classes)[0])

    @torch.inference_mode()
    def look(self, frame: SeenFrame, boxes: Array) -> SeenObjects:
        assert isinstance(frame.features, list)
        given = torch.from_numpy(np.ascontiguousarray(boxes)).to(self._device)
        masks, names, embeddings, quality = self._look([*frame.features, given])
        return SeenObjects(
            np.array(_array(masks)), _array(quality), _array(embeddings), _array(names)
        )


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.float().cpu().numpy(), np.float32)
