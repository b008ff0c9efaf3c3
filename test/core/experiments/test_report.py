"""Learning curves: reading and smoothing."""

from pathlib import Path

import numpy as np
import pytest

from actseg_core.errors import ConfigError, DatasetError
from actseg_core.experiments.report import BEGIN, END, curves, fill_page, read_losses, smoothed

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reproduction.md"


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


def test_only_what_lies_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nBelow.\n")
    fill_page(page, "new\n")
    fill_page(page, "newer\n")
    assert page.read_text() == f"# Title\n\n{BEGIN}\n\nnewer\n\n{END}\n\nBelow.\n"


def test_pictures_come_to_lie_beside_the_page(tmp_path: Path) -> None:
    (tmp_path / "bars.png").write_bytes(b"picture")
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text(f"{BEGIN}\n{END}\n")
    fill_page(page, "new", [tmp_path / "bars.png"])
    assert "new\n\n![bars](images/ablation_bars.png)\n" in page.read_text()
    assert (page.parent / "images" / "ablation_bars.png").read_bytes() == b"picture"


def test_a_page_without_marks_is_refused_and_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN} no end")
    with pytest.raises(ConfigError, match="around the generated part"):
        fill_page(page, "new")
    assert page.read_text() == f"{BEGIN} no end"


def test_a_missing_page_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none.md"):
        fill_page(tmp_path / "none.md", "new")


def test_the_page_of_the_project_has_the_marks() -> None:
    text = PAGE.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
