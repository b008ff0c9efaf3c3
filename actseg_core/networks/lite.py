"""From per-frame features to response maps: temporal head, feature join, dynamic filters."""

import torch
from torch import Tensor, nn

from actseg_core.config import LiteConfig
from actseg_core.networks.lite_trunk import ConvNorm, Pyramid, grid, resize


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
