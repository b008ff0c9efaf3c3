import json
from pathlib import Path

import pytest
import torch
import typer
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.cli import models as listing
from actseg_core.cli.main import main
from actseg_core.cli.models import convert_weights, describe, models
from actseg_core.errors import CheckpointError, ConfigError
from actseg_core.networks.i3d import I3d
from actseg_core.predictor import Predictor
from actseg_core.runtime import export

APP = typer.Typer()
APP.command()(models)
SHOWN = ["ablation_resolution_single", "table1_li", "table3_pairs"]
VGG16 = (  # channels in and out, side of the output at 512 px
    *((3, 64, 512), (64, 64, 512), (64, 128, 256), (128, 128, 256)),
    *((128, 256, 128), (256, 256, 128), (256, 256, 128)),
    *((256, 512, 64), (512, 512, 64), (512, 512, 64)),
    *((512, 512, 32), (512, 512, 32), (512, 512, 32)),
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "preset_names", lambda: SHOWN)


def test_the_cost_of_li_et_al_counted_by_hand() -> None:
    cost = describe("table1_li").cost
    multiplications = sum(i * o * 9 * side**2 for i, o, side in VGG16)
    multiplications += (512 * 4096 * 49 + 4096 * 4096 + 4096 * 1000) * 16**2
    assert cost.clip_gflop == pytest.approx(2 * multiplications / 1e9, rel=1e-9)

    embedding, lstm = 20 * 300 * 1000, 20 * 4 * 1000 * (1000 + 1000)
    sentence = embedding + lstm + 1000 * 1008 + 1008 * 16**2 + 64**2 * 16**2
    assert cost.sentence_gflop == pytest.approx(2 * sentence / 1e9, rel=1e-9)

    vgg, lstm_biases = 138_357_544, 2 * 4000
    others = 300 * 1000 + 4 * 1000 * 2000 + lstm_biases + 1001 * 1008 + 64 * 64
    assert cost.parameters == vgg + others
    convolutions = sum(i * o * 9 + o for i, o, _ in VGG16)
    assert cost.trainable == cost.parameters - convolutions


def test_the_papers_stream_costs_what_was_measured_in_the_design() -> None:
    cost = describe("table1_rgb").cost
    # 285 GFLOP to Mixed_4f and 47 + 146 of decoder, rounded to whole numbers each.
    # The last decoder stage, 146 GFLOP as written, is folded with the sentence's filter.
    assert cost.clip_gflop == pytest.approx(285 + 47, abs=5)
    assert cost.sentence_gflop < 2


def test_the_list_as_json(few: None) -> None:
    result = CliRunner().invoke(APP, ["--json"])
    assert result.exit_code == 0, result.output
    items = json.loads(result.output)
    assert [item["name"] for item in items] == SHOWN
    pairs = items[2]
    assert pairs["row"] == "Table 3, This paper"
    assert pairs["streams"] == ["rgb", "flow"]
    assert pairs["frames"] == 16
    assert pairs["size"] == 512
    assert pairs["classifier"]["parameters"] > pairs["classifier"]["trainable"] > 0
    assert pairs["classifier"]["sentence_gflop"] == 0.0
    assert items[1]["classifier"] is None


def test_the_list_as_a_table(few: None) -> None:
    result = CliRunner().invoke(APP, [], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "Table 1, Li et al. [15], trained on ReferIt only" in result.output
    assert "147.7" in result.output
    assert "and its pair classifier" in result.output


def test_one_network_under_two_names_is_measured_once() -> None:
    listing.network_cost.cache_clear()
    describe("table1_li")
    describe("table2_li")
    assert listing.network_cost.cache_info().misses == 1


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no preset 'table9'"):
        describe("table9")


def test_a_checkpoint_is_exported_and_checked_again(
    small_predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "m.safetensors", small_predictor.model)
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "m.safetensors"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("passes") == 6
    (out / "encoder_rgb.onnx").write_bytes(b"")

    assert main(["export", "--check", str(out)]) == 2

    assert "encoder_rgb.onnx is not the file that was exported" in capsys.readouterr().err


def test_a_checkpoint_is_exported_where_openvino_is_not_installed(
    small_predictor: Predictor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_checkpoint(tmp_path / "m.safetensors", small_predictor.model)
    monkeypatch.setattr(export, "find_spec", lambda name: name != "openvino" or None)
    arguments = ["export", str(tmp_path / "m.safetensors"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.count("passes") == 3
    assert "not checked in openvino, which is not installed: pip install openvino" in printed
    assert (tmp_path / "out" / "decoder.onnx").is_file()

    monkeypatch.setattr(export, "find_spec", lambda _: None)
    assert main(["export", "--check", str(tmp_path / "out")]) == 2
    assert "none of onnxruntime, openvino is installed" in capsys.readouterr().err


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


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow I3D of 2 classes whose names piergiaj's code would give."""
    branches = {"branch_0": "b0", "branch_3.1": "b3b"}
    branches |= {f"branch_{n}.{i}": f"b{n}{'ab'[i]}" for n in (1, 2) for i in (0, 1)}
    state = {}
    for name, value in I3d(2, classes=2).state_dict().items():
        for own, theirs in branches.items():
            name = name.replace(f"{own}.", f"{theirs}.")
        name = name.replace(".conv.", ".conv3d.").replace(".norm.", ".bn.")
        state[name.replace("Logits", "logits")] = value
    path = tmp_path_factory.mktemp("weights") / "flow.pt"
    torch.save(state, path)
    return path


def invoke(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(convert_weights)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_writes_safetensors_and_says_what_it_found(source: Path, tmp_path: Path) -> None:
    destination = tmp_path / "flow.safetensors"
    result = invoke(source, destination)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == f"{source}: piergiaj pytorch-i3d"
    assert lines[1] == "network i3d, stream flow (2 input channels), 2 classes"
    assert lines[2].startswith("287 tensors, 12.")
    assert lines[3].startswith("left out: 57 counters or optimiser slots, for instance")
    assert lines[4].startswith(f"written to {destination} (")
    tensors = load_file(destination)
    original = torch.load(source, weights_only=True)
    assert len(tensors) == 287
    converted = tensors["Mixed_4f.branch_1.1.conv.weight"]
    assert torch.equal(converted, original["Mixed_4f.b1b.conv3d.weight"])


def test_an_existing_file_is_replaced_only_on_request(source: Path, tmp_path: Path) -> None:
    destination = tmp_path / "flow.safetensors"
    destination.write_text("precious")
    result = invoke(source, destination)
    assert isinstance(result.exception, CheckpointError)
    assert "add --force to replace it" in str(result.exception)
    assert destination.read_text() == "precious"
    assert invoke(source, destination, "--force").exit_code == 0
    assert len(load_file(destination)) == 287


def test_another_ending_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    result = invoke(tmp_path / "missing.pt", tmp_path / "flow.pt")
    assert isinstance(result.exception, CheckpointError)
    assert "give a destination with that ending" in str(result.exception)


def test_a_missing_source_writes_nothing(tmp_path: Path) -> None:
    result = invoke(tmp_path / "missing.pt", tmp_path / "flow.safetensors")
    assert isinstance(result.exception, CheckpointError)
    assert "missing.pt does not exist" in str(result.exception)
    assert list(tmp_path.iterdir()) == []
