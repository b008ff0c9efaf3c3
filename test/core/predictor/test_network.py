"""Clip and sentences to masks at camera size."""

from pathlib import Path

import numpy as np
import pytest
import torch

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.config import PresenceConfig, RuntimeConfig
from actseg_core.errors import CheckpointError, ConfigError, ShapeError, VocabularyError
from actseg_core.flow.field import clip_flow
from actseg_core.image import Placement
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import NetworkPredictor, Predictor, Response, Thresholds, postprocess
from actseg_core.types import Clip


def with_presence(predictor: Predictor, **settings: float) -> Predictor:
    """The same network that finds everything or nothing."""
    predictor.model.config = predictor.config.model_copy(
        update={"presence": PresenceConfig(**settings)}
    )
    return NetworkPredictor(predictor.model, predictor.reader)


def test_masks_have_the_camera_size_and_two_values(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    predictor = with_presence(small_predictor, threshold=0.0)
    results = predictor.predict(
        Clip(moving_square[:8]), [predictor.read("dog"), predictor.read("red person")]
    )
    assert len(results) == 2
    for result in results:
        assert result.mask.shape == (48, 80) and result.mask.dtype == np.uint8
        assert set(np.unique(result.mask)) <= {0, 255}
        assert 0.0 <= result.confidence <= 1.0


def test_below_the_threshold_the_mask_is_empty(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    predictor = with_presence(small_predictor, threshold=1.0)
    result = predictor.predict(Clip(moving_square[:8]), [predictor.read("dog")])[0]
    assert not result.found
    assert not result.mask.any()


def test_without_any_pixel_the_confidence_is_no_higher_than_the_best_pixel_says(
    small_predictor: Predictor,
) -> None:
    response = np.full((16, 16), -3.0, np.float32)
    result = postprocess(Response(response, 9.0), small_predictor.config, Placement(48, 80, 64))
    assert not result.found
    assert result.confidence == pytest.approx(1 / (1 + np.exp(3)), rel=1e-5)


def test_thresholds_hold_for_the_call_that_they_are_given_to(small_predictor: Predictor) -> None:
    predictor = with_presence(small_predictor, threshold=0.0)
    sentence = predictor.read("dog")
    logits = np.where(np.arange(64) < 32, 1.0, -1.0) * np.ones((64, 64))
    responses = {sentence: Response(logits.astype(np.float32), 0.0)}

    def share(**thresholds: float) -> float:
        [result] = predictor.decide(
            responses, [sentence], Placement(64, 64, 64), Thresholds(**thresholds)
        )
        return float((result.mask > 0).mean())

    assert share() == 0.5
    assert share(mask=0.2) == 1.0  # a logit of -1.39
    assert share(mask=0.8) == 0.0  # a logit of 1.39
    assert share(confidence=0.6) == 0.0  # a score of 0 is a confidence of 0.5
    assert share() == 0.5


@pytest.mark.parametrize("wrong", [{"mask": 1.0}, {"confidence": 1.1}, {"mask": np.nan}])
def test_thresholds_that_nothing_can_reach_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="a mask threshold must be below 1 and a confidence at"):
        Thresholds(**wrong)


def seen_by_the_network(
    predictor: Predictor, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> np.ndarray:
    """The flow that `predict` encodes."""
    seen = []
    encode = predictor.executor.encode

    def note(clips: dict[str, torch.Tensor]) -> object:
        seen.append(clips["flow"].numpy())
        return encode(clips)

    with monkeypatch.context() as patch:
        patch.setattr(predictor.executor, "encode", note)
        predictor.predict(clip, [])
    return seen[0]


def test_the_flow_of_a_clip_is_used_in_place_of_an_estimate(
    small_predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (8, 64, 64, 3), np.uint8)
    estimated = clip_flow(rgb, small_predictor.estimator)

    computed = seen_by_the_network(small_predictor, Clip(rgb), monkeypatch)
    given = seen_by_the_network(small_predictor, Clip(rgb, estimated), monkeypatch)
    other = seen_by_the_network(small_predictor, Clip(rgb, -estimated), monkeypatch)

    assert computed.any()
    np.testing.assert_array_equal(given, computed)
    np.testing.assert_array_equal(other, -computed)


def test_the_flow_of_a_clip_is_resized_and_loses_the_motion_of_the_camera(
    small_predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_predictor.config
    flow = config.flow.model_copy(update={"ego_motion": True, "clip_px": 20.0})
    monkeypatch.setattr(small_predictor, "config", config.model_copy(update={"flow": flow}))
    field = np.full((8, 80, 80, 2), [5.0, 0.0], np.float32)  # the camera pans
    field[:, 20:40, 20:40, 1] = 10.0  # something falls: at 64 px it falls 8 px per frame

    seen = seen_by_the_network(
        small_predictor, Clip(np.zeros((8, 80, 80, 3), np.uint8), field), monkeypatch
    )

    np.testing.assert_allclose(seen[0, :, 3, 24, 24], [0, 8 / 20], atol=1e-3)
    np.testing.assert_allclose(seen[0, :, 3, 50, 50], [0, 0], atol=1e-3)


def test_a_flow_that_is_no_number_is_refused(small_predictor: Predictor) -> None:
    flow = np.zeros((8, 48, 80, 2), np.float32)
    flow[3, 5, 5, 0] = np.nan
    with pytest.raises(ShapeError, match=r"finite numbers, got shape \(48, 80, 2\) with 1 others"):
        small_predictor.predict(Clip(np.zeros((8, 48, 80, 3), np.uint8), flow), [])


def test_a_sentence_of_unknown_words_is_not_found_with_confidence_zero(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    predictor = with_presence(small_predictor, threshold=0.0)
    known, unknown = predictor.predict(
        Clip(moving_square[:8]), [predictor.read("dog"), predictor.read("xyzzy qwfp")]
    )
    assert known.confidence > 0
    assert not unknown.found and unknown.confidence == 0.0 and not unknown.mask.any()


def test_answers_do_not_depend_on_the_other_sentences(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    sentences = [small_predictor.read(text) for text in ("dog", "person left", "red dog")]
    clip = Clip(moving_square[:8])
    together = small_predictor.predict(clip, sentences)
    for sentence, result in zip(sentences, together, strict=True):
        alone = small_predictor.predict(clip, [sentence])[0]
        assert alone.confidence == pytest.approx(result.confidence, abs=1e-5)
        np.testing.assert_array_equal(alone.mask, result.mask)


def test_a_clip_of_another_length_is_refused(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    with pytest.raises(ShapeError, match="reads clips of 8 frames, got 5"):
        small_predictor.predict(Clip(moving_square[:5]), [])


def test_a_preset_without_weights_and_an_unknown_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="preset 'paper' ships without weights"):
        Predictor.load("paper")
    with pytest.raises(CheckpointError, match="there is no preset or checkpoint 'nope'"):
        Predictor.load("nope")
    with pytest.raises(CheckpointError, match="does not exist"):
        Predictor.load(str(tmp_path / "gone.safetensors"))


def test_word_vectors_of_another_width_are_refused(
    small_predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, small_predictor.model)
    with pytest.raises(VocabularyError, match="word_dim is 8, but glove.spacy has vectors of 350"):
        Predictor.load(str(path))


def test_other_word_vectors_than_the_checkpoints_are_refused(
    small_predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    text = small_predictor.config.text.model_copy(update={"word_dim": 350})
    model = build_model(small_predictor.config.model_copy(update={"text": text}))
    save_checkpoint(path, model, words="0123456789abcdef")
    with pytest.raises(VocabularyError, match="trained with other word vectors"):
        Predictor.load(str(path))


def test_cameras_that_ask_in_turns_do_not_make_each_others_filters_anew(
    small_predictor: Predictor, moving_square: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = NetworkPredictor(
        small_predictor.model, small_predictor.reader, runtime=RuntimeConfig(runtime="torch")
    )
    assert not predictor.executor.follows_weights
    made = []
    filters = predictor.executor.filters

    def counting(words: torch.Tensor) -> object:
        made.append(len(words))
        return filters(words)

    monkeypatch.setattr(predictor.executor, "filters", counting)
    front, rear = [predictor.read("dog")], [predictor.read("red person")]
    for _ in range(3):
        assert len(predictor.predict(Clip(moving_square[:8]), front)) == 1
        assert len(predictor.predict(Clip(moving_square[:8]), rear)) == 1
    assert made == [1, 1]
