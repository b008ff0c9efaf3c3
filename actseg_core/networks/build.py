"""The network of any configuration."""

from actseg_core.config import ModelConfig
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.two_stream import Network, build_model


def build_network(config: ModelConfig) -> Network | ObjectsModel:
    """The whole network of a configuration, randomly initialised, in evaluation mode."""
    return build_model(config) if config.has_response_maps else ObjectsModel(config).eval()
