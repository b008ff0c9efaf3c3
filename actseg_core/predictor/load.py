"""From a checkpoint to the predictor of its kind of network."""

from actseg_core.checkpoints.checkpoint import checkpoint_path, load_checkpoint
from actseg_core.config import RuntimeConfig
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network
from actseg_core.predictor.base import Predictor
from actseg_core.predictor.network import NetworkPredictor
from actseg_core.predictor.objects import ObjectPredictor
from actseg_core.text.sentence import SentenceReader, load_reader


def load_predictor(name: str, device: str, runtime: RuntimeConfig) -> Predictor:
    """See `Predictor.load`."""
    checkpoint = load_checkpoint(checkpoint_path(name))
    reader = load_reader(checkpoint.config.text, checkpoint.words)
    return make_predictor(checkpoint.model, reader, device, runtime)


def make_predictor(
    model: Network | ObjectsModel,
    reader: SentenceReader,
    device: str = "cpu",
    runtime: RuntimeConfig | None = None,
) -> Predictor:
    """The predictor for a network in memory; without a runtime PyTorch runs it."""
    if isinstance(model, ObjectsModel):
        return ObjectPredictor(model, reader, device, runtime)
    return NetworkPredictor(model, reader, device, runtime)
