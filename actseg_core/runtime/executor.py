"""The one interface behind which a network runs, whatever runs it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from actseg_core.config import Stream
from actseg_core.networks.lite import LiteSegmenter
from actseg_core.networks.lite_trunk import Pyramid
from actseg_core.networks.two_stream import Network
from actseg_core.runtime.graphs import Compiled, encoder_name, head_name, trunk_name

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
        side_by_side: Whether the streams' graphs have cores of their own, so that two streams are
            best stepped and joined in two threads at once.
    """

    def __init__(
        self,
        network: Network,
        compiled: Mapping[str, Compiled] | None = None,
        name: str = "torch",
        follows_weights: bool = False,
        side_by_side: bool = False,
    ) -> None:
        self.network = network
        self.name = name
        self.follows_weights = follows_weights
        self.side_by_side = side_by_side
        self._compiled = dict(compiled or {})
        self._type = next(network.parameters()).dtype

    @property
    def steps(self) -> bool:
        """Whether the network can be run frame by frame."""
        return self.network.config.kind == "lite"

    @torch.inference_mode()
    def encode(self, clips: Mapping[Stream, Tensor]) -> Features:
        """Features of whole (1, C, T, S, S) clips in [-1, 1]."""
        return {name: self._encode(name, clips[name]) for name in self.network.config.streams}

    def _encode(self, name: Stream, clip: Tensor) -> list[Tensor]:
        run = self._compiled.get(encoder_name(name))
        if run is not None:
            return run([clip.contiguous()])
        stream = self.network.stream(name)
        if not isinstance(stream, LiteSegmenter) or trunk_name(name) not in self._compiled:
            return stream.encode(clip.to(self._type))
        ring: list[Tensor | None] = [None] * stream.entries
        for index in stream.taps:
            pyramid, ring[index] = self.step(name, clip[:, :, index])
        return self.join(name, pyramid, ring)

    def entries(self, name: Stream) -> int:
        """Ring entries of a window of a lite network's stream."""
        return self._lite(name).entries

    @torch.inference_mode()
    def step(self, name: Stream, frame: Tensor) -> tuple[Pyramid, Tensor]:
        """Pyramid and ring entry of one (1, C, S, S) frame in [-1, 1]; lite networks only."""
        run = self._compiled.get(trunk_name(name))
        if run is None:
            return self._lite(name).step(frame.to(self._type))
        *levels, entry = run([frame.contiguous()])
        return Pyramid(*levels), entry

    @torch.inference_mode()
    def join(self, name: Stream, newest: Pyramid, ring: Sequence[Tensor | None]) -> list[Tensor]:
        """Features of the window from its newest pyramid and its ring entries, oldest first.

        Entries between the stream's taps are not read and may be None.

        Raises:
            ShapeError: If the ring does not hold as many entries as the stream wants.
        """
        stream = self._lite(name)
        run = self._compiled.get(head_name(name))
        if run is None or len(ring) != stream.entries:
            filler = ring[-1] if ring else None
            held = [filler if entry is None else entry for entry in ring]
            return stream.join(newest, [entry for entry in held if entry is not None])
        taps = [ring[index] for index in stream.taps]
        return run([*newest, *(entry for entry in taps if entry is not None)])

    @torch.inference_mode()
    def filters(self, words: Tensor) -> Filters:
        """Filters of the sentences with the word vectors (Q, L, W); zero rows are padding."""
        network = self.network
        return network.dynamic_filters(network.encode_sentences(words.to(self._type)))

    @torch.inference_mode()
    def respond(self, features: Features, filters: Filters) -> list[Tensor]:
        """Fused response maps, a list of (Q, r, r) float32 logits, coarse to fine."""
        run = self._compiled.get("respond")
        if run is None:
            maps = self.network.filter_features(features, filters)
            return [item.float() for item in maps]
        streams = self.network.config.streams
        inputs = [item for name in streams for item in features[name]]
        return run([*inputs, *(item for name in streams for item in filters[name])])

    def _lite(self, name: Stream) -> LiteSegmenter:
        stream = self.network.stream(name)
        assert isinstance(stream, LiteSegmenter)
        return stream
