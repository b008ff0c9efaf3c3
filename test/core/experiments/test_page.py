"""The generated part of a page."""

from pathlib import Path

import pytest

from actseg_core.errors import ConfigError, DatasetError
from actseg_core.experiments.page import BEGIN, END, fill_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reproduction.md"


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
