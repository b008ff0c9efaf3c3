"""Tables and their page."""

import json
from pathlib import Path

import pytest

from actseg_core.bench.report import Report
from actseg_core.bench.tables import TABLES, markdown, update_page
from actseg_core.errors import ConfigError


def test_tables_go_between_their_marks_and_nothing_else_changes(
    report: Report, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    marks = "".join(f"# {name}\n<!-- bench {name} -->\nold\n<!-- end -->\n" for name in TABLES)
    page.write_text("before\n" + marks + "after\n")
    update_page(page, report)
    text = page.read_text()
    assert text.startswith("before\n# machine\n") and text.endswith("<!-- end -->\nafter\n")
    assert "old" not in text and "| 320 | 16 | overlapped, 2 thread(s) |" in text
    update_page(page, report)
    assert page.read_text() == text


def test_a_page_without_a_mark_is_refused_and_kept(report: Report, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- bench machine -->\n<!-- end -->\n")
    with pytest.raises(ConfigError, match="no place for the table 'targets'"):
        update_page(page, report)
    assert page.read_text() == "<!-- bench machine -->\n<!-- end -->\n"


def test_a_report_is_read_back_as_it_was_written(report: Report) -> None:
    again = Report.model_validate_json(json.dumps(report.model_dump(mode="json")))
    assert again == report and markdown(again) == markdown(report)


def test_the_page_has_a_place_for_every_table(report: Report, tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "performance.md"
    copy = tmp_path / "performance.md"
    copy.write_text(page.read_text())
    update_page(copy, report)
