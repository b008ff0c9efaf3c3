"""Files appear whole or not at all."""

import pytest

from actseg_core.errors import DatasetError
from actseg_core.evaluation.report_files import replaced, write_json, write_json_lines, write_text


def test_folders_are_made_and_nothing_else_is_left(tmp_path) -> None:
    write_text(tmp_path / "new" / "a.md", "text\n")
    write_json_lines(tmp_path / "new" / "b.jsonl", [{"a": 1}, {"a": 2}])
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.md", "b.jsonl"]
    assert (tmp_path / "new" / "b.jsonl").read_text() == '{"a": 1}\n{"a": 2}\n'


def test_an_interrupted_write_keeps_what_was_there(tmp_path) -> None:
    path = tmp_path / "a.md"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), replaced(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert [item.name for item in tmp_path.iterdir()] == ["a.md"]


def test_nan_is_refused_because_json_has_none(tmp_path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"cannot write .*file/a\.md.*another output folder"):
        write_text(tmp_path / "file" / "a.md", "text")
