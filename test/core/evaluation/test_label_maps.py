import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actseg_core.config import DecoderConfig, ModelConfig, TextConfig, VideoConfig
from actseg_core.errors import ShapeError
from actseg_core.evaluation.label_maps import (
    PairSegmenter,
    background_limit,
    label_map,
    pair_words,
    pick_pairs,
)
from actseg_core.image import Placement
from actseg_core.labels import PAIRS, pair_from_label
from actseg_core.networks.two_stream import build_model
from actseg_core.types import Sentence

DOG_RUNNING, CAT_EATING, ADULT = (pair_from_label(label) for label in (76, 63, 19))


class Painter:
    """Answers the sentence whose first word vector is [k] with a response of k everywhere.

    The left half of the picture is -1 for all, the features are added.
    """

    def __init__(self) -> None:
        self.asked: list[int] = []

    def encode_sentences(self, words: Tensor) -> Tensor:
        return words[:, 0, 0]

    def respond(self, features: Tensor, sentences: Tensor) -> list[Tensor]:
        self.asked = [int(value) for value in sentences]
        maps = sentences.view(-1, 1, 1).expand(-1, 8, 8).clone() + features
        maps[:, :, :4] = -1
        return [torch.zeros(len(sentences), 2, 2), maps]


class Reader:
    """Spells every text as a single word whose vector holds its length."""

    def read(self, text: str) -> Sentence:
        vectors = np.zeros((4, 2), np.float32)
        vectors[0, 0] = len(text)
        return Sentence(text, (text,), (), vectors)


def confidences(**scores: float) -> np.ndarray:
    values = np.zeros(len(PAIRS), np.float32)
    for label, score in scores.items():
        values[PAIRS.index(pair_from_label(int(label.removeprefix("p"))))] = score
    return values


def words() -> Tensor:
    """Pair number k, counted from 1, is the word vector [k]."""
    return torch.arange(1.0, 44.0).view(43, 1, 1).expand(43, 5, 1)


def test_the_strongest_response_wins_and_background_where_none_is_positive() -> None:
    responses = np.array([[[3.0, -1.0, 0.0]], [[2.0, -0.5, 0.0]], [[2.5, 1e-6, -9.0]]], np.float32)
    labels = label_map(responses, (DOG_RUNNING, CAT_EATING, ADULT))
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[76, 19, 0]]


def test_the_limit_follows_the_threshold_of_the_masks() -> None:
    responses = np.array([[[-3.0, -1.0]], [[-2.0, -9.0]]], np.float32)
    config = ModelConfig(threshold=-2.5)
    relative = config.model_copy(update={"threshold_mode": "relative_max"})

    assert background_limit(responses, config) == -2.5
    # The greatest probability is 1 / (1 + e), half of it has the odds 1 / (1 + 2e).
    limit = background_limit(responses, relative)
    assert limit == pytest.approx(-np.log(1 + 2 * np.e))
    assert label_map(responses, (DOG_RUNNING, CAT_EATING), limit).tolist() == [[0, 76]]


def test_of_equal_responses_the_first_pair_wins() -> None:
    responses = np.ones((2, 1, 1), np.float32)
    assert label_map(responses, (CAT_EATING, DOG_RUNNING)).item() == 63


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 43))
def test_every_pixel_equals_a_search_through_all_pairs(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    responses = generator.normal(size=(count, 3, 4)).astype(np.float32)
    labels = label_map(responses, PAIRS[:count])
    for row, column in np.ndindex(3, 4):
        best, winner = 0.0, 0
        for pair, response in zip(PAIRS, responses, strict=False):
            if response[row, column] > best:
                best, winner = response[row, column], pair.label
        assert labels[row, column] == winner


def test_label_maps_need_a_response_for_every_pair() -> None:
    with pytest.raises(ShapeError, match=r"\(2, H, W\), one map per pair .* got \(1, 3, 3\)"):
        label_map(np.zeros((1, 3, 3), np.float32), (DOG_RUNNING, ADULT))
    with pytest.raises(ShapeError, match="at least one"):
        label_map(np.zeros((0, 3, 3), np.float32), ())


def test_pairs_above_the_threshold_are_picked_in_the_order_of_their_ids() -> None:
    scores = confidences(p76=0.9, p63=0.51, p19=0.5)
    assert pick_pairs(scores, 0.5) == (CAT_EATING, DOG_RUNNING)
    with pytest.raises(ShapeError, match=r"\(43,\), got \(44,\)"):
        pick_pairs(np.zeros(44, np.float32), 0.5)


def test_only_the_picked_pairs_are_asked_and_the_label_map_has_the_frames_size() -> None:
    network = Painter()
    segmenter = PairSegmenter(network, words(), threshold=0.5, config=ModelConfig())
    scores = confidences(p11=0.6, p12=0.7, p76=0.4)
    labels = segmenter.segment(torch.zeros(1), scores, Placement(height=24, width=24, size=8))
    assert network.asked == [1, 2]
    assert labels.shape == (24, 24)
    assert (labels[:, :10] == 0).all()
    assert (labels[:, 14:] == 12).all()  # pair 2 answers 2, pair 1 answers 1


def test_responses_are_enlarged_before_the_strongest_is_taken() -> None:
    segmenter = PairSegmenter(Painter(), words(), threshold=0.5, config=ModelConfig())
    # -1 up to the cell centre at 35 px, 2 from the one at 45 px: positive from 38.3 px on.
    labels = segmenter.segment(torch.zeros(1), confidences(p12=1.0), Placement(80, 80, 8))
    row = labels[40]
    assert row[37] == 0
    assert row[38] == 12
    assert set(labels.ravel().tolist()) == {0, 12}


def test_without_a_pick_everything_is_background_and_nothing_is_asked() -> None:
    network = Painter()
    segmenter = PairSegmenter(network, words(), threshold=0.5, config=ModelConfig())
    labels = segmenter.segment(torch.zeros(1), confidences(), Placement(6, 9, 8))
    assert labels.shape == (6, 9)
    assert not labels.any()
    assert network.asked == []


def test_needs_the_words_of_all_pairs() -> None:
    with pytest.raises(
        ShapeError, match=r"\(43, L, W\), one row per valid pair, got \(42, 5, 1\)"
    ):
        PairSegmenter(Painter(), words()[:42], 0.5, ModelConfig())


def test_pair_words_are_read_from_the_pair_names() -> None:
    vectors = pair_words(Reader())
    assert vectors.shape == (43, 4, 2)
    assert vectors[PAIRS.index(DOG_RUNNING), 0, 0] == len("dog running")
    assert vectors[PAIRS.index(ADULT), 0, 0] == len("adult")  # "none" is not spoken


def test_a_real_network_of_two_streams_labels_a_frame() -> None:
    torch.manual_seed(0)
    config = ModelConfig(
        frames=2,
        size=32,
        text=TextConfig(word_dim=2, sentence_dim=4),
        video=VideoConfig(width=1 / 16),
        decoder=DecoderConfig(channels=(4, 4)),
    )
    network = build_model(config)
    segmenter = PairSegmenter(network, pair_words(Reader()), threshold=0.5, config=ModelConfig())
    clips = {"rgb": torch.rand(1, 3, 2, 32, 32), "flow": torch.rand(1, 2, 2, 32, 32)}
    scores = np.ones(len(PAIRS), np.float32)
    with torch.no_grad():
        features = network.encode(clips)
        vectors = network.encode_sentences(segmenter.words)
        strongest = network.respond(features, vectors)[-1].amax(dim=0).numpy()
    labels = segmenter.segment(features, scores, Placement(32, 32, 32))
    assert set(labels.ravel().tolist()) <= {0, *(pair.label for pair in PAIRS)}
    assert ((labels > 0) == (strongest > 0)).all()
