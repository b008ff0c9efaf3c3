"""The lite network: trunk of each frame, temporal head, dynamic filters, one response map."""

import torch
from torch import Tensor, nn

from actseg_core.config import LiteConfig, ModelConfig, Stream
from actseg_core.errors import ShapeError
from actseg_core.networks.lite_trunk import (
    ConvNorm,
    FlowTrunk,
    Pyramid,
    RgbTrunk,
    Trunk,
    grid,
    resize,
)
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.sentence_encoder import build_sentence_encoder


class TemporalHead(nn.Module):
    """3-D convolutions over the ring of per-frame features ("top-heavy", as in S3D).

    Shape:
        ring: (B, ring_channels, taps, h, w), oldest first.
        returns: (B, outputs, h, w).
    """

    def __init__(self, channels: int, outputs: int, taps: int) -> None:
        super().__init__()
        step = 1 if taps <= 4 else next(step for step in (4, 3, 2, 1) if taps % step == 0)
        self.layers = nn.Sequential(
            nn.Conv3d(channels, outputs, (step, 1, 1), stride=(step, 1, 1), bias=False),
            nn.BatchNorm3d(outputs, momentum=0.01),
            nn.ReLU(),
            nn.Conv3d(outputs, outputs, (taps // step, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(outputs, momentum=0.01),
            nn.ReLU(),
        )

    def forward(self, ring: Tensor) -> Tensor:
        result: Tensor = self.layers(ring)
        return result[:, :, 0]


class Smooth(nn.Sequential):
    """Depthwise 3x3 then pointwise convolution, each with norm and ReLU6."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            ConvNorm(channels, channels, 3, groups=channels), ConvNorm(channels, channels)
        )


class Join(nn.Module):
    """Join the newest frame's pyramid and the temporal features, top down, to strides 16, 8, 4."""

    def __init__(self, trunk_channels: tuple[int, int, int, int], config: LiteConfig) -> None:
        super().__init__()
        at16, at8, at4 = config.channels
        from4, from8, from16, from32 = trunk_channels
        self.lateral32 = nn.Conv2d(from32, at16, 1)
        self.lateral16 = nn.Conv2d(from16, at16, 1)
        self.lateral8 = nn.Conv2d(from8, at8, 1)
        self.lateral4 = nn.Conv2d(from4, at4, 1)
        self.down16 = nn.Conv2d(at16, at8, 1)
        self.down8 = nn.Conv2d(at8, at4, 1)
        self.smooth16 = nn.Sequential(Smooth(at16), Smooth(at16))
        self.smooth8 = Smooth(at8)
        self.smooth4 = Smooth(at4)

    def forward(self, pyramid: Pyramid, temporal: Tensor) -> list[Tensor]:
        """Features at strides 16, 8 and 4, each with 2 coordinate channels appended."""
        top = resize(self.lateral32(pyramid.stride32), pyramid.stride16)
        joined16 = self.smooth16(top + self.lateral16(pyramid.stride16) + temporal)
        joined8 = self.smooth8(
            resize(self.down16(joined16), pyramid.stride8) + self.lateral8(pyramid.stride8)
        )
        joined4 = self.smooth4(
            resize(self.down8(joined8), pyramid.stride4) + self.lateral4(pyramid.stride4)
        )
        return [
            torch.cat((joined, grid(joined).expand(len(joined), -1, -1, -1)), dim=1)
            for joined in (joined16, joined8, joined4)
        ]


class FilterBank(nn.Module):
    """K dynamic 1x1 filters per sentence with bias (paper equations 1 and 2, K = 1 there).

    Shape:
        sentences: (Q, D); features: (Q or 1, C, h, w); returns: (Q, K, h, w).
    """

    def __init__(self, sentence_dim: int, channels: int, filters: int) -> None:
        super().__init__()
        self.filters = filters
        self.to_filters = nn.Linear(sentence_dim, filters * channels)
        self.to_bias = nn.Linear(sentence_dim, filters)

    def forward(self, sentences: Tensor, features: Tensor) -> Tensor:
        kernels = torch.tanh(self.to_filters(sentences)).view(sentences.shape[0], self.filters, -1)
        flat = features.flatten(2)  # (Q or 1, C, h*w): matmul broadcasts the clip
        responses = torch.baddbmm(
            self.to_bias(sentences).unsqueeze(2), kernels, flat.expand(sentences.shape[0], -1, -1)
        )
        return responses.view(sentences.shape[0], self.filters, *features.shape[2:])


class ResponseHead(nn.Module):
    """Response maps of r = 1 (presence), S/16, S/8 and S/4 from joined features and sentences.

    The K responses of strides 16 and 8 pass a small shared network, so that "red" and "running"
    can be required together, which one linear filter cannot; stride 4 adds detail linearly.
    """

    def __init__(self, sentence_dim: int, config: LiteConfig) -> None:
        super().__init__()
        at16, at8, at4 = (channels + 2 for channels in config.channels)
        self.bank16 = FilterBank(sentence_dim, at16, config.filters)
        self.bank8 = FilterBank(sentence_dim, at8, config.filters)
        self.bank4 = FilterBank(sentence_dim, at4, 1)
        hidden = 2 * config.filters
        self.mix16 = nn.Sequential(
            nn.Conv2d(config.filters, hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, padding=2, dilation=2),
            nn.ReLU(),
        )
        self.mix8 = nn.Sequential(
            nn.Conv2d(hidden + config.filters, hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.ReLU(),
        )
        self.to16 = nn.Conv2d(hidden, 1, 1)
        self.to8 = nn.Conv2d(hidden, 1, 1)
        self.presence = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def forward(self, features: list[Tensor], sentences: Tensor) -> list[Tensor]:
        at16, at8, at4 = features
        mixed16 = self.mix16(self.bank16(sentences, at16))
        responses8 = self.bank8(sentences, at8)
        mixed8 = self.mix8(torch.cat((resize(mixed16, responses8), responses8), dim=1))
        map8 = self.to8(mixed8)
        map4 = resize(map8, at4) + self.bank4(sentences, at4)
        pooled = torch.cat((mixed16.amax(dim=(2, 3)), mixed8.amax(dim=(2, 3))), dim=1)
        presence = self.presence(pooled).unsqueeze(2)
        return [presence, self.to16(mixed16)[:, 0], map8[:, 0], map4[:, 0]]


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
