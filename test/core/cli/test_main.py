"""Verbs, exit codes, one line per error."""

from pathlib import Path

import pytest

from actseg_core.cli.main import VERBS, main


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in VERBS)


def test_an_error_of_ours_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "weights.pt"
    assert main(["convert-weights", str(missing), str(tmp_path / "x.safetensors")]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("actseg: ") and shown.count("\n") == 1
    assert f"{missing} does not exist" in shown


@pytest.mark.parametrize("arguments", [["fly"], ["segment"], ["models", "--frobnicate"]])
def test_wrong_usage_is_explained_with_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "Usage" in capsys.readouterr().err
