"""One cell: the network that is asked, and the mark of its figures."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.errors import CheckpointError
from actseg_core.evaluation.tables import read_measurement
from actseg_core.experiments.measure import assemble, measure_cell
from actseg_core.experiments.plan import Cell, make_plan
from actseg_core.experiments.scale import AblationScale
from actseg_core.experiments.store import Store


@pytest.fixture
def fused(tiny: AblationScale) -> Cell:
    return make_plan(tiny, ["streams"], 1).cells[2]


@pytest.fixture
def checkpoints(fused: Cell, untrained: Any, tmp_path: Path) -> dict[str, Path]:
    return {item.name: untrained(item, tmp_path, tmp_path / item.name) for item in fused.trainings}


def test_a_fused_network_has_the_weights_of_both_trainings(
    fused: Cell, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "fused.safetensors"
    assemble(fused, checkpoints, path)
    network = load_checkpoint(path).model
    assert network.config == fused.model
    for training in fused.trainings:
        stream = training.model.streams[0]
        single = load_checkpoint(checkpoints[training.name]).model
        own = network.stream(stream).state_dict()
        for name, value in single.stream(stream).state_dict().items():
            assert torch.equal(own[name], value)


def test_weights_of_another_scale_are_refused(
    fused: Cell, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    names = list(checkpoints)
    swapped = dict(zip(names, reversed(checkpoints.values()), strict=True))
    with pytest.raises((CheckpointError, AssertionError, KeyError)):
        assemble(fused, swapped, tmp_path / "fused.safetensors")
    assert not (tmp_path / "fused.safetensors").exists()


def test_the_figures_are_marked_with_scale_seed_and_differences(
    fused: Cell,
    checkpoints: dict[str, Path],
    tiny: AblationScale,
    data: Path,
    tmp_path: Path,
) -> None:
    measure_cell(fused, checkpoints, data, tiny, tmp_path / "out")
    found = read_measurement(tmp_path / "out" / "metrics.json").provenance
    assert (found.row, found.origin, found.split) == (
        *("ablation_stream_rgb_flow", "generated", "test"),
    )
    assert found.notes[0] == "trained at scale tiny, seed 0"
    assert "size 32 instead of 512" in found.notes
    assert not found.is_papers_data
    assert (tmp_path / "out" / "contact_sheet.png").is_file()


def test_the_second_data_set_is_asked_about_the_listed_frames_too(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    cell = make_plan(tiny, ["transfer"], 1).cells[0]
    weights = {it.name: untrained(it, tmp_path, tmp_path / it.name) for it in cell.trainings}
    store = Store(tmp_path / "run")
    output = store.cell(cell)
    measure_cell(cell, weights, data, tiny, output)
    assert store.peers_metrics(cell) == output / "listed" / "metrics.json"
    own, listed = (
        read_measurement(path).provenance
        for path in (store.metrics(cell), store.peers_metrics(cell))
    )
    assert (own.asked, listed.asked) == (6, 6)  # two videos, three frames of each
    assert "frames of the list" in listed.notes and "frames of the list" not in own.notes
    assert own.weights == listed.weights


def test_pairs_are_asked_as_the_row_says(
    tiny: AblationScale, data: Path, tmp_path: Path, untrained: Any
) -> None:
    for cell in make_plan(tiny, ["pairs"], 1).cells:
        weights = {it.name: untrained(it, tmp_path, tmp_path / it.name) for it in cell.trainings}
        output = tmp_path / cell.row.queries
        measure_cell(cell, weights, data, tiny, output)
        content = json.loads((output / "metrics.json").read_text())
        wanted = "all 43 pairs" if cell.row.queries == "all" else "pairs given by the annotation"
        assert wanted in content["measured_on"]
        assert 0 <= content["scores"]["semantic"]["joint"]["global_accuracy"] <= 1
