"""A network cut into the graphs that a runtime runs, by the methods of the segmenters alone.

    encoder_STREAM  clip -> features                          once per window
    decoder         features, word vectors -> responses       exported, not run here

The sentences' filters are made by PyTorch, once per change of sentence, and so are the responses,
which are a few milliseconds per window.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from actseg_core.config import Stream
from actseg_core.networks.segmenter import presence_score
from actseg_core.networks.two_stream import Network

CHANNELS: dict[Stream, int] = {"rgb": 3, "flow": 2}
EXAMPLE_SENTENCES = 3
RUNNING = ("encoder",)
EXPORTED = ("encoder", "decoder")

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

    def example(self, sentences: int | None = None) -> list[Tensor]:
        """The example inputs, of the first so many sentences."""
        return [
            value[:sentences] if name in self.per_sentence else value
            for name, value in self.inputs.items()
        ]


def encoder_name(stream: Stream) -> str:
    """Name of the graph that encodes a whole clip."""
    return f"encoder_{stream}"


class _Encoder(nn.Module):
    def __init__(self, stream: nn.Module) -> None:
        super().__init__()
        self.stream = stream

    def forward(self, clip: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.stream.encode(clip))  # type: ignore[operator]


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
        graphs.append(_encoder_graph(network, name, random))
        features[name] = {f"{name}_{key}": value for key, value in graphs[-1].outputs.items()}
    if "decoder" in kinds:
        graphs.append(_decoder_graph(network, features, words))
    return [graph for graph in graphs if graph.name.partition("_")[0] in kinds]


def _encoder_graph(network: Network, name: Stream, random: torch.Generator) -> Graph:
    frames = [_picture(network, name, random) for _ in range(network.config.frames)]
    clip = torch.stack(frames, dim=2)
    encoder = _Encoder(network.stream(name))
    features = {f"features_{index}": item for index, item in enumerate(encoder(clip))}
    return Graph(encoder_name(name), encoder, {"clip": clip}, features)


def _decoder_graph(
    network: Network, features: dict[Stream, dict[str, Tensor]], words: Tensor
) -> Graph:
    module = _Decoder(network, {name: len(items) for name, items in features.items()})
    inputs = {name: value for items in features.values() for name, value in items.items()}
    inputs["words"] = words
    *coarse, logits, score = module(*inputs.values())
    outputs = {f"response_{item.shape[-1]}": item for item in coarse}
    outputs |= {"mask_logits": logits, "presence_score": score}
    return Graph("decoder", module, inputs, outputs, frozenset({"words", *outputs}))


def _picture(network: Network, name: Stream, random: torch.Generator) -> Tensor:
    """(1, C, S, S) in [-1, 1]: a coarse pattern, since noise alone looks the same everywhere."""
    coarse = torch.rand(1, CHANNELS[name], 8, 8, generator=random) * 2 - 1
    size = network.config.size
    picture = nn.functional.interpolate(coarse, size=(size, size), mode="nearest")
    return picture.to(next(network.parameters()).device)
