"""`actseg export` from the command line."""

from pathlib import Path

import pytest

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.cli.main import main
from actseg_core.predictor import Predictor


def test_a_checkpoint_is_exported_and_checked_again(
    lite_predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "m.safetensors", lite_predictor.model)
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "m.safetensors"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("passes") == 10
    (out / "head_rgb.onnx").write_bytes(b"")

    assert main(["export", "--check", str(out)]) == 2

    assert "head_rgb.onnx is not the file that was exported" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "say what to export where: actseg export MODEL --out FOLDER"),
        (["lite"], "say what to export where"),
        (["lite", "--out", "x", "--format", "tflite"], "no format 'tflite'; choose one of onnx"),
        (["lite", "--check", "x"], "--check checks a folder and exports nothing"),
        (["paper", "--out", "x"], "preset 'paper' ships without weights"),
        (["--check", "gone"], "gone is no readable exported model"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *arguments]) == 2
    assert reason in capsys.readouterr().err
