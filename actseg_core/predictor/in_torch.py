"""Predictors of networks in PyTorch: in training, and where the shipped graphs do not serve."""

from pathlib import Path

import torch

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.config import RuntimeConfig
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network
from actseg_core.predictor.base import Predictor
from actseg_core.predictor.network import NetworkPredictor
from actseg_core.predictor.objects import ObjectPredictor
from actseg_core.runtime.object_runner import make_object_runner
from actseg_core.text.sentence import SentenceReader, load_reader


def load_in_torch(path: Path, device: str, runtime: RuntimeConfig) -> Predictor:
    """The predictor of a checkpoint, its graphs converted and compared with PyTorch.

    Raises:
        BackendError: If the named runtime cannot be used.
        CheckpointError: If the file does not fit.
        VocabularyError: If the word vectors are missing or others than those trained with.
    """
    checkpoint = load_checkpoint(path)
    reader = load_reader(checkpoint.config.text, checkpoint.words)
    return make_predictor(checkpoint.model, reader, device, runtime)


def make_predictor(
    model: Network | ObjectsModel,
    reader: SentenceReader,
    device: str = "cpu",
    runtime: RuntimeConfig | None = None,
) -> Predictor:
    """The predictor for a network in memory; without a runtime PyTorch runs it.

    Args:
        model: In evaluation mode.
        reader: Turns text into words that the model knows.
        device: Where the network runs.
        runtime: What runs it.

    Raises:
        BackendError: If the named runtime cannot be used.
    """
    if isinstance(model, ObjectsModel):
        return object_predictor(model, reader, device, runtime)
    return NetworkPredictor(model, reader, device, runtime)


def object_predictor(
    model: ObjectsModel,
    reader: SentenceReader,
    device: str = "cpu",
    runtime: RuntimeConfig | None = None,
) -> ObjectPredictor:
    """`make_predictor` for the objects model."""
    model = model.to(torch.device(device)).eval()
    runner, name = make_object_runner(model, runtime)
    return ObjectPredictor(model.config, reader, runner, model.naming.model(), name)
