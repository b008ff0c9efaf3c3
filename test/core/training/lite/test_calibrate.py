"""Calibration of presence, on scores with a known answer."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch

from actseg_core.errors import DatasetError
from actseg_core.networks.two_stream import Network
from actseg_core.training.lite.calibrate import (
    THRESHOLDS,
    Observed,
    fit_presence,
    fit_threshold,
    observe,
    with_threshold,
)
from actseg_core.training.lite.mixture import Sample


def observed(scores: np.ndarray, present: np.ndarray) -> Observed:
    return Observed(scores, present, np.zeros((0, len(THRESHOLDS))))


def samples(temperature: float, bias: float, count: int = 20_000) -> Observed:
    """Scores whose true probability is the sigmoid of (score - bias) / temperature."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(bias - 4 * temperature, bias + 4 * temperature, count)
    probability = 1 / (1 + np.exp(-(scores - bias) / temperature))
    return observed(scores, rng.random(count) < probability)


@pytest.mark.parametrize(("temperature", "bias"), [(1.0, 0.0), (3.0, -2.0), (0.4, 5.0)])
def test_temperature_and_bias_are_recovered(temperature: float, bias: float) -> None:
    fitted = fit_presence(samples(temperature, bias))
    assert fitted.temperature == pytest.approx(temperature, rel=0.1)
    assert fitted.bias == pytest.approx(bias, abs=0.15 * temperature)
    assert fitted.threshold == 0.5


def test_threshold_turns_the_wanted_share_of_absent_actors_away() -> None:
    seen = samples(1.0, 0.0)
    fitted = with_threshold(fit_presence(seen), seen, absent_accuracy=0.95)
    confidence = 1 / (1 + np.exp(-(seen.scores - fitted.bias) / fitted.temperature))
    turned_away = (confidence[~seen.present] <= fitted.threshold).mean()
    assert turned_away == pytest.approx(0.95, abs=0.001)
    assert with_threshold(fitted, seen, absent_accuracy=0.1).threshold == 0.5


def test_perfectly_separated_scores_stay_finite() -> None:
    scores = np.concatenate([np.full(20, -3.0), np.full(20, 3.0)])
    seen = observed(scores, scores > 0)
    fitted = with_threshold(fit_presence(seen), seen, absent_accuracy=0.9)
    assert 0 < fitted.temperature < 1000
    assert fitted.threshold == 0.5


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(DatasetError, match="at least 10 samples .* got 3 and 30"):
        fit_presence(observed(np.zeros(33), np.arange(33) < 3))


def test_observed_are_presence_and_the_iou_at_each_threshold() -> None:
    logits = torch.full((2, 8, 8), -5.0)
    logits[0, :, :4] = 0.25  # the left half, of which the upper part is the actor
    maps = [torch.tensor([[[3.0]], [[-2.0]]]), logits]
    network = SimpleNamespace(
        config=SimpleNamespace(streams=()),
        eval=lambda: None,
        encode=lambda clips: {},
        encode_sentences=lambda words: words,
        respond=lambda features, sentences: maps,
    )
    mask = torch.zeros(2, 8, 8)
    mask[0, :4, :4] = 1
    sample = {"rgb": mask, "flow": mask, "words": mask, "mask": mask}

    seen = observe(cast(Network, network), [cast(Sample, sample)] * 5, count=2)

    np.testing.assert_allclose(seen.scores, [3.0, -2.0] * 2)
    assert seen.present.tolist() == [True, False] * 2
    below = THRESHOLDS < 0.25
    np.testing.assert_allclose(seen.ious, [np.where(below, 0.5, 0.0)] * 2)


def test_the_mask_threshold_is_the_one_of_the_best_mean_iou() -> None:
    ious = np.zeros((3, len(THRESHOLDS)))
    ious[0, 5], ious[1:, 12] = 0.9, 0.5
    assert fit_threshold(ious) == THRESHOLDS[12]
