"""Learning curves: reading and smoothing."""

from pathlib import Path

import numpy as np
import pytest

from actseg_core.experiments.report import curves, read_losses, smoothed


def test_only_rows_with_a_loss_are_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("loss,rate,step,val_loss\n2.0,0.1,10,\n,,10,1.5\n1.0,0.1,20,\n")
    assert read_losses(path).tolist() == [[10, 2.0], [20, 1.0]]


def test_a_log_without_losses_gives_no_curve(tmp_path: Path) -> None:
    assert read_losses(tmp_path / "none.csv").shape == (0, 2)


def test_smoothing_keeps_a_line_and_averages_noise() -> None:
    steps = np.arange(40.0)
    line = np.stack([steps, 3 * steps], axis=1)
    assert smoothed(line)[1][4:-4] == pytest.approx(3 * steps[4:-4])
    zigzag = np.stack([steps, 1.0 * (steps % 2)], axis=1)
    assert np.ptp(smoothed(zigzag)[1][4:-4]) == pytest.approx(1 / 9)


def test_networks_with_other_losses_have_panels_of_their_own() -> None:
    values = [np.array([[0.0, 2.0], [1.0, 1.0]])] * 2
    figure = curves({"a/one": values, "a/two": values, "b/three": values[:1]})
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert [len(axes.lines) for axes in figure.axes] == [4, 1]
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["one", "two"]
