"""`actseg convert-weights` on a made-up piergiaj file."""

from pathlib import Path

import pytest
import torch
import typer
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from actseg_core.cli.convert_weights import convert_weights
from actseg_core.errors import CheckpointError
from actseg_core.networks.i3d import I3d


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
