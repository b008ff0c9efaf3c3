"""From a checkpoint to the predictor of its kind of network. Torch is imported where it is needed:
the default model runs without it."""

import logging

from actseg_core.checkpoints.stored import (
    Stored,
    check_fit,
    checkpoint_path,
    read_arrays,
    read_description,
)
from actseg_core.config import RuntimeConfig
from actseg_core.errors import BackendError
from actseg_core.objects.naming import NamingModel
from actseg_core.predictor.base import Predictor
from actseg_core.predictor.objects import ObjectPredictor
from actseg_core.runtime.object_sessions import ObjectSessions, graph_facts, runs_without_torch
from actseg_core.runtime.onnx_session import NAME
from actseg_core.text.sentence import load_reader

NAMING = "naming."  # of its weights' names
logger = logging.getLogger(__name__)


def load_predictor(name: str, device: str, runtime: RuntimeConfig) -> Predictor:
    """See `Predictor.load`."""
    stored = read_description(checkpoint_path(name))
    config = stored.config
    if config.kind == "objects" and runs_without_torch(config.size, device, runtime):
        try:
            return _without_torch(stored, runtime)
        except BackendError as error:
            if runtime.runtime != "auto":
                raise
            logger.warning("ONNX Runtime cannot be used, trying others: %s", error)
    try:
        from actseg_core.predictor.in_torch import load_in_torch
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        raise BackendError(
            f"{config.name} on device {device} with runtime {runtime.runtime} needs PyTorch, "
            f"which cannot be imported ({error}): pip install torch; the default model needs it "
            "not, on device cpu with runtime auto or onnxruntime"
        ) from error
    return load_in_torch(stored.path, device, runtime)


def _without_torch(stored: Stored, runtime: RuntimeConfig) -> Predictor:
    weights = read_arrays(stored.path)
    check_fit(stored.path, graph_facts()["shapes"], weights)
    naming = {
        key.removeprefix(NAMING): value for key, value in weights.items() if key.startswith(NAMING)
    }
    runner = ObjectSessions(weights, runtime.threads)
    reader = load_reader(stored.config.text, stored.words)
    return ObjectPredictor(stored.config, reader, runner, NamingModel(naming), NAME)
