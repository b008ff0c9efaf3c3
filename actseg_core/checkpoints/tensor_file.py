"""Safetensors files of our own: written whole or not at all, read strictly."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from actseg_core.errors import CheckpointError

SHOWN_KEYS = 5


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
    if not path.is_file():
        raise CheckpointError(f"the checkpoint {path} does not exist or is not a file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            if metadata.get("format") != kind:
                raise CheckpointError(f"{path} is a safetensors file but {foreign}")
            if int(metadata["version"]) > version:
                raise CheckpointError(
                    f"{path} has format version {metadata['version']}, this package reads up to "
                    f"{version}; update actseg"
                )
            names = list(file.keys())
            return metadata, {name: _to_float32(file.get_tensor(name)) for name in names}
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> CheckpointError:
    """What to raise about a damaged file."""
    return CheckpointError(
        f"{path} is not a readable safetensors checkpoint ({error}); is the download complete?"
    )


def check_fit(path: Path, wanted: Mapping[str, Tensor], got: Mapping[str, Tensor]) -> None:
    """Compare a file's tensors with those of the network that its own configuration describes.

    Raises:
        CheckpointError: If names or shapes differ, or a value is not finite.
    """
    problems = [f"{name} is missing" for name in wanted.keys() - got.keys()]
    problems += [f"{name} is not part of the model" for name in got.keys() - wanted.keys()]
    for name in wanted.keys() & got.keys():
        if wanted[name].shape != got[name].shape:
            problems.append(
                f"{name} must be {tuple(wanted[name].shape)}, is {tuple(got[name].shape)}"
            )
        elif not torch.isfinite(got[name]).all():
            problems.append(f"{name} is not finite")
    if problems:
        shown = "; ".join(sorted(problems)[:SHOWN_KEYS])
        more = f" and {len(problems) - SHOWN_KEYS} more" if len(problems) > SHOWN_KEYS else ""
        raise CheckpointError(f"{path} does not fit its own configuration: {shown}{more}")


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


def _to_float32(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
