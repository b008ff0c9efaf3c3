"""Calibration of presence, on scores with a known answer."""

import numpy as np
import pytest

from actseg_core.errors import DatasetError
from actseg_core.training.lite.calibrate import fit_presence


def samples(temperature: float, bias: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose true probability is the sigmoid of (score - bias) / temperature."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(bias - 4 * temperature, bias + 4 * temperature, count)
    probability = 1 / (1 + np.exp(-(scores - bias) / temperature))
    return scores, rng.random(count) < probability


@pytest.mark.parametrize(("temperature", "bias"), [(1.0, 0.0), (3.0, -2.0), (0.4, 5.0)])
def test_temperature_and_bias_are_recovered(temperature: float, bias: float) -> None:
    fitted = fit_presence(*samples(temperature, bias), absent_accuracy=0.5)
    assert fitted.temperature == pytest.approx(temperature, rel=0.1)
    assert fitted.bias == pytest.approx(bias, abs=0.15 * temperature)
    assert fitted.threshold == 0.5


def test_threshold_turns_the_wanted_share_of_absent_actors_away() -> None:
    scores, present = samples(1.0, 0.0)
    fitted = fit_presence(scores, present, absent_accuracy=0.95)
    confidence = 1 / (1 + np.exp(-(scores - fitted.bias) / fitted.temperature))
    turned_away = (confidence[~present] <= fitted.threshold).mean()
    assert turned_away == pytest.approx(0.95, abs=0.001)


def test_perfectly_separated_scores_stay_finite() -> None:
    scores = np.concatenate([np.full(20, -3.0), np.full(20, 3.0)])
    fitted = fit_presence(scores, scores > 0, absent_accuracy=0.9)
    assert 0 < fitted.temperature < 1000
    assert fitted.threshold == 0.5


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(DatasetError, match="at least 10 samples .* got 3 and 30"):
        fit_presence(np.zeros(33), np.arange(33) < 3, absent_accuracy=0.9)
