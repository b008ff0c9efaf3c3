"""Our weight files: safetensors with the model's configuration inside. Nothing is unpickled."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from actseg_core.checkpoints.stored import (
    FOREIGN,
    FORMAT,
    FORMAT_VERSION,
    check_fit,
    described,
)
from actseg_core.checkpoints.tensor_file import (
    read_tensors,
    shapes,
    stored_tensors,
    write_tensors,
)
from actseg_core.config import ModelConfig
from actseg_core.errors import CheckpointError
from actseg_core.networks.build import build_network
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model.

    Attributes:
        model: The network, in evaluation mode, float32.
        config: As it was trained.
        metrics: What was measured when it was saved; empty if nothing was.
        words: `WordVectors.digest` of the table it was trained with; "" in files without it.
        path: The file it came from.
    """

    model: Network | ObjectsModel
    config: ModelConfig
    metrics: dict[str, Any]
    words: str
    path: Path

    @property
    def network(self) -> Network:
        """The model of a file that must hold a network of response maps.

        Raises:
            CheckpointError: If it holds the objects model.
        """
        if not self.config.has_response_maps:
            raise CheckpointError(
                f"{self.path} holds the model {self.config.name!r} of kind {self.config.kind}, "
                "which has no response maps; give a checkpoint of the paper's network or its like"
            )
        assert isinstance(self.model, Network)
        return self.model


def save_checkpoint(
    path: Path,
    model: Network | ObjectsModel,
    metrics: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
    words: str = "",
) -> None:
    """Write weights, configuration and metrics beside `path`, then rename: never half a file.

    Args:
        path: Destination, .safetensors.
        model: The network; `model.config` is stored.
        metrics: Plain values to keep with it.
        dtype: Type of floating-point weights in the file; float16 halves its size.
        words: `WordVectors.digest` of the table it was trained with.

    Raises:
        CheckpointError: If a weight is not finite, also after the conversion, or the file cannot
            be written.
    """
    tensors = stored_tensors(path, model.state_dict(), dtype)
    metadata = {
        "format": FORMAT,
        "version": str(FORMAT_VERSION),
        "config": model.config.model_dump_json(),
        "metrics": json.dumps(dict(metrics or {})),
        "words": words,
    }
    write_tensors(path, tensors, metadata)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a file of `save_checkpoint`, strictly.

    Raises:
        CheckpointError: If the file is missing, damaged, foreign, of a newer version, or its
            weights do not fit its configuration or are not finite.
    """
    metadata, tensors = read_tensors(path, FORMAT, FORMAT_VERSION, FOREIGN)
    stored = described(path, metadata)
    model = build_network(stored.config)
    check_fit(path, shapes(model.state_dict()), tensors)
    model.load_state_dict(tensors)
    return Checkpoint(model, stored.config, stored.metrics, stored.words, path)
