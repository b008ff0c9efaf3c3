"""Clip and sentences to masks at camera size."""

from pathlib import Path

import numpy as np
import pytest

from actseg_core.checkpoint import save_checkpoint
from actseg_core.config import PresenceConfig
from actseg_core.errors import CheckpointError, ShapeError, VocabularyError
from actseg_core.image import Placement
from actseg_core.model import build_model
from actseg_core.predictor import Predictor, Response, read_off
from actseg_core.types import Clip


def with_presence(predictor: Predictor, **settings: float) -> Predictor:
    """The same network that finds everything or nothing."""
    predictor.model.config = predictor.config.model_copy(
        update={"presence": PresenceConfig(**settings)}
    )
    return Predictor(predictor.model, predictor.reader)


def test_masks_have_the_camera_size_and_two_values(
    lite_predictor: Predictor, moving_square: np.ndarray
) -> None:
    predictor = with_presence(lite_predictor, threshold=0.0)
    results = predictor.predict(
        Clip(moving_square[:8]), [predictor.read("dog"), predictor.read("red person")]
    )
    assert len(results) == 2
    for result in results:
        assert result.mask.shape == (48, 80) and result.mask.dtype == np.uint8
        assert set(np.unique(result.mask)) <= {0, 255}
        assert 0.0 <= result.confidence <= 1.0


def test_below_the_threshold_the_mask_is_empty(
    lite_predictor: Predictor, moving_square: np.ndarray
) -> None:
    predictor = with_presence(lite_predictor, threshold=1.0)
    result = predictor.predict(Clip(moving_square[:8]), [predictor.read("dog")])[0]
    assert not result.found
    assert not result.mask.any()


def test_without_any_pixel_the_confidence_is_no_higher_than_the_best_pixel_says(
    lite_predictor: Predictor,
) -> None:
    response = np.full((16, 16), -3.0, np.float32)
    result = read_off(Response(response, 9.0), lite_predictor.config, Placement(48, 80, 64))
    assert not result.found
    assert result.confidence == pytest.approx(1 / (1 + np.exp(3)), rel=1e-5)


def test_other_limits_hold_from_the_next_answer_on_and_can_be_taken_back(
    lite_predictor: Predictor,
) -> None:
    predictor = with_presence(lite_predictor, threshold=0.0)
    sentence = predictor.read("dog")
    logits = np.where(np.arange(64) < 32, 1.0, -1.0) * np.ones((64, 64))
    responses = {sentence: Response(logits.astype(np.float32), 0.0)}
    place = Placement(64, 64, 64)

    def share() -> float:
        return float((predictor.decide(responses, [sentence], place)[0].mask > 0).mean())

    assert share() == 0.5
    predictor.set_limits(mask_threshold=0.2)  # a logit of -1.39
    assert share() == 1.0
    predictor.set_limits(mask_threshold=0.8)  # a logit of 1.39
    assert share() == 0.0
    predictor.set_limits(min_confidence=0.6)  # a score of 0 is a confidence of 0.5
    assert not predictor.decide(responses, [sentence], place)[0].found
    predictor.set_limits()
    assert share() == 0.5


def test_a_sentence_of_unknown_words_is_not_found_with_confidence_zero(
    lite_predictor: Predictor, moving_square: np.ndarray
) -> None:
    predictor = with_presence(lite_predictor, threshold=0.0)
    known, unknown = predictor.predict(
        Clip(moving_square[:8]), [predictor.read("dog"), predictor.read("xyzzy qwfp")]
    )
    assert known.confidence > 0
    assert not unknown.found and unknown.confidence == 0.0 and not unknown.mask.any()


def test_answers_do_not_depend_on_the_other_sentences(
    lite_predictor: Predictor, moving_square: np.ndarray
) -> None:
    sentences = [lite_predictor.read(text) for text in ("dog", "person left", "red dog")]
    clip = Clip(moving_square[:8])
    together = lite_predictor.predict(clip, sentences)
    for sentence, result in zip(sentences, together, strict=True):
        alone = lite_predictor.predict(clip, [sentence])[0]
        assert alone.confidence == pytest.approx(result.confidence, abs=1e-5)
        np.testing.assert_array_equal(alone.mask, result.mask)


def test_a_clip_of_another_length_is_refused(
    lite_predictor: Predictor, moving_square: np.ndarray
) -> None:
    with pytest.raises(ShapeError, match="reads clips of 8 frames, got 5"):
        lite_predictor.predict(Clip(moving_square[:5]), [])


def test_a_preset_without_weights_and_an_unknown_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="preset 'paper' ships without weights"):
        Predictor.load("paper")
    with pytest.raises(CheckpointError, match="there is no preset or checkpoint 'nope'"):
        Predictor.load("nope")
    with pytest.raises(CheckpointError, match="does not exist"):
        Predictor.load(str(tmp_path / "gone.safetensors"))


def test_word_vectors_of_another_width_are_refused(
    lite_predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, lite_predictor.model)
    with pytest.raises(VocabularyError, match="word_dim is 8, but glove.spacy has vectors of 350"):
        Predictor.load(str(path))


def test_other_word_vectors_than_the_checkpoints_are_refused(
    lite_predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    text = lite_predictor.config.text.model_copy(update={"word_dim": 350})
    model = build_model(lite_predictor.config.model_copy(update={"text": text}))
    save_checkpoint(path, model, words="0123456789abcdef")
    with pytest.raises(VocabularyError, match="trained with other word vectors"):
        Predictor.load(str(path))
