"""Tensors by name from files that others made, without running or trusting anything in them.

PyTorch files (zip, and the older plain format), safetensors, and TensorFlow checkpoints.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from actseg_core.checkpoints.tensorflow_file import checkpoint_prefix, read_tf_checkpoint
from actseg_core.errors import CheckpointError

SIZE_LIMIT_BYTES = 4_000_000_000
ZIP_MAGIC = b"PK\x03\x04"
TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # of files before PyTorch 1.6
PICKLE_MAGIC = b"\x80"
LFS_MAGIC = b"version https://git-lfs"
WRAPPER_KEYS = ("state_dict", "model_state_dict")
ASK_FOR_STATE = "ask for a state dict, saved with torch.save(model.state_dict(), ...)"
PARALLEL_PREFIX = "module."


def read_state(path: Path) -> dict[str, Tensor]:
    """All tensors of a weight file by name, on the CPU, in the file's own types.

    A state dict inside a training checkpoint is found, and the `module.` prefix of
    torch.nn.DataParallel removed. TensorFlow's and zipped PyTorch files have checksums, which are
    verified; in the others a flipped bit inside a weight cannot be noticed.

    Args:
        path: A PyTorch file, a .safetensors file, or a TensorFlow checkpoint (its prefix or one
            of its files).

    Raises:
        CheckpointError: If the file is missing, too large, damaged, compressed, of a foreign
            layout, would run code, or holds anything but tensors.
    """
    if prefix := checkpoint_prefix(path):
        arrays = read_tf_checkpoint(prefix)
        return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    if not path.is_file():
        raise CheckpointError(f"the weight file {path} does not exist or is not a file")
    if path.stat().st_size > SIZE_LIMIT_BYTES:
        raise CheckpointError(f"{path} is larger than {SIZE_LIMIT_BYTES} bytes; that is no I3D")
    with path.open("rb") as file:
        start = file.read(len(LFS_MAGIC))
        file.seek(0)
        if start == LFS_MAGIC:
            raise CheckpointError(f"{path} is a git-lfs pointer; fetch the file with git lfs pull")
        if start.startswith((ZIP_MAGIC, TORCH_MAGIC)):
            return _plain_tensors(path, _unwrap(path, _load_torch(path, file)))
    if start[8:9] == b"{":
        return _load_safetensors(path)
    if start.startswith(PICKLE_MAGIC):
        raise CheckpointError(
            f"{path} is a pickle, which could run code, and is refused; {ASK_FOR_STATE}"
        )
    raise CheckpointError(
        f"{path} is no PyTorch file, safetensors file or TensorFlow checkpoint; give one of those"
    )


def stored_facts(path: Path) -> dict[str, str]:
    """The plain text that a readable .safetensors file keeps beside its tensors; else empty."""
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError):
        return {}


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file ({error}); is the download complete?"
        ) from error


def _load_torch(path: Path, file: BinaryIO) -> object:
    """What a PyTorch file holds. The same open file is audited and read."""
    try:
        if file.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
            _audit_zip(path, file)
        file.seek(0)
        return torch.load(file, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged pickle or archive can raise anything
        # torch's own message would advise to load the file with weights_only=False.
        if found := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise CheckpointError(
                f"{path} would run code ({found[1]}) and is refused; {ASK_FOR_STATE}"
            ) from error
        raise CheckpointError(
            f"{path} is not a readable PyTorch file ({type(error).__name__}); is the download "
            "complete?"
        ) from error


def _audit_zip(path: Path, file: BinaryIO) -> None:
    """Refuse compressed entries, which can grow without bound, and damage.

    torch.load checks neither, and reads a flipped byte as a weight.
    """
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise CheckpointError(
                f"{path} has compressed entries, which torch.save never writes; refused"
            )
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise CheckpointError(f"{path} claims to hold more bytes than it has; refused")
        if damaged := archive.testzip():
            raise CheckpointError(
                f"the checksum of {damaged} in {path} is wrong; is the download complete?"
            )


def _unwrap(path: Path, content: object) -> Mapping[object, object]:
    """The state dict, alone in the file or inside a training checkpoint."""
    if isinstance(content, Mapping):
        for key in WRAPPER_KEYS:
            if isinstance(inner := content.get(key), Mapping):
                return inner
        return content
    raise CheckpointError(
        f"{path} holds {type(content).__name__}, not a state dict of tensors by name"
    )


def _plain_tensors(path: Path, state: Mapping[object, object]) -> dict[str, Tensor]:
    """Names and dense tensors, nothing else."""
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path} holds {type(value).__name__} under {name!r}, not tensors by name only; "
                "give a state dict"
            )
        if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
            raise CheckpointError(f"{name} in {path} is not a dense tensor; save it as one")
        tensors[name] = value.detach()
    if tensors and all(name.startswith(PARALLEL_PREFIX) for name in tensors):
        return {name.removeprefix(PARALLEL_PREFIX): value for name, value in tensors.items()}
    return tensors
