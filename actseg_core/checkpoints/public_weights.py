"""Public weights of I3D and VGG16: recognised by their names, converted strictly, loaded.

A file either gives every tensor of its network in the right shape and finite, or is refused.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from actseg_core.checkpoints.foreign_file import read_state, stored_facts
from actseg_core.checkpoints.public_names import (
    ACTSEG,
    COUNTER,
    DEEPMIND,
    FIRST_CONV,
    KNOWN_FIRST_CONVS,
    LOGITS_WEIGHT,
    TORCHVISION,
    foreign_name,
    is_expendable,
    recognise,
)
from actseg_core.checkpoints.tensor_file import write_tensors
from actseg_core.errors import CheckpointError
from actseg_core.networks.i3d import I3d
from actseg_core.networks.vgg import scaled

FORMAT = "actseg-weights"
FORMAT_VERSION = "1"
SHOWN_KEYS = 5
STREAM_CHANNELS = {3: "rgb", 2: "flow"}
VGG_CONVOLUTIONS = (
    *((0, 3, 64), (2, 64, 64), (5, 64, 128), (7, 128, 128), (10, 128, 256), (12, 256, 256)),
    *((14, 256, 256), (17, 256, 512), (19, 512, 512), (21, 512, 512), (24, 512, 512)),
    *((26, 512, 512), (28, 512, 512)),
)
"""Index in torchvision's `features`, channels in and out; all 3x3."""
VGG_HIDDEN = 4096
VGG_LAST_WEIGHT = "classifier.6.weight"

Shape = tuple[int, ...]


@dataclass(frozen=True)
class PublicWeights:
    """Converted weights of a whole network.

    Attributes:
        network: "i3d", or "vgg16" for the image baselines.
        flavour: Whose names the file had.
        in_channels: Of the first convolution: 3 for RGB, 2 for flow.
        classes: Outputs of the classifier.
        tensors: By the names of `I3d` (parameters and batch norm statistics), or by torchvision's
            names with fc6 to fc8 as convolutions; float32, finite.
        ignored: Names in the file that are no weights: counters, optimiser slots.
        width: Channel multiplier; public weights have 1, `actseg pretrain` makes others.
    """

    network: Literal["i3d", "vgg16"]
    flavour: str
    in_channels: int
    classes: int
    tensors: dict[str, Tensor]
    ignored: tuple[str, ...]
    width: float = 1.0

    @property
    def stream(self) -> str:
        """The input stream that the weights are for, "rgb" or "flow"."""
        return STREAM_CHANNELS[self.in_channels]


def read_weights(path: Path) -> PublicWeights:
    """Read and convert a weight file of any known flavour.

    I3D: piergiaj (.pt), hassony2 (.pth), DeepMind (TensorFlow checkpoint), or ours. VGG16:
    torchvision, or ours. PyTorch and safetensors files may hold any of the PyTorch flavours.

    Args:
        path: A file, or the prefix of a TensorFlow checkpoint.

    Raises:
        CheckpointError: If the file cannot be read (see `read_state`), its names are of no known
            flavour, or tensors are missing, left over, of a wrong shape or not finite.
    """
    state = read_state(path)
    found = recognise(state)
    if found is None:
        raise CheckpointError(
            f"{path} holds no I3D or VGG16 weights: none of its {len(state)} names is a known "
            f"first convolution ({', '.join(KNOWN_FIRST_CONVS)}, or Conv3d_1a_7x7/conv_3d/w in a "
            f"TensorFlow checkpoint); it begins with {', '.join(list(state)[:3]) or 'nothing'}"
        )
    flavour, scope = found
    width = _stored_width(path) if flavour in (ACTSEG, TORCHVISION) else 1.0
    if flavour == TORCHVISION:
        return _convert_vgg(path, state, width)
    return _convert_i3d(path, state, flavour, scope, width)


def save_weights(weights: PublicWeights, destination: Path) -> None:
    """Write converted weights as safetensors, beside the destination first, then renamed.

    Raises:
        CheckpointError: If the file cannot be written.
    """
    metadata = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "network": weights.network,
        "stream": weights.stream,
        "flavour": weights.flavour,
        "width": repr(weights.width),
    }
    write_tensors(destination, weights.tensors, metadata)


def load_i3d(path: Path, network: I3d, head: bool = True) -> PublicWeights:
    """Fill a network with the weights of a file; layers that it lacks are left out.

    Args:
        path: As for `read_weights`.
        network: For instance `VideoEncoder.i3d`.
        head: Whether to take over the classifier, too; False for other classes.

    Raises:
        CheckpointError: If the file is refused or its weights do not fit the network.
    """
    weights = read_weights(path)
    if weights.network != "i3d":
        raise CheckpointError(f"{path} holds {weights.network} weights, I3D weights are needed")
    if weights.in_channels != network.in_channels:
        raise CheckpointError(
            f"{path} holds {weights.stream} weights ({weights.in_channels} input channels), but "
            f"the network reads {network.in_channels} channels; give the "
            f"{STREAM_CHANNELS.get(network.in_channels, 'matching')} weights"
        )
    _load(path, network, weights, skip="" if head else LOGITS_WEIGHT.split(".")[0])
    return weights


def trained_weights(network: I3d, width: float) -> PublicWeights:
    """The weights of a whole network of our own, as `save_weights` writes them.

    Args:
        network: Up to and with its classifier.
        width: The channel multiplier that it was built with.
    """
    tensors = {
        name: value.detach().float().cpu().contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith(COUNTER)
    }
    return PublicWeights(
        "i3d", ACTSEG, network.in_channels, network.out_channels, tensors, (), width
    )


def trained_vgg_weights(network: nn.Module, width: float) -> PublicWeights:
    """The same of a fully convolutional VGG16 of our own, whose names are torchvision's."""
    tensors = {
        name: value.detach().float().cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    classes = tensors[VGG_LAST_WEIGHT].shape[0]
    return PublicWeights("vgg16", TORCHVISION, 3, classes, tensors, (), width)


def load_vgg16(path: Path, network: nn.Module) -> PublicWeights:
    """Fill a fully convolutional VGG16, whose names are torchvision's.

    Raises:
        CheckpointError: If the file is refused or its weights do not fit the network.
    """
    weights = read_weights(path)
    if weights.network != "vgg16":
        raise CheckpointError(f"{path} holds {weights.network} weights, VGG16 weights are needed")
    _load(path, network, weights, skip="")
    return weights


def _load(path: Path, network: nn.Module, weights: PublicWeights, skip: str) -> None:
    """Copy the tensors of all layers but `skip` into the network."""
    own = {
        name: value
        for name, value in network.state_dict().items()
        if not name.endswith(COUNTER) and name.split(".")[0] != skip
    }
    problems = [f"{name} is missing" for name in own.keys() - weights.tensors.keys()]
    for name in own.keys() & weights.tensors.keys():
        problems += _shape_problem(name, own[name].shape, weights.tensors[name].shape)
    _refuse(
        f"{path} (width {weights.width:g}, {weights.classes} classes) does not fit this network; "
        "set its width accordingly, or give other weights",
        problems,
    )
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(weights.tensors[name])


def _stored_width(path: Path) -> float:
    """The channel multiplier that a file of `save_weights` states; 1 where it states none."""
    stated = stored_facts(path).get("width", "1")
    try:
        width = float(stated)
    except ValueError:
        width = math.nan
    if not 0.0 < width <= 1.0:
        raise CheckpointError(
            f"{path} states a network of width {stated!r}; the width must be above 0 and at "
            "most 1: make the file again with `actseg pretrain`"
        )
    return width


def _convert_i3d(
    path: Path, state: Mapping[str, Tensor], flavour: str, scope: str, width: float
) -> PublicWeights:
    source = {
        own: foreign_name(own, flavour, scope)
        for own in _i3d_shapes(in_channels=3, classes=1, width=width)
    }
    is_tf = flavour == DEEPMIND
    in_channels = _side(state, source[FIRST_CONV], 3 if is_tf else 1)
    classes = _side(state, source[LOGITS_WEIGHT], 4 if is_tf else 0)
    if in_channels not in STREAM_CHANNELS:
        raise CheckpointError(
            f"{path}: the first convolution {source[FIRST_CONV]} reads {in_channels} channels; "
            "I3D reads 3 (rgb) or 2 (flow)"
        )
    arrange = _from_tf if is_tf else _as_is
    shapes = _i3d_shapes(in_channels, classes, width)
    names = {own: name for own, name in source.items() if name is not None}
    tensors, ignored = _take(path, state, flavour, names, shapes, arrange)
    for own in shapes.keys() - tensors.keys():  # scales of batch norms that have none
        tensors[own] = torch.ones(shapes[own])
    return PublicWeights("i3d", flavour, in_channels, classes, tensors, ignored, width)


def _convert_vgg(path: Path, state: Mapping[str, Tensor], width: float) -> PublicWeights:
    classes = _side(state, VGG_LAST_WEIGHT, 0)
    shapes = _vgg_shapes(classes, width)
    names = {name: name for name in shapes}
    tensors, ignored = _take(path, state, TORCHVISION, names, shapes, _as_convolution)
    return PublicWeights("vgg16", TORCHVISION, 3, classes, tensors, ignored, width)


def _take(
    path: Path,
    state: Mapping[str, Tensor],
    flavour: str,
    names: Mapping[str, str],
    shapes: Mapping[str, Shape],
    arrange: Callable[[Tensor, Shape], Tensor],
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Our tensors out of a foreign state, and the names that were left out; or a refusal.

    Shapes are compared before anything is copied, so that a lying file costs no memory.
    """
    foreign = set(names.values())
    ignored = tuple(name for name in state if name not in foreign and is_expendable(name, flavour))
    problems = [f"{name} is missing" for name in foreign - state.keys()]
    problems += [
        f"{name} is not part of the network" for name in state.keys() - foreign - set(ignored)
    ]
    arranged = {
        own: arrange(state[name], shapes[own]) for own, name in names.items() if name in state
    }
    for own, value in arranged.items():
        problems += _shape_problem(names[own], shapes[own], value.shape)
    _refuse(f"{path} looks like {flavour} weights, but", problems)
    tensors = _unshared({own: value.float().contiguous() for own, value in arranged.items()})
    for own, value in tensors.items():
        lowest, highest = (float(bound) for bound in torch.aminmax(value))  # NaN if one is there
        floor = 0.0 if own.endswith("running_var") else -math.inf
        if not (math.isfinite(lowest) and math.isfinite(highest) and lowest >= floor):
            problems.append(f"{names[own]} is not finite or a negative variance")
    _refuse(f"{path} looks like {flavour} weights, but", problems)
    return tensors, ignored


def _refuse(what: str, problems: list[str]) -> None:
    if problems:
        shown = "; ".join(sorted(problems)[:SHOWN_KEYS])
        more = f" and {len(problems) - SHOWN_KEYS} more" if len(problems) > SHOWN_KEYS else ""
        raise CheckpointError(f"{what}: {shown}{more}")


def _shape_problem(name: str, wanted: Shape, got: Shape) -> list[str]:
    if tuple(wanted) == tuple(got):
        return []
    order = " (out, in, time, height, width)" if len(wanted) == 5 else ""
    return [f"{name} must be {tuple(wanted)}{order}, is {tuple(got)}"]


def _side(state: Mapping[str, Tensor], name: str | None, axis: int) -> int:
    """One side of a tensor; 0 where the tensor or the axis does not exist."""
    tensor = state.get(name or "")
    return tensor.shape[axis] if tensor is not None and tensor.ndim > axis else 0


def _i3d_shapes(in_channels: int, classes: int, width: float) -> dict[str, Shape]:
    """Names and shapes of I3D's tensors, without counters."""
    with torch.device("meta"):
        state = I3d(in_channels, width, classes=max(classes, 1)).state_dict()
    return {name: tuple(v.shape) for name, v in state.items() if not name.endswith(COUNTER)}


def _vgg_shapes(classes: int, width: float) -> dict[str, Shape]:
    """Names and shapes of VGG16's tensors, fully connected layers as convolutions."""

    def wide(channels: int) -> int:
        return scaled(channels, width)

    layers: dict[str, Shape] = {
        f"features.{index}": (wide(outputs), inputs if index == 0 else wide(inputs), 3, 3)
        for index, inputs, outputs in VGG_CONVOLUTIONS
    }
    hidden = wide(VGG_HIDDEN)
    layers["classifier.0"] = (hidden, wide(512), 7, 7)
    layers["classifier.3"] = (hidden, hidden, 1, 1)
    layers["classifier.6"] = (max(classes, 1), hidden, 1, 1)
    weights = {f"{name}.weight": shape for name, shape in layers.items()}
    return weights | {f"{name}.bias": shape[:1] for name, shape in layers.items()}


def _unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, each in memory of its own, which safetensors asks for."""
    taken: set[int] = set()
    result = {}
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        result[name] = tensor.clone() if place in taken else tensor
        taken.add(place)
    return result


def _as_is(tensor: Tensor, shape: Shape) -> Tensor:
    return tensor


def _from_tf(tensor: Tensor, shape: Shape) -> Tensor:
    """(kt, kh, kw, in, out) to (out, in, kt, kh, kw); (1, 1, 1, 1, C) to (C,)."""
    if len(shape) == 5 and tensor.ndim == 5:
        return tensor.permute(4, 3, 0, 1, 2)
    if tensor.ndim == 5 and tensor.shape[:4] == (1, 1, 1, 1):
        return tensor.reshape(-1)
    return tensor


def _as_convolution(tensor: Tensor, shape: Shape) -> Tensor:
    """(out, in * kh * kw) of a fully connected layer to (out, in, kh, kw)."""
    if len(shape) == 4 and tensor.ndim == 2 and tensor.numel() == torch.Size(shape).numel():
        return tensor.reshape(shape)
    return tensor
