"""The networks that are measured, at any size and on any runtime."""

from dataclasses import dataclass

from actseg_core.checkpoints.checkpoint import checkpoint_path, load_checkpoint
from actseg_core.config import FlowConfig, ModelConfig, RuntimeConfig, load_preset
from actseg_core.errors import ConfigError
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.predictor import Predictor
from actseg_core.text.sentence import SentenceReader, load_reader


@dataclass(frozen=True)
class Networks:
    """One network's weights and vocabulary, from which predictors of several sizes are made.

    Attributes:
        config: As stored.
        weights: Of this network.
        reader: Of its vocabulary.
    """

    config: ModelConfig
    weights: Network
    reader: SentenceReader

    def predictor(self, size: int, runtime: RuntimeConfig | None) -> Predictor:
        """At a size [px]; without a runtime by PyTorch, layer by layer."""
        network = build_model(self.config.model_copy(update={"size": size}))
        network.load_state_dict(self.weights.state_dict())
        return Predictor(network, self.reader, runtime=runtime)


def lite(name: str) -> Networks:
    """A lite network with its weights.

    Raises:
        CheckpointError: If there is no such preset or file, or it does not fit.
        ConfigError: If it is no lite network.
    """
    checkpoint = load_checkpoint(checkpoint_path(name))
    if checkpoint.config.kind != "lite":
        raise ConfigError(
            f"{name} is a network of kind {checkpoint.config.kind}; the benchmark streams a lite "
            "one and measures the paper's beside it, without weights"
        )
    reader = load_reader(checkpoint.config.text, checkpoint.words)
    return Networks(checkpoint.config, checkpoint.model, reader)


def paper() -> Networks:
    """The paper's network with random weights, on the flow that is fast enough for a camera."""
    config = load_preset("paper").model_copy(update={"flow": FlowConfig(estimator="dis")})
    return Networks(config, build_model(config), load_reader(config.text))
