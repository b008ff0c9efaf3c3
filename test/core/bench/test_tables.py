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
    assert "old" not in text and "| 16 | in turn, 2 thread(s) | 16.0 " in text
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


def test_parts_have_a_column_per_number_of_threads_and_what_bounds_them(report: Report) -> None:
    lines = markdown(report).splitlines()
    assert "| ms, median (5 to 95 %) | 1 thread(s) | 2 thread(s) | bound by |" in lines
    assert (
        "| see: boxes and features | 30.00 (30.00 to 30.00) | 20.00 (20.00 to 20.00) "
        "| multiplications of 181 convolutions |"
    ) in lines
    assert "| masks of 4 |  | 1.00 (1.00 to 1.00) | sentences times objects |" in lines
