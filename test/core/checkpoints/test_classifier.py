"""The classifier's files: what is written is read, everything else is refused with a reason."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.checkpoints.classifier import load_classifier, save_classifier
from actseg_core.config import FlowConfig
from actseg_core.errors import CheckpointError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.networks.pair_classifier import PairClassifier

CONFIG = ClassifierConfig(streams=("rgb",), width=1 / 32, short_side_px=40, crop_px=32)
FLOW = FlowConfig(estimator="farneback")


@pytest.fixture
def classifier() -> PairClassifier:
    torch.manual_seed(0)
    return PairClassifier(CONFIG).eval()


@pytest.fixture
def path(classifier: PairClassifier, tmp_path: Path) -> Path:
    save_classifier(tmp_path / "c.safetensors", classifier, FLOW, {"mAP": 0.7})
    return tmp_path / "c.safetensors"


def rewritten(path: Path, **changes: str) -> Path:
    """The same tensors with other metadata."""
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata | changes)
    return path


def test_a_classifier_comes_back_as_it_was(path: Path, classifier: PairClassifier) -> None:
    found = load_classifier(path)
    assert (found.classifier.config, found.flow) == (CONFIG, FLOW)
    assert (found.metrics, found.path) == ({"mAP": 0.7}, path)
    assert not found.classifier.training
    clips = {"rgb": torch.rand(1, 3, 4, 32, 32, generator=torch.Generator().manual_seed(1))}
    with torch.inference_mode():
        assert torch.equal(found.classifier(clips)["rgb"], classifier(clips)["rgb"])


def test_weights_that_are_not_finite_are_not_written(
    classifier: PairClassifier, tmp_path: Path
) -> None:
    with torch.no_grad():
        next(classifier.parameters())[0] = torch.nan
    with pytest.raises(CheckpointError, match="is not finite as"):
        save_classifier(tmp_path / "c.safetensors", classifier, FLOW)
    assert list(tmp_path.iterdir()) == []


def test_a_segmentation_network_is_no_classifier(small_predictor, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "small.safetensors", small_predictor.model)
    with pytest.raises(CheckpointError, match="no pair classifier; `actseg train-classifier`"):
        load_classifier(tmp_path / "small.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "2"}, "format version 2, this package reads up to 1"),
        ({"version": "one"}, "not a readable safetensors checkpoint"),
        ({"config": "{"}, "not a readable safetensors checkpoint"),
        ({"config": "[1]"}, "not a readable safetensors checkpoint"),
        ({"config": json.dumps({"widht": 1})}, "unknown setting 'widht'; did you mean 'width'"),
        ({"flow": json.dumps({"estimator": "guess"})}, "settings we cannot use: estimator"),
    ],
)
def test_foreign_metadata_is_refused(path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(CheckpointError, match=message.replace("?", r"\?")):
        load_classifier(rewritten(path, **changes))


def test_weights_of_another_width_are_refused(path: Path) -> None:
    wider = CONFIG.model_copy(update={"width": 1 / 16}).model_dump_json()
    with pytest.raises(
        CheckpointError, match="does not fit its own configuration: .* and .* more"
    ):
        load_classifier(rewritten(path, config=wider))


def test_damaged_and_missing_files_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="is the download complete"):
        load_classifier(path)
    path.unlink()
    with pytest.raises(CheckpointError, match="does not exist"):
        load_classifier(path)
