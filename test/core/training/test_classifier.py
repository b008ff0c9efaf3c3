"""The pair classifier from generated videos to a file that `actseg evaluate` asks."""

import json
from pathlib import Path

import pytest
import torch

from actseg_core.checkpoints.classifier import load_classifier
from actseg_core.checkpoints.public_weights import save_weights, trained_weights
from actseg_core.cli import evaluate as verb
from actseg_core.cli.main import main
from actseg_core.config import FlowConfig, ModelConfig
from actseg_core.errors import CheckpointError, ConfigError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.networks.i3d import I3d
from actseg_core.training import classifier as module
from actseg_core.training.classifier import train_classifier

WIDTH = 1 / 16
TINY = ClassifierConfig.from_mapping(
    {
        "width": WIDTH,
        "train_frames": 6,
        "test_frames": 4,
        "short_side_px": 36,
        "crop_px": 32,
        "stage": {"iterations": 3, "batch_size": 2, "decay_every": 0, "response_weights": [1.0]},
    }
)
MODEL = ModelConfig(flow=FlowConfig(estimator="dis"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    scene = SceneConfig(frames=8, height=48, width=64, max_actors=2, degrade=False)
    config = DatasetConfig(videos=6, test_share=0.5, seed=5, scene=scene, flow="none")
    generate_dataset(root, config)
    return root


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random I3D weights of the width, with nine classes that are left out."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("weights")
    for stream, channels in (("rgb", 3), ("flow", 2)):
        network = I3d(channels, WIDTH, classes=9)
        save_weights(trained_weights(network, WIDTH), folder / f"{stream}.safetensors")
    return {stream: folder / f"{stream}.safetensors" for stream in ("rgb", "flow")}


@pytest.fixture(scope="module")
def trained(
    data: Path, weights: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    run = tmp_path_factory.mktemp("run")
    return train_classifier(TINY, MODEL, data, run, weights, progress=False)


def test_the_last_block_trains_on_top_of_the_given_weights(
    trained: Path, weights: dict[str, Path]
) -> None:
    found = load_classifier(trained)
    assert (found.classifier.config, found.flow) == (TINY, MODEL.flow)
    assert found.metrics == {"iterations": 3, "seed": 0, "videos": 3}
    for stream in ("rgb", "flow"):
        given = I3d(3 if stream == "rgb" else 2, WIDTH, classes=43)
        module.load_i3d(weights[stream], given, head=False)
        before, after = given.state_dict(), found.classifier.stream(stream).state_dict()
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        assert {name.split(".")[0] for name in changed} == {"Mixed_5c", "Logits"}


def test_a_finished_classifier_is_not_trained_again(
    trained: Path, data: Path, weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert train_classifier(TINY, MODEL, data, trained.parent, weights) == trained
    with pytest.raises(ConfigError, match=r"other settings \(seed differ\)"):
        train_classifier(TINY, MODEL, data, trained.parent, weights, seed=1)


def test_random_frozen_layers_and_useless_weights_are_refused(
    data: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    rgb = {"rgb": weights["rgb"]}
    with pytest.raises(ConfigError, match="would stay random: give --flow-weights"):
        train_classifier(TINY, MODEL, data, tmp_path, rgb)
    alone = TINY.model_copy(update={"streams": ("rgb",)})
    with pytest.raises(ConfigError, match="flow weights are of no use"):
        train_classifier(alone, MODEL, data, tmp_path, weights)
    wider = TINY.model_copy(update={"width": 1 / 8})
    with pytest.raises(CheckpointError, match=r"\(width 0.0625, 9 classes\) does not fit"):
        train_classifier(wider, MODEL, data, tmp_path, weights)


def test_the_verb_trains_and_names_the_map(
    data: Path, weights: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [
        "streams=[rgb]",
        "flow.estimator=farneback",
        f"width={WIDTH}",
        "train_frames=4",
        "test_frames=4",
    ]
    small += ["short_side_px=32", "crop_px=32", "stage.iterations=1", "stage.batch_size=2"]
    options = [item for setting in small for item in ("--set", setting)]
    place = ["train-classifier", str(data), "--run", str(tmp_path), *options]
    assert main([*place, "--set", "widht=1", "--rgb-weights", str(weights["rgb"])]) == 2
    assert "unknown setting 'widht'; did you mean 'width'" in capsys.readouterr().err
    assert main([*place, "--rgb-weights", str(weights["rgb"])]) == 0
    shown = capsys.readouterr().out
    assert "mAP on 3 test videos: " in shown
    assert load_classifier(tmp_path / "classifier.safetensors").flow.estimator == "farneback"
    assert f"--classifier {tmp_path}/classifier.safetensors" in shown.replace("\n", "")
    assert main(["train-classifier", str(data), "--config", "table1_rgb"]) == 2
    assert "table1_rgb has no experiment.classifier" in capsys.readouterr().err


def test_evaluate_asks_for_the_classifiers_picks_and_scores_it(
    trained: Path, data: Path, tmp_path: Path, small_predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb.Predictor, "load", lambda *options: small_predictor)
    asked = ["evaluate", "a2d-pairs", str(data), "--model", str(trained), "--limit", "2"]
    asked += ["--output", str(tmp_path), "--classifier", str(trained)]
    assert main(asked) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    (note,) = (item for item in metrics["provenance"]["notes"] if "pairs" in item)
    assert note.startswith("pairs picked by a classifier (classifier.safetensors, sha256 ")
    assert metrics["scores"]["classification"]["videos"] == 3
    assert 0 <= metrics["scores"]["classification"]["mean_average_precision"] <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a2d-sentences", "--classifier", "c"], "--classifier are for a2d-pairs"),
        (["a2d-pairs", "--classifier", "c", "--queries", "all"], "without --classifier"),
        (
            ["a2d-pairs", "--classifier", "nothing.safetensors"],
            "nothing.safetensors does not exist",
        ),
    ],
)
def test_a_classifier_in_the_wrong_place_is_refused(
    arguments: list[str], message: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", arguments[0], str(data), *arguments[1:]]) == 2
    assert message in capsys.readouterr().err
