"""What a weight file of ours holds, read without torch: the default model runs from it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from actseg_core.config import ModelConfig, preset_names
from actseg_core.errors import CheckpointError, ConfigError

FORMAT = "actseg"
FORMAT_VERSION = 1
FOREIGN = "not an actseg checkpoint; convert foreign weights with `actseg convert-weights`"
SHOWN_KEYS = 5


@dataclass(frozen=True)
class Stored:
    """A weight file's own description.

    Attributes:
        config: Of the model, as it was trained.
        metrics: What was measured when it was saved; empty if nothing was.
        words: `WordVectors.digest` of the table it was trained with; "" in files without it.
        path: The file.
    """

    config: ModelConfig
    metrics: dict[str, Any]
    words: str
    path: Path


def checkpoint_path(name: str) -> Path:
    """The weight file of a preset that ships with the package, or `name` itself if it is a path.

    Raises:
        CheckpointError: If the preset has no weights here, or there is no such preset or file.
    """
    if name.endswith(".safetensors") or "/" in name:
        return Path(name)
    shipped = Path(str(resources.files("actseg_core") / "weights" / f"{name}.safetensors"))
    if shipped.is_file():
        return shipped
    if name in preset_names():
        raise CheckpointError(
            f"preset {name!r} ships without weights; train it or give a .safetensors file as "
            "the checkpoint"
        )
    raise CheckpointError(
        f"there is no preset or checkpoint {name!r}; give one of {', '.join(preset_names())} or "
        "the path of a .safetensors file"
    )


def read_description(path: Path) -> Stored:
    """What a file of `checkpoint.save_checkpoint` says of itself; its weights are not read.

    Raises:
        CheckpointError: If the file is missing, damaged, foreign or of a newer version.
    """
    with opened(path, FORMAT, FORMAT_VERSION, FOREIGN, "np") as (metadata, _):
        return described(path, metadata)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The weights of a file of `checkpoint.save_checkpoint`, floating-point ones as float32.

    Raises:
        CheckpointError: If the file is missing, damaged, foreign or of a newer version.
    """
    with opened(path, FORMAT, FORMAT_VERSION, FOREIGN, "np") as (_, file):
        arrays = {name: file.get_tensor(name) for name in list(file.keys())}
    return {
        name: value.astype(np.float32) if value.dtype.kind == "f" else value
        for name, value in arrays.items()
    }


def described(path: Path, metadata: Mapping[str, str]) -> Stored:
    """Read a checkpoint's metadata.

    Raises:
        CheckpointError: If something is missing or cannot be used.
    """
    try:
        config = ModelConfig.from_stored(json.loads(metadata["config"]))
        metrics = json.loads(metadata.get("metrics", "{}"))
    except ConfigError as error:
        raise CheckpointError(f"{path} holds a configuration we cannot use: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(path, error) from error
    return Stored(config, metrics, metadata.get("words", ""), path)


@contextmanager
def opened(
    path: Path, kind: str, version: int, foreign: str, framework: str
) -> Iterator[tuple[dict[str, str], Any]]:
    """Metadata of a safetensors file of our own, and the file while it is open.

    Args:
        path: The file.
        kind: What its metadata must give as `format`.
        version: Highest `version` that is known.
        foreign: What to do with a safetensors file of another format, for the message.
        framework: Of the tensors: "np" or "pt".

    Raises:
        CheckpointError: If the file is missing, damaged, foreign or of a newer version.
    """
    if not path.is_file():
        raise CheckpointError(f"the checkpoint {path} does not exist or is not a file")
    try:
        with safe_open(path, framework=framework) as file:
            metadata = dict(file.metadata() or {})
            if metadata.get("format") != kind:
                raise CheckpointError(f"{path} is a safetensors file but {foreign}")
            if int(metadata["version"]) > version:
                raise CheckpointError(
                    f"{path} has format version {metadata['version']}, this package reads up to "
                    f"{version}; update actseg"
                )
            yield metadata, file
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> CheckpointError:
    """What to raise about a damaged file."""
    return CheckpointError(
        f"{path} is not a readable safetensors checkpoint ({error}); is the download complete?"
    )


def check_fit(path: Path, wanted: Mapping[str, tuple[int, ...]], got: Mapping[str, Any]) -> None:
    """Compare a file's tensors with those of the network that its own configuration describes.

    Args:
        path: The file, for the message.
        wanted: Shapes by name.
        got: Arrays, or tensors on the CPU.

    Raises:
        CheckpointError: If names or shapes differ, or a value is not finite.
    """
    problems = [f"{name} is missing" for name in wanted.keys() - got.keys()]
    problems += [f"{name} is not part of the model" for name in got.keys() - wanted.keys()]
    for name in wanted.keys() & got.keys():
        shape = tuple(got[name].shape)
        if shape != tuple(wanted[name]):
            problems.append(f"{name} must be {tuple(wanted[name])}, is {shape}")
        elif not np.isfinite(np.asarray(got[name])).all():
            problems.append(f"{name} is not finite")
    if problems:
        shown = "; ".join(sorted(problems)[:SHOWN_KEYS])
        more = f" and {len(problems) - SHOWN_KEYS} more" if len(problems) > SHOWN_KEYS else ""
        raise CheckpointError(f"{path} does not fit its own configuration: {shown}{more}")
