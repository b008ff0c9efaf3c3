"""What a preset needs to be loaded: the default model does without torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.config import DecoderConfig, ModelConfig, RuntimeConfig, TextConfig, VideoConfig
from actseg_core.networks.two_stream import build_model
from actseg_core.predictor import Predictor
from actseg_core.video import VideoWriter

FRAMES = 17  # one more than a window
BLOCKED = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
"""


def without_torch(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + program, *arguments], capture_output=True, text=True
    )


def test_actseg_segment_answers_where_torch_cannot_be_imported(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    with VideoWriter(tmp_path / "clip.mp4", 10.0) as writer:
        for shift in range(FRAMES):
            writer.write(np.roll(noise, 2 * shift, axis=1))
    done = without_torch(
        "from actseg_core.cli.main import main; sys.exit(main())",
        *("segment", str(tmp_path / "clip.mp4"), "the dog on the left"),
        *("--output", str(tmp_path / "out")),
    )
    assert done.returncode == 0, done.stderr
    (answers,) = tmp_path.glob("out/**/answers.jsonl")
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len(lines) == 2


@pytest.mark.parametrize(
    "modules",
    [
        "actseg_core.cli.segment, actseg_core.cli.live, actseg_core.streaming.engine",
        "actseg_ros.segmentation_node, actseg_ros.model",
    ],
)
def test_the_modules_of_the_live_path_do_not_import_torch(modules: str) -> None:
    done = without_torch(f"import {modules}")
    assert done.returncode == 0, done.stderr


def test_a_network_that_needs_torch_says_what_to_install(tmp_path: Path) -> None:
    config = ModelConfig(
        frames=8,
        size=32,
        text=TextConfig(word_dim=8, sentence_dim=16),
        video=VideoConfig(width=0.125),
        decoder=DecoderConfig(channels=(16, 8)),
    )
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "thin.safetensors", build_model(config))
    done = without_torch(
        "from actseg_core import Predictor; Predictor.load(sys.argv[1])",
        str(tmp_path / "thin.safetensors"),
    )
    assert "BackendError" in done.stderr and "pip install torch" in done.stderr


def test_torch_runs_the_default_model_where_it_is_asked_for() -> None:
    assert Predictor.load("lite", runtime=RuntimeConfig(runtime="torch")).runtime == "torch"
    assert Predictor.load("lite").runtime == "onnxruntime"


def test_without_onnx_runtime_the_others_are_tried(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from actseg_core.runtime import onnx_session

    monkeypatch.setattr(onnx_session, "find_spec", lambda name: None)
    assert Predictor.load("lite").runtime in ("openvino", "torch")
    assert "ONNX Runtime cannot be used" in caplog.text
    with pytest.raises(Exception, match="pip install onnxruntime"):
        Predictor.load("lite", runtime=RuntimeConfig(runtime="onnxruntime"))
