"""Safetensors files of our own: written whole or not at all, read strictly."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from actseg_core.checkpoints.stored import opened
from actseg_core.errors import CheckpointError


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write beside `path` first, then rename; folders are made.

    Raises:
        CheckpointError: If the file cannot be written; what was there before is kept.
    """
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        mode = partial.stat().st_mode  # safetensors would let only the owner read
        save_file(dict(tensors), partial, dict(metadata))
        partial.chmod(mode)
        os.replace(partial, path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):  # where the folder is a file, there is nothing to clear away
            partial.unlink(missing_ok=True)
        raise CheckpointError(f"cannot write {path}: {error}; is the disk full?") from error


def read_tensors(
    path: Path, kind: str, version: int, foreign: str
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a file of our own, floating-point ones as float32.

    Args:
        path: The file.
        kind: What its metadata must give as `format`.
        version: Highest `version` that is known.
        foreign: What to do with a safetensors file of another format, for the message.

    Raises:
        CheckpointError: If the file is missing, damaged, foreign or of a newer version.
    """
    with opened(path, kind, version, foreign, "pt") as (metadata, file):
        names = list(file.keys())
        return metadata, {name: _to_float32(file.get_tensor(name)) for name in names}


def stored_tensors(
    path: Path, state: Mapping[str, Tensor], dtype: torch.dtype
) -> dict[str, Tensor]:
    """A network's state as it is written: on the CPU, floating-point tensors in `dtype`.

    Raises:
        CheckpointError: If a value is not finite, also after the conversion.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        stored = value.detach().to("cpu", dtype if value.is_floating_point() else value.dtype)
        if not torch.isfinite(stored).all():
            raise CheckpointError(
                f"{name} is not finite as {dtype}; nothing was written to {path}"
            )
        tensors[name] = stored.contiguous()
    return tensors


def shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Shapes by name, as `stored.check_fit` wants them."""
    return {name: tuple(value.shape) for name, value in state.items()}


def _to_float32(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
