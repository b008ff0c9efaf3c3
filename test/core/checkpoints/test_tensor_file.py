"""Weight files are written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import actseg_core.checkpoints.tensor_file as module
from actseg_core.checkpoints.tensor_file import write_tensors
from actseg_core.errors import CheckpointError

TENSORS = {"a": torch.arange(3.0)}


def test_others_may_read_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "w.safetensors"
    before = os.umask(0o022)
    try:
        write_tensors(path, TENSORS, {"format": "x"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert load_file(path)["a"].tolist() == [0.0, 1.0, 2.0]
    assert [item.name for item in path.parent.iterdir()] == ["w.safetensors"]


def test_a_failed_write_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    path = tmp_path / "old.safetensors"
    path.write_text("old")
    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(CheckpointError, match=r"cannot write .*old\.safetensors: no space left"):
        write_tensors(path, TENSORS, {})
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["old.safetensors"]
