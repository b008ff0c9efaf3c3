"""Every runtime answers as PyTorch does: whole clips, streams, any number of sentences."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from actseg_core.config import ModelConfig, RuntimeConfig, StreamConfig
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.predictor import NetworkPredictor, Predictor
from actseg_core.runtime.select import make_executor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors
from actseg_core.types import Frame

RUNTIMES = ("torch", "onnxruntime", "openvino")


def clips(config: ModelConfig, seed: int = 0) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(seed)
    shape = (config.frames, config.size, config.size)
    return {
        name: torch.rand(1, channels, *shape, generator=random) * 2 - 1
        for name, channels in (("rgb", 3), ("flow", 2))
        if name in config.streams
    }


def words(count: int, config: ModelConfig) -> Tensor:
    values = torch.randn(count, config.text.max_words, config.text.word_dim)
    values[:, 3:] = 0.0
    return values


def reference(network: Network, clip: dict[str, Tensor], asked: Tensor) -> list[Tensor]:
    with torch.no_grad():
        maps = network.respond(network.encode(clip), network.encode_sentences(asked))
    return list(maps)


def assert_equal(ours: list[Tensor], theirs: list[Tensor]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_whole_clips_are_answered_as_by_the_network_itself(
    runtime: str, paper: Network, cache: Path
) -> None:
    network = paper
    executor = make_executor(network, RuntimeConfig(runtime=runtime), cache)
    assert executor.name == runtime
    clip = clips(network.config, seed=5)
    features = executor.encode(clip)
    for count in (1, 2, 5):
        asked = words(count, network.config)
        answered = executor.respond(features, executor.filters(asked))
        assert_equal(answered, reference(network, clip, asked))


@pytest.mark.parametrize(
    ("runtime", "streams"),
    [
        ("torch", ("rgb", "flow")),
        ("onnxruntime", ("rgb", "flow")),
        ("onnxruntime", ("flow",)),
        ("openvino", ("rgb", "flow")),
        ("openvino", ("rgb",)),
    ],
)
def test_a_stream_on_every_runtime_is_answered_as_whole_windows_are_in_pytorch(
    runtime: str,
    streams: tuple[str, ...],
    small_config: ModelConfig,
    vectors: WordVectors,
    moving_square: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    monkeypatch.setenv("ACTSEG_CACHE", str(cache))
    torch.manual_seed(0)
    network = build_model(small_config.model_copy(update={"streams": streams}))
    reader = SentenceReader(small_config.text, vectors)
    predictor = NetworkPredictor(network, reader, runtime=RuntimeConfig(runtime=runtime))
    plain = NetworkPredictor(network, reader)
    sentences = [plain.read("red dog running"), plain.read("person left")]
    engine = StreamingEngine(predictor, StreamConfig())
    engine.set_queries([("a", sentences[0]), ("b", sentences[1])])
    compared = 0
    stamp = 0
    for image, gap_ns in (*((item, 33_000_000) for item in moving_square), *late(moving_square)):
        stamp += gap_ns
        engine.push(Frame(image, stamp_ns=stamp, frame_id="cam"))
        if not engine.ready:
            continue
        assert engine.snapshot is not None
        streamed = engine.snapshot.encode()
        flow = engine._window.flow() if "flow" in streams else None
        whole = plain.encode(engine._window.images(), flow)
        ours = predictor.respond(streamed, sentences)
        theirs = plain.respond(whole, sentences)
        for sentence in sentences:
            np.testing.assert_allclose(ours[sentence].map, theirs[sentence].map, atol=1e-4, rtol=0)
            assert ours[sentence].score == pytest.approx(theirs[sentence].score, abs=1e-4)
            compared += 1
    assert engine.resets == 1
    assert compared == 2 * (5 + 3)


def late(images: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """A pause that empties the window, then ten frames: three full windows."""
    return [
        (image, 2_000_000_000 if not index else 33_000_000)
        for index, image in enumerate(images[::-1][:10])
    ]


def test_answers_stay_valid_when_more_is_run(paper: Network, cache: Path) -> None:
    for runtime in ("onnxruntime", "openvino"):
        executor = make_executor(paper, RuntimeConfig(runtime=runtime), cache)
        first, second = (clips(paper.config, seed) for seed in (1, 2))
        found = executor.encode(first)
        kept = {name: [item.clone() for item in items] for name, items in found.items()}
        executor.encode(second)
        for name, items in found.items():
            for item, copy in zip(items, kept[name], strict=True):
                assert torch.equal(item, copy)


def test_filters_are_made_once_per_change_of_sentence(
    small_config: ModelConfig, vectors: WordVectors, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTSEG_CACHE", str(cache))
    torch.manual_seed(0)
    network = build_model(small_config)
    reader = SentenceReader(small_config.text, vectors)
    predictor = NetworkPredictor(network, reader, runtime=RuntimeConfig(runtime="torch"))
    calls = []
    make = predictor.executor.filters
    monkeypatch.setattr(
        predictor.executor, "filters", lambda asked: calls.append(len(asked)) or make(asked)
    )
    features = predictor.executor.encode(clips(small_config))
    dog, person = predictor.read("dog"), predictor.read("person")

    predictor.respond(features, [dog])
    predictor.respond(features, [dog])
    predictor.respond(features, [dog, person])

    assert calls == [1, 2]


def test_without_a_runtime_changed_weights_are_followed(small_predictor: Predictor) -> None:
    features = small_predictor.executor.encode(clips(small_predictor.config))
    dog = small_predictor.read("dog")
    before = small_predictor.respond(features, [dog])[dog].map
    weight = next(small_predictor.model.stream("rgb").sentence_encoder.parameters())
    kept = weight.detach().clone()
    try:
        with torch.no_grad():
            weight.mul_(3.0)
        assert not np.array_equal(small_predictor.respond(features, [dog])[dog].map, before)
    finally:
        with torch.no_grad():
            weight.copy_(kept)
