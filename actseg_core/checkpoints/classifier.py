"""Files of the pair classifier: safetensors with its settings inside. Nothing is unpickled."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from actseg_core.checkpoints.stored import check_fit, unreadable
from actseg_core.checkpoints.tensor_file import (
    read_tensors,
    shapes,
    stored_tensors,
    write_tensors,
)
from actseg_core.config import FlowConfig
from actseg_core.errors import CheckpointError, ConfigError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.networks.pair_classifier import PairClassifier

FORMAT = "actseg-classifier"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class ClassifierCheckpoint:
    """A loaded classifier.

    Attributes:
        classifier: In evaluation mode, float32.
        flow: Estimator and scale of the flow that it was trained on.
        metrics: What was measured when it was saved; empty if nothing was.
        path: The file it came from.
    """

    classifier: PairClassifier
    flow: FlowConfig
    metrics: dict[str, Any]
    path: Path


def save_classifier(
    path: Path,
    classifier: PairClassifier,
    flow: FlowConfig,
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Write weights, settings and metrics beside `path`, then rename: never half a file.

    Args:
        path: Destination, .safetensors.
        classifier: Its settings are stored.
        flow: What it was trained on.
        metrics: Plain values to keep with it.

    Raises:
        CheckpointError: If a weight is not finite, or the file cannot be written.
    """
    metadata = {
        "format": FORMAT,
        "version": str(FORMAT_VERSION),
        "config": classifier.config.model_dump_json(),
        "flow": flow.model_dump_json(),
        "metrics": json.dumps(dict(metrics or {})),
    }
    tensors = stored_tensors(path, classifier.state_dict(), torch.float32)
    write_tensors(path, tensors, metadata)


def load_classifier(path: Path) -> ClassifierCheckpoint:
    """Read a file of `save_classifier`, strictly.

    Raises:
        CheckpointError: If the file is missing, damaged, foreign, of a newer version, or its
            weights do not fit its settings or are not finite.
    """
    metadata, tensors = read_tensors(
        path,
        FORMAT,
        FORMAT_VERSION,
        "holds no pair classifier; `actseg train-classifier` makes one",
    )
    try:
        config = ClassifierConfig.from_mapping(json.loads(metadata["config"]))
        flow = FlowConfig.from_mapping(json.loads(metadata["flow"]))
        metrics = json.loads(metadata.get("metrics", "{}"))
    except ConfigError as error:
        raise CheckpointError(f"{path} holds settings we cannot use: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(path, error) from error
    classifier = PairClassifier(config).eval()
    check_fit(path, shapes(classifier.state_dict()), tensors)
    classifier.load_state_dict(tensors)
    return ClassifierCheckpoint(classifier, flow, metrics, path)
