"""The one interface behind which a network runs, whatever runs it."""

from collections.abc import Mapping

import torch
from torch import Tensor

from actseg_core.config import Stream
from actseg_core.networks.two_stream import Network
from actseg_core.runtime.graphs import Compiled, encoder_name

Features = dict[Stream, list[Tensor]]
"""What depends on the clip alone, per stream."""
Filters = dict[Stream, list[Tensor]]
"""What depends on the sentences alone, per stream; every tensor has one row per sentence."""


class Executor:
    """Runs a network; graphs that a runtime has made ready take the place of PyTorch's.

    Tensors in and out are float32 on `device`. Answers stay valid: no buffer is used again.

    Args:
        network: In evaluation mode, where it shall run.
        compiled: Graphs by name, see graphs.py; none: PyTorch runs everything.
        name: What runs it, for people.
        follows_weights: Whether later changes of the network's weights may come, so that nothing
            made from them is kept.
    """

    def __init__(
        self,
        network: Network,
        compiled: Mapping[str, Compiled] | None = None,
        name: str = "torch",
        follows_weights: bool = False,
    ) -> None:
        self.network = network
        self.name = name
        self.follows_weights = follows_weights
        self._compiled = dict(compiled or {})
        self._type = next(network.parameters()).dtype

    @torch.inference_mode()
    def encode(self, clips: Mapping[Stream, Tensor]) -> Features:
        """Features of whole (1, C, T, S, S) clips in [-1, 1]."""
        return {name: self._encode(name, clips[name]) for name in self.network.config.streams}

    def _encode(self, name: Stream, clip: Tensor) -> list[Tensor]:
        run = self._compiled.get(encoder_name(name))
        if run is None:
            return self.network.stream(name).encode(clip.to(self._type))
        return run([clip.contiguous()])

    @torch.inference_mode()
    def filters(self, words: Tensor) -> Filters:
        """Filters of the sentences with the word vectors (Q, L, W); zero rows are padding."""
        network = self.network
        return network.dynamic_filters(network.encode_sentences(words.to(self._type)))

    @torch.inference_mode()
    def respond(self, features: Features, filters: Filters) -> list[Tensor]:
        """Fused response maps, a list of (Q, r, r) float32 logits, coarse to fine."""
        return [item.float() for item in self.network.filter_features(features, filters)]
