"""Plots show the numbers they are given; files are pictures."""

import cv2
import matplotlib
import numpy as np
import pytest

from actseg_core.evaluation import plots
from actseg_core.evaluation.masks import MaskAccumulator, score_overlaps
from actseg_core.evaluation.presence import PresenceAnswer, presence_scores


@pytest.fixture
def scores():
    return score_overlaps([(1, 20), (1, 20), (11, 20), (19, 20)])


def test_the_histogram_has_a_bar_per_twentieth_and_a_line_at_the_mean(scores) -> None:
    (axes,) = plots.iou_histogram(scores).axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == list(scores.histogram)
    assert (heights[1], heights[11], heights[19]) == (2, 1, 1)
    assert axes.lines[0].get_xdata()[0] == pytest.approx(0.4, abs=1e-6)


def test_the_precision_curve_is_in_percent_over_the_thresholds(scores) -> None:
    (axes,) = plots.precision_curve(scores).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [50, 50] + [25] * 8)
    assert axes.lines[1].get_ydata()[0] == pytest.approx(30)


def test_pairs_are_listed_with_their_samples_most_first() -> None:
    one, two = score_overlaps([(1, 2)]), score_overlaps([(1, 4), (3, 4)])
    (axes,) = plots.pair_bars({"cat": one, "dog running": two}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog running (2)", "cat (1)"]
    widths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(widths, [50, 50, 50, 50], atol=1e-4)


def test_calibration_shows_only_used_bins_with_their_counts() -> None:
    answers = [PresenceAnswer(True, True, 0.95, 0.1), PresenceAnswer(False, True, 0.91, 0.1)]
    (axes,) = plots.calibration_plot(presence_scores(answers).calibration).axes
    np.testing.assert_allclose(axes.lines[1].get_xdata(), [0.93])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [0.5])
    assert [text.get_text() for text in axes.texts] == ["2"]


def test_a_saved_plot_is_a_picture_and_needs_no_display(scores, tmp_path) -> None:
    backend = matplotlib.get_backend()
    plots.save_figure(plots.iou_histogram(scores), tmp_path / "a.png")
    assert matplotlib.get_backend() == backend
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture.shape[0] > 200
    assert picture.std() > 5


def test_plots_without_a_sample_can_be_drawn(tmp_path) -> None:
    nothing = MaskAccumulator().result()
    plots.save_figure(plots.iou_histogram(nothing), tmp_path / "a.png")
    plots.save_figure(plots.calibration_plot(presence_scores([]).calibration), tmp_path / "b.png")
    assert len(list(tmp_path.iterdir())) == 2
