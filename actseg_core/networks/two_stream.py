"""Networks by configuration, and the fusion of the RGB and the flow stream."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from actseg_core.config import ModelConfig, Stream
from actseg_core.errors import ShapeError
from actseg_core.networks.baselines import build_baseline
from actseg_core.networks.paper import ActorActionSegmenter
from actseg_core.networks.segmenter import Segmenter


def fuse(responses: Mapping[Stream, Tensor], weights: Mapping[Stream, float]) -> Tensor:
    """Weighted mean of response maps; with the paper's weights (2 RGB + flow) / 3.

    Args:
        responses: (Q, r, r) logits per stream, all of one shape.
        weights: Weight per stream; only ratios matter.

    Raises:
        ShapeError: If the maps differ in shape or the weights sum to zero.
    """
    # Compared, not collected in a set: exporters take sizes for values, which no set finds equal.
    first = next(iter(responses.values()))
    total = sum(weights[name] for name in responses)
    if any(item.shape != first.shape for item in responses.values()) or total <= 0:
        raise ShapeError(
            "fusion needs maps of one shape and a positive sum of weights, got "
            f"{sorted({tuple(item.shape) for item in responses.values()})} and {total}"
        )
    return sum(
        (response * (weights[name] / total) for name, response in responses.items()),
        start=first.new_zeros(()),
    )


Model = TypeVar("Model", bound=nn.Module)


class Network(nn.Module):
    """One or two streams; with two, response maps are averaged, RGB 2 : flow 1 (section 5.1).

    Clips, features and sentence vectors are mappings from stream name to tensor, because each
    stream is a network of its own with its own sentence encoder.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.streams = nn.ModuleDict(
            {stream: build_stream(config, stream) for stream in config.streams}
        )
        self.weights: dict[Stream, float] = {"rgb": config.rgb_weight, "flow": config.flow_weight}

    def stream(self, name: Stream) -> Segmenter:
        """The network of one stream."""
        module = self.streams[name]
        assert isinstance(module, Segmenter)
        return module

    def encode(self, clips: Mapping[Stream, Tensor]) -> dict[Stream, list[Tensor]]:
        """Sentence-independent features per stream of (B, C, T, S, S) clips."""
        return {name: self.stream(name).encode(clips[name]) for name in self.config.streams}

    def encode_frozen(self, clips: Mapping[Stream, Tensor]) -> dict[Stream, Tensor]:
        """What the layers that no training changes make of the clips, per stream."""
        return {name: self.stream(name).encode_frozen(clips[name]) for name in self.config.streams}

    def encode_from_frozen(self, frozen: Mapping[Stream, Tensor]) -> dict[Stream, list[Tensor]]:
        """The features of `encode` per stream, from the output of `encode_frozen`."""
        return {
            name: self.stream(name).encode_from_frozen(frozen[name])
            for name in self.config.streams
        }

    def encode_sentences(self, words: Tensor) -> dict[Stream, Tensor]:
        """Sentence vectors per stream of word vectors (Q, L, W)."""
        return {name: self.stream(name).encode_sentences(words) for name in self.config.streams}

    def dynamic_filters(self, sentences: Mapping[Stream, Tensor]) -> dict[Stream, list[Tensor]]:
        """What `filter_features` wants of the sentences, per stream."""
        return {
            name: self.stream(name).dynamic_filters(sentences[name])
            for name in self.config.streams
        }

    def filter_features(
        self, features: Mapping[Stream, list[Tensor]], filters: Mapping[Stream, list[Tensor]]
    ) -> list[Tensor]:
        """The fused response maps of `respond` from filters that are already made."""
        return self.fuse(
            {
                name: self.stream(name).filter_features(features[name], filters[name])
                for name in self.config.streams
            }
        )

    def respond_streams(
        self, features: Mapping[Stream, list[Tensor]], sentences: Mapping[Stream, Tensor]
    ) -> dict[Stream, list[Tensor]]:
        """Response maps per stream, before fusion: what each stream's loss is computed on."""
        return {
            name: self.stream(name).respond(features[name], sentences[name])
            for name in self.config.streams
        }

    def respond(
        self, features: Mapping[Stream, list[Tensor]], sentences: Mapping[Stream, Tensor]
    ) -> list[Tensor]:
        """Fused response maps, a list of (Q, r, r) logits, coarse to fine."""
        return self.fuse(self.respond_streams(features, sentences))

    def fuse(self, responses: Mapping[Stream, list[Tensor]]) -> list[Tensor]:
        """Weighted mean of the streams' response maps, resolution by resolution."""
        count = len(next(iter(responses.values())))
        return [
            fuse({name: maps[level] for name, maps in responses.items()}, self.weights)
            for level in range(count)
        ]

    def forward(self, clips: Mapping[Stream, Tensor], words: Tensor) -> list[Tensor]:
        """Fused response maps of B clips, each with its own sentence."""
        return self.respond(self.encode(clips), self.encode_sentences(words))


def build_stream(config: ModelConfig, stream: Stream) -> Segmenter:
    """The network of one stream, randomly initialised."""
    if config.kind == "actor_action":
        return ActorActionSegmenter(config, stream)
    return build_baseline(config)


def build_model(config: ModelConfig) -> Network:
    """The whole network of a configuration, randomly initialised, in evaluation mode."""
    return Network(config).eval()


def parameter_count(model: nn.Module) -> int:
    """Number of scalar parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def to_channels_last(model: Model) -> Model:
    """Put 2-D filters in the memory format in which CPU convolutions run fastest, in place."""
    for parameter in model.parameters():
        if parameter.ndim == 4:  # Module.to refuses models that hold 3-D filters, too
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model
