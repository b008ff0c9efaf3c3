"""The lite network, one stream: whole clips for training, frame by frame for streaming."""

import torch
from torch import Tensor, nn

from actseg_core.config import ModelConfig, Stream
from actseg_core.errors import ShapeError
from actseg_core.networks.lite import Join, ResponseHead, TemporalHead
from actseg_core.networks.lite_trunk import FlowTrunk, Pyramid, RgbTrunk, Trunk
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.sentence_encoder import build_sentence_encoder


class LiteSegmenter(Segmenter):
    """Per-frame trunk, a ring of its stride-16 features, temporal head, join, dynamic filters.

    The label frame is the newest, so no frame waits for the future. Stepping (`step` per frame,
    then `join`) computes exactly what `encode` computes on the whole window.

    Args:
        config: The model's configuration; `config.lite` is this network's part.
        stream: "rgb" reads 3 channels, "flow" 2.
    """

    def __init__(self, config: ModelConfig, stream: Stream) -> None:
        super().__init__()
        lite = config.lite
        # T frames have T - 1 fields between them; the repeated last one of a clip is not read,
        # so that a field belongs to its two frames alone and can be kept while the window moves.
        self.entries = config.frames if stream == "rgb" else config.frames - 1
        taps = min(lite.rgb_taps if stream == "rgb" else lite.flow_taps, self.entries)
        self.taps = tap_indices(self.entries, taps)
        self.frames = config.frames
        self.in_channels = 3 if stream == "rgb" else 2
        self.trunk: Trunk = RgbTrunk() if stream == "rgb" else FlowTrunk()
        self.to_ring = nn.Conv2d(self.trunk.channels[2], lite.ring_channels, 1)
        self.temporal = TemporalHead(lite.ring_channels, lite.channels[0], taps)
        self.joiner = Join(self.trunk.channels, lite)
        self.sentence_encoder = build_sentence_encoder(config.text)
        self.head = ResponseHead(config.text.sentence_dim, lite)
        self.past_gradient = stream == "flow"

    def step(self, frames: Tensor) -> tuple[Pyramid, Tensor]:
        """Everything that depends on one frame alone.

        Args:
            frames: (N, C, S, S) in [-1, 1].

        Returns:
            The pyramid, and the ring entry (N, ring_channels, S/16, S/16).
        """
        pyramid = self.trunk(frames)
        return pyramid, self.to_ring(pyramid.stride16)

    def join(self, newest: Pyramid, ring: list[Tensor]) -> list[Tensor]:
        """Features of the window from its newest pyramid and its ring entries, oldest first.

        Raises:
            ShapeError: If the ring does not hold `self.entries` entries.
        """
        if len(ring) != self.entries:
            raise ShapeError(f"the ring must hold {self.entries} entries, got {len(ring)}")
        taps = torch.stack([ring[index] for index in self.taps], dim=2)
        features: list[Tensor] = self.joiner(newest, self.temporal(taps))
        return features

    def encode(self, clip: Tensor) -> list[Tensor]:
        if clip.shape[1] != self.in_channels or clip.shape[2] != self.frames:
            raise ShapeError(
                f"clip must be (B, {self.in_channels}, {self.frames}, S, S), "
                f"got {tuple(clip.shape)}"
            )
        pyramid, newest = self.step(clip[:, :, self.entries - 1])
        ring = [self._past_entry(clip[:, :, index]) for index in self.taps[:-1]]
        taps = torch.stack([*ring, newest], dim=2)
        features: list[Tensor] = self.joiner(pyramid, self.temporal(taps))
        return features

    def _past_entry(self, frames: Tensor) -> Tensor:
        # Frame by frame, not in one batch: a frame's activations stay in the CPU's cache, which
        # halves the time. The RGB trunk learns from the newest frame alone: three quarters of
        # its training cost would otherwise go into near copies of the same picture.
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.past_gradient):
            features = self.trunk.to_stride16(frames)
        entry: Tensor = self.to_ring(features)
        return entry

    def encode_sentences(self, words: Tensor) -> Tensor:
        sentences: Tensor = self.sentence_encoder(words)
        return sentences

    def respond(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.head(features, sentences)
        return maps


def tap_indices(frames: int, taps: int) -> tuple[int, ...]:
    """Evenly spaced frame indices that end with the newest; (0, 5, 10, 15) for 4 of 16."""
    if taps == 1:
        return (frames - 1,)
    return tuple(round(index * (frames - 1) / (taps - 1)) for index in range(taps))
