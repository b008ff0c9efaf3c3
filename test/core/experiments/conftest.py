"""A scale so small that a network trains in a second, and its data."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.evaluation.paper_tables import Provenance
from actseg_core.evaluation.questions import Prediction, Question
from actseg_core.evaluation.report import FORMAT, VERSION
from actseg_core.evaluation.run import measure, score
from actseg_core.evaluation.semantic import SemanticAccumulator
from actseg_core.evaluation.summary import (
    row_values,
    summarise,
    summarise_pairs,
    write_json,
    write_json_lines,
)
from actseg_core.experiments.plan import Cell, Training
from actseg_core.experiments.run import make_data
from actseg_core.experiments.scale import AblationScale
from actseg_core.networks.two_stream import build_model

SCENE = {"frames": 6, "height": 48, "width": 64, "max_actors": 2, "degrade": False}


@pytest.fixture(scope="session")
def tiny() -> AblationScale:
    """32 px, a sixteenth of the width, two steps."""
    stage = {"iterations": 2, "batch_size": 2, "decay_every": 0}
    return AblationScale.from_mapping(
        {
            "name": "tiny",
            "model": {
                "size": 32,
                "video": {"width": 0.0625},
                "text": {"vectors": "glove", "word_dim": 50, "sentence_dim": 50},
                "decoder": {"channels": [4, 4]},
                "flow": {"estimator": "farneback"},
                "presence": {"threshold": 0.0},
            },
            "baseline_model": {
                "baseline": {
                    "width": 0.0625,
                    "visual_dim": 8,
                    "embed_dim": 8,
                    "hidden_dim": 8,
                    "trainable": "all",
                }
            },
            "stage": stage,
            "baseline_stages": [
                stage | {"name": "low", "response_weights": [1.0, 0.0]},
                stage | {"name": "high", "response_weights": [0.0, 1.0]},
            ],
            "train": {"random_encoder": True, "val_samples": 2, "pictures": 1},
            "a2d": {"videos": 5, "test_share": 0.4, "flow": "none", "scene": SCENE},
            "jhmdb": {"layout": "jhmdb", "videos": 2, "seed": 1, "flow": "none", "scene": SCENE},
        }
    )


@pytest.fixture(scope="session")
def data(tiny: AblationScale, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablation_data")
    make_data(folder, tiny)
    return folder


class Untrained:
    """Stands for `actseg train` where only the order of things is tested: random weights.

    Attributes:
        asked: Names of the trainings, in order.
        broken: Titles of networks whose training fails.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: set[str] = set()

    def __call__(self, training: Training, config: Path, folder: Path) -> Path:
        self.asked.append(training.name)
        if training.title in self.broken:
            raise RuntimeError("the loss is not finite")
        torch.manual_seed(training.seed)
        path = folder / "weights.safetensors"
        save_checkpoint(path, build_model(training.model))
        return path


@pytest.fixture
def untrained() -> Callable[[Training, Path, Path], Path]:
    return Untrained()


OVERLAPS = {"rgb": 60, "flow": 40, "fused": 70, "hu": 20, "li": 30}


def instant(
    cell: Cell, checkpoints: Mapping[str, Path], data: Path, scale: AblationScale, output: Path
) -> None:
    """Writes a report in no time, better by a pixel per seed, where only the loop is tested."""
    assert all(path.is_file() for path in checkpoints.values())
    questions = []
    overlap = OVERLAPS[next(name for name in OVERLAPS if cell.name.startswith(name))] + cell.seed
    truth, mask = np.zeros((10, 20), np.bool_), np.zeros((10, 20), np.bool_)
    truth.flat[:100], mask.flat[:overlap] = True, True
    for number in range(4):
        question = Question(
            truth=truth, sample_id=f"{number}", video_id=f"v{number}", sentence="dog running"
        )
        questions.append(measure(question, Prediction(mask=mask, found=True, confidence=0.5)))
    provenance = Provenance(
        kind=cell.kind,
        origin="generated",
        folder="a2d",
        split="test",
        asked=4,
        available=4,
        left_out=0,
        model=cell.model.name,
        weights="none",
        row=cell.row.preset,
        notes=(f"trained at scale {scale.name}, seed {cell.seed}", "size 32 instead of 512"),
    )
    scores = summarise(score(questions))
    if cell.kind == "a2d-pairs":
        accumulator = SemanticAccumulator()
        accumulator.add(np.full((2, 2), 11, np.uint8), np.array([[11, 11], [11, 0]], np.uint8))
        scores = summarise_pairs(accumulator.result(), None)
    write_json_lines(output / "samples.jsonl", (row_values(row) for row in questions))
    document = {"format": FORMAT, "version": VERSION, "provenance": asdict(provenance)}
    write_json(output / "metrics.json", document | {"scores": scores})


@pytest.fixture
def instantly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells are measured by `instant`; test_measure.py tests the real thing."""
    monkeypatch.setattr("actseg_core.experiments.run.measure_cell", instant)
