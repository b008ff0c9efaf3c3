"""A network cut into the graphs that a runtime runs, by the methods of the segmenters alone.

    lite:  trunk_STREAM  frame -> pyramid, ring entry        once per frame
           head_STREAM   pyramid, ring taps -> features      once per answered frame
           respond       features, filters -> responses      once per answered frame
    other: encoder_STREAM  clip -> features                  once per window

The sentences' filters are made by PyTorch, once per change of sentence. So are the responses of
the other networks, which are a few milliseconds per window.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from actseg_core.config import Stream
from actseg_core.networks.lite import LiteSegmenter
from actseg_core.networks.lite_trunk import Pyramid
from actseg_core.networks.segmenter import presence_score
from actseg_core.networks.two_stream import Network

CHANNELS: dict[Stream, int] = {"rgb": 3, "flow": 2}
EXAMPLE_SENTENCES = 3
PYRAMID = Pyramid._fields
RUNNING = ("trunk", "head", "respond", "encoder")
EXPORTED = ("trunk", "head", "encoder", "decoder")

Compiled = Callable[[Sequence[Tensor]], list[Tensor]]
"""A graph made ready by a runtime: inputs to outputs, in the graph's order."""


@dataclass(frozen=True, eq=False)
class Graph:
    """One part of a network with example inputs and what PyTorch makes of them.

    Attributes:
        name: As listed at the top of this module.
        module: Tensors in, tuple of tensors out.
        inputs: Example inputs by name, in order.
        outputs: What the network itself answers to them, by name, in order.
        per_sentence: Names of inputs and outputs whose first axis is the number of sentences.
        open_sides: Names of inputs and outputs that depend on the picture's sides, and the names
            of those axes.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    per_sentence: frozenset[str] = frozenset()
    open_sides: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    @property
    def is_of_a_stream(self) -> bool:
        """Whether it belongs to one stream of several."""
        return self.name.rpartition("_")[2] in CHANNELS

    def example(self, sentences: int | None = None) -> list[Tensor]:
        """The example inputs, of the first so many sentences."""
        return [
            value[:sentences] if name in self.per_sentence else value
            for name, value in self.inputs.items()
        ]


def trunk_name(stream: Stream) -> str:
    """Name of the graph that runs once per frame."""
    return f"trunk_{stream}"


def head_name(stream: Stream) -> str:
    """Name of the graph that joins the window's features."""
    return f"head_{stream}"


def encoder_name(stream: Stream) -> str:
    """Name of the graph that encodes a whole clip."""
    return f"encoder_{stream}"


class _Trunk(nn.Module):
    def __init__(self, stream: LiteSegmenter) -> None:
        super().__init__()
        self.stream = stream

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        pyramid, entry = self.stream.step(frame)
        return (*pyramid, entry)


class _Head(nn.Module):
    """Only the tapped ring entries are inputs; what `join` does not read is not there."""

    def __init__(self, stream: LiteSegmenter) -> None:
        super().__init__()
        self.stream = stream

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        pyramid, taps = Pyramid(*tensors[: len(PYRAMID)]), tensors[len(PYRAMID) :]
        ring = [taps[-1]] * self.stream.entries
        for index, tap in zip(self.stream.taps, taps, strict=True):
            ring[index] = tap
        return tuple(self.stream.join(pyramid, ring))


class _Encoder(nn.Module):
    def __init__(self, stream: nn.Module) -> None:
        super().__init__()
        self.stream = stream

    def forward(self, clip: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.stream.encode(clip))  # type: ignore[operator]


class _Respond(nn.Module):
    """Features of all streams, then filters of all streams, to fused response maps."""

    def __init__(self, network: Network, features: dict[Stream, int], filters: int) -> None:
        super().__init__()
        self.network = network
        self.features = features
        self.filters = filters

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        rest = list(tensors)
        features = {name: [rest.pop(0) for _ in range(n)] for name, n in self.features.items()}
        filters = {name: [rest.pop(0) for _ in range(self.filters)] for name in self.features}
        return tuple(self.network.filter_features(features, filters))


class _Decoder(nn.Module):
    """Features of all streams and word vectors to response maps and the presence score."""

    def __init__(self, network: Network, features: dict[Stream, int]) -> None:
        super().__init__()
        self.network = network
        self.features = features

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        rest = list(tensors)
        features = {name: [rest.pop(0) for _ in range(n)] for name, n in self.features.items()}
        responses = self.network.respond(features, self.network.encode_sentences(rest[0]))
        return (*responses, presence_score(responses))


@torch.no_grad()  # not inference mode: its tensors cannot be traced
def make_graphs(network: Network, kinds: Sequence[str] = RUNNING, seed: int = 0) -> list[Graph]:
    """The graphs of a network, each with examples that follow from one another.

    Args:
        network: In evaluation mode.
        kinds: Which graphs: names up to the underscore.
        seed: Of the example clip and words.
    """
    random = torch.Generator().manual_seed(seed)
    text = network.config.text
    words = torch.randn(EXAMPLE_SENTENCES, text.max_words, text.word_dim, generator=random)
    words[1:, text.max_words // 2 :] = 0.0  # shorter sentences end in padding
    words = words.to(next(network.parameters()).device)
    graphs = []
    features: dict[Stream, dict[str, Tensor]] = {}
    for name in network.config.streams:
        made = _lite_stream if network.config.kind == "lite" else _whole_stream
        graphs += made(network, name, random)
        features[name] = {f"{name}_{key}": value for key, value in graphs[-1].outputs.items()}
    if "respond" in kinds and network.config.kind == "lite":
        graphs.append(_respond_graph(network, features, words))
    if "decoder" in kinds:
        graphs.append(_decoder_graph(network, features, words))
    return [graph for graph in graphs if graph.name.partition("_")[0] in kinds]


def _lite_stream(network: Network, name: Stream, random: torch.Generator) -> list[Graph]:
    stream = network.stream(name)
    assert isinstance(stream, LiteSegmenter)
    frames = [_picture(network, name, random) for _ in stream.taps]
    trunk = _Trunk(stream)
    stepped = [trunk(frame) for frame in frames]
    pyramid = dict(zip(PYRAMID, stepped[-1], strict=False))
    taps = {f"entry_{index}": item[-1] for index, item in zip(stream.taps, stepped, strict=True)}
    head = _Head(stream)
    newest = stepped[-1][-1]
    joined = head(*pyramid.values(), *taps.values())
    features = {f"features_{index}": item for index, item in enumerate(joined)}
    return [
        Graph(trunk_name(name), trunk, {"frame": frames[-1]}, {**pyramid, "entry": newest}),
        Graph(head_name(name), head, {**pyramid, **taps}, features),
    ]


def _whole_stream(network: Network, name: Stream, random: torch.Generator) -> list[Graph]:
    frames = [_picture(network, name, random) for _ in range(network.config.frames)]
    clip = torch.stack(frames, dim=2)
    encoder = _Encoder(network.stream(name))
    features = {f"features_{index}": item for index, item in enumerate(encoder(clip))}
    return [Graph(encoder_name(name), encoder, {"clip": clip}, features)]


def _respond_graph(
    network: Network, features: dict[Stream, dict[str, Tensor]], words: Tensor
) -> Graph:
    made = network.dynamic_filters(network.encode_sentences(words))
    filters = {
        f"{name}_filters_{index}": item
        for name, items in made.items()
        for index, item in enumerate(items)
    }
    counts = {name: len(items) for name, items in features.items()}
    module = _Respond(network, counts, len(filters) // len(made))
    inputs = {**_flat(features), **filters}
    maps = module(*inputs.values())
    outputs = {f"response_{item.shape[-1]}": item for item in maps}
    return Graph("respond", module, inputs, outputs, frozenset({*filters, *outputs}))


def _decoder_graph(
    network: Network, features: dict[Stream, dict[str, Tensor]], words: Tensor
) -> Graph:
    module = _Decoder(network, {name: len(items) for name, items in features.items()})
    inputs = {**_flat(features), "words": words}
    *coarse, logits, score = module(*inputs.values())
    outputs = {f"response_{item.shape[-1]}": item for item in coarse}
    outputs |= {"mask_logits": logits, "presence_score": score}
    return Graph("decoder", module, inputs, outputs, frozenset({"words", *outputs}))


def _flat(features: dict[Stream, dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: value for items in features.values() for name, value in items.items()}


def _picture(network: Network, name: Stream, random: torch.Generator) -> Tensor:
    """(1, C, S, S) in [-1, 1]: a coarse pattern, since noise alone looks the same everywhere."""
    coarse = torch.rand(1, CHANNELS[name], 8, 8, generator=random) * 2 - 1
    size = network.config.size
    picture = nn.functional.interpolate(coarse, size=(size, size), mode="nearest")
    return picture.to(next(network.parameters()).device)
