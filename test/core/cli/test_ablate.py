"""`actseg ablate` from its arguments to its table, with real trainings of a tiny network."""

import json
import os
from pathlib import Path

import pytest
import yaml

from actseg_core.cli.main import main
from actseg_core.experiments.report import BEGIN, END

SCENE = {"frames": 6, "height": 48, "width": 64, "max_actors": 2, "degrade": False}
SCALE = {
    "name": "tiny",
    "model": {
        "size": 32,
        "video": {"width": 0.0625},
        "text": {"vectors": "glove", "word_dim": 50, "sentence_dim": 50},
        "decoder": {"channels": [4, 4]},
        "presence": {"threshold": 0.0},
    },
    "stage": {"iterations": 3, "batch_size": 2},
    "train": {"random_encoder": True, "val_samples": 2, "pictures": 1, "log_every": 1},
    "a2d": {"videos": 5, "test_share": 0.4, "flow": "none", "scene": SCENE},
    "jhmdb": {"layout": "jhmdb", "videos": 2, "seed": 1, "flow": "none", "scene": SCENE},
}


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    scale = tmp_path / "tiny.yaml"
    scale.write_text(yaml.safe_dump(SCALE))
    places = {"--scale": scale, "--data": tmp_path / "data", "--run": tmp_path / "run"}
    return [str(part) for item in places.items() for part in item]


def test_rows_are_trained_measured_and_written(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    arguments = ["ablate", "resolution", "--seeds", "1", *options]
    assert main([*arguments, "--page", str(page)]) == 0
    text = (tmp_path / "run" / "ablation.md").read_text()
    assert "| single resolution | the paper |  | - | - | - | - | - | - | 49.4 | - |" in text
    assert "| single resolution | here | 1 |" in text
    shown = page.read_text()
    assert "name: tiny" in shown and "| single resolution | here | 1 |" in shown
    assert "Instead of the paper's row" in text and "Instead of the paper's row" not in shown
    assert "](images/ablation_finding_resolution.png)" in shown
    assert (tmp_path / "run" / "curves.png").is_file()
    trained = sorted((tmp_path / "run" / "trainings").rglob("trained.json"))
    assert len(trained) == 2
    times = [os.stat(path).st_mtime_ns for path in trained]
    capsys.readouterr()

    more = ["ablate", "resolution", "--seeds", "2", *options]
    assert main([*more, "--report"]) == 0
    assert "| single resolution | here | 1 |" in (tmp_path / "run" / "ablation.md").read_text()
    assert len(list((tmp_path / "run" / "trainings").rglob("trained.json"))) == 2
    assert main([*arguments, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("measured") >= 2
    assert main(arguments) == 0
    assert times == [os.stat(path).st_mtime_ns for path in trained]


def test_a_broken_row_is_reported_and_the_exit_code_says_so(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "broken.safetensors"
    weights.write_bytes(b"none")
    broken = ["--set", f"weights.rgb={weights}", "--only", "single"]
    assert main(["ablate", "resolution", "--seeds", "1", *options, *broken]) == 1
    shown = capsys.readouterr().out
    assert "failed: training rgb16_conv_single-" in shown and "1 cells failed" in shown
    content = json.loads((tmp_path / "run" / "ablation.json").read_text())
    assert "broken.safetensors" in content["sets"][0]["lines"][0]["failures"][0]


def test_wrong_arguments_are_answered_in_a_line(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ablate", "frame", *options]) == 2
    assert "no set 'frame'" in capsys.readouterr().err
    assert main(["ablate", "--set", "stages.iterations=3", *options]) == 2
    assert "unknown setting 'stages'" in capsys.readouterr().err
