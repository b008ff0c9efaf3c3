"""What Hu et al. and Li et al. have in common: the contract of a Segmenter, and what trains."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from actseg_core.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from actseg_core.config import ModelConfig, TextConfig
from actseg_core.errors import ConfigError, ShapeError
from actseg_core.networks.baselines import bilinear_kernel, build_baseline
from actseg_core.networks.segmenter import Segmenter
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import NetworkPredictor
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors
from actseg_core.types import Clip

KINDS = ("hu", "li")
Make = Callable[..., Segmenter]


@pytest.mark.parametrize("kind", KINDS)
def test_responses_are_logits_at_a_thirty_second_and_at_full_size(
    make: Make, clip: Tensor, words: Tensor, kind: str
) -> None:
    low, high = make(kind)(clip, words)
    assert low.shape == (3, 2, 2)
    assert high.shape == (3, 64, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_one_clip_answers_many_sentences_as_if_each_had_its_own_copy(
    make: Make, clip: Tensor, words: Tensor, kind: str
) -> None:
    network = make(kind)
    with torch.no_grad():
        sentences = network.encode_sentences(words)
        shared = network.respond(network.encode(clip[:1]), sentences)
        paired = network.respond(network.encode(clip[:1].expand(3, -1, -1, -1, -1)), sentences)
    for one, many in zip(shared, paired, strict=True):
        torch.testing.assert_close(one, many, atol=1e-5, rtol=1e-4)
    assert (shared[0][0] - shared[0][1]).abs().max() > 1e-4  # the sentence matters


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_answers_as_its_members_do(
    make: Make, clip: Tensor, words: Tensor, kind: str
) -> None:
    network = make(kind)
    with torch.no_grad():
        together = network(clip, words)[-1]
        alone = [network(clip[i : i + 1], words[i : i + 1])[-1] for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_left_and_right_are_told_apart_by_the_coordinates(make: Make, kind: str) -> None:
    network = make(kind)
    with torch.no_grad():
        features = network.encode(torch.zeros(1, 3, 1, 96, 96))
        low = network.respond(features, torch.ones(1, 8))[0]
    # The middle row of a blank image: zero padding makes its ends alike, coordinates do not.
    assert (low[0, 1, 0] - low[0, 1, 2]).abs() > 1e-3


@settings(max_examples=8, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    rows=st.integers(1, 3),
    columns=st.integers(1, 3),
    queries=st.integers(1, 4),
    length=st.integers(1, 20),
)
def test_any_size_number_of_sentences_and_length(
    kind: str, rows: int, columns: int, queries: int, length: int
) -> None:
    network = _cached(kind)
    with torch.no_grad():
        features = network.encode(torch.zeros(1, 3, 1, 32 * rows, 32 * columns))
        words = torch.randn((queries, length, 6), generator=torch.manual_seed(length))
        low, high = network.respond(features, network.encode_sentences(words))
    assert low.shape == (queries, rows, columns)
    assert high.shape == (queries, 32 * rows, 32 * columns)
    assert torch.isfinite(high).all()


_NETWORKS: dict[str, Segmenter] = {}


def _cached(kind: str) -> Segmenter:
    if kind not in _NETWORKS:
        text = TextConfig(encoder="lstm", word_dim=6, sentence_dim=8)
        baseline = {"width": 1 / 64, "visual_dim": 10, "embed_dim": 7, "hidden_dim": 5}
        config = ModelConfig.from_mapping(
            {"kind": kind, "streams": ["rgb"], "frames": 1, "text": text, "baseline": baseline}
        )
        _NETWORKS[kind] = build_baseline(config).eval()
    return _NETWORKS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_stays_within_three_percent_of_the_largest_response(
    make: Make, clip: Tensor, words: Tensor, kind: str
) -> None:
    network = make(kind)
    with torch.no_grad():
        expected = network(clip, words)[-1]
        actual = copy.deepcopy(network).bfloat16()(clip.bfloat16(), words.bfloat16())[-1]
    assert actual.dtype == torch.bfloat16
    assert (actual.float() - expected).abs().max() < 0.03 * expected.abs().max()


def _loss(responses: list[Tensor], alphas: tuple[float, float]) -> Tensor:
    """The logistic loss against "left half", skipping what has no weight."""
    parts = []
    for response, alpha in zip(responses, alphas, strict=True):
        target = torch.zeros_like(response)
        target[..., : response.shape[-1] // 2] = 1
        if alpha:
            parts.append(functional.binary_cross_entropy_with_logits(response, target))
    return torch.stack(parts).sum()


def _expected(name: str, trainable: str, stage: str) -> bool:
    if name.startswith("image_encoder.features"):
        return trainable == "all"
    if name.startswith("image_encoder"):
        return trainable != "none"
    return stage == "high" or not name.startswith("upsample")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trainable", ["fc", "all", "none"])
@pytest.mark.parametrize(("stage", "alphas"), [("low", (1.0, 0.0)), ("high", (0.0, 1.0))])
def test_ten_optimiser_steps_change_exactly_what_should_train(
    make: Make, clip: Tensor, words: Tensor, kind: str, trainable: str, stage: str, alphas: tuple
) -> None:
    network = make(kind, trainable).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trained = [item for item in network.parameters() if item.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=1e-3)
    losses = []
    for _ in range(10):
        optimiser.zero_grad()
        loss = _loss(network(clip, words), alphas)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    changed = {
        name for name, value in network.state_dict().items() if (value != before[name]).any()
    }
    assert changed == {name for name in before if _expected(name, trainable, stage)}
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", KINDS)
def test_set_trainable_restores_what_trains_after_everything_was_frozen(
    make: Make, kind: str
) -> None:
    network = make(kind)
    before = {name: item.requires_grad for name, item in network.named_parameters()}
    network.requires_grad_(False)
    network.set_trainable()
    assert {name: item.requires_grad for name, item in network.named_parameters()} == before


@pytest.mark.parametrize("kind", KINDS)
def test_checkpoint_and_predictor_treat_it_as_any_other_network(
    make_config: Callable[[str], ModelConfig], kind: str, tmp_path: Path
) -> None:
    model = build_model(make_config(kind))
    save_checkpoint(tmp_path / "baseline.safetensors", model)
    loaded = load_checkpoint(tmp_path / "baseline.safetensors")
    assert loaded.config == model.config
    vectors = WordVectors(["red", "dog"], np.eye(2, model.config.text.word_dim, dtype=np.float32))
    reader = SentenceReader(model.config.text, vectors)
    frame = np.random.default_rng(0).integers(0, 255, (1, 48, 80, 3), np.uint8)
    answers = [
        NetworkPredictor(network, reader).predict(
            Clip(frame), [reader.read("red dog"), reader.read("x")]
        )
        for network in (model, loaded.model)
    ]
    for first, second in zip(*answers, strict=True):
        assert first.mask.shape == (48, 80)
        assert first.confidence == second.confidence
    assert not answers[0][1].found  # no word of it is known


@pytest.mark.parametrize(("kind", "alignment"), [("hu", "corner"), ("li", "centre")])
def test_the_deconvolution_starts_as_in_the_public_code(
    make: Make, kind: str, alignment: str
) -> None:
    kernel = make(kind).state_dict()["upsample.deconvolution.weight"][0, 0]
    torch.testing.assert_close(kernel, bilinear_kernel(alignment))


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_clips_of_several_frames(make: Make, kind: str) -> None:
    with pytest.raises(ShapeError, match=r"\(B, 3, 1, S, S\), got \(1, 3, 2, 64, 64\); give the"):
        make(kind).encode(torch.zeros(1, 3, 2, 64, 64))


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_features_of_another_batch(make: Make, clip: Tensor, kind: str) -> None:
    network = make(kind)
    features = network.encode(clip[:2])
    with pytest.raises(ShapeError, match="features must be .*3.* 1.*, got .*2"):
        network.respond(features, torch.zeros(3, 8))


def test_refuses_a_configuration_of_another_network() -> None:
    with pytest.raises(ConfigError, match="kind hu or li, paper has actor_action"):
        build_baseline(ModelConfig())
