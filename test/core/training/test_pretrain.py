"""Action classification in place of Kinetics: its scores, its weights, its resumption."""

import shutil
from pathlib import Path

import pytest
import torch

from actseg_core.checkpoints.public_weights import load_i3d, read_weights
from actseg_core.cli.main import main
from actseg_core.config import VideoConfig
from actseg_core.errors import ConfigError, TrainingError
from actseg_core.experiment_config import PretrainConfig
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.labels import PAIRS, pair_from_label
from actseg_core.networks.paper import VideoEncoder
from actseg_core.training import pretrain as module
from actseg_core.training.pretrain import (
    ActionPretraining,
    accuracy,
    load_pretrain_config,
    pretrain,
)

TINY = PretrainConfig(
    name="tiny", width=1 / 16, size=48, crop_px=32, frames=4, iterations=4, batch_size=4
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    scene = SceneConfig(frames=6, height=48, width=48, max_actors=2, degrade=False)
    config = DatasetConfig(videos=6, test_share=0.5, seed=5, scene=scene, flow="none")
    generate_dataset(root, config)
    return root


def train(config: PretrainConfig, data: Path, run: Path, **options: object) -> Path:
    return pretrain(config, "flow", data, run, progress=False, **options)[0]


@pytest.fixture(scope="module")
def finished(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, float]]:
    """Weights and scores of an uninterrupted run."""
    return pretrain(TINY, "flow", data, tmp_path_factory.mktemp("run"), progress=False)


def place(label: int) -> int:
    return PAIRS.index(pair_from_label(label))


def test_accuracy_counts_pairs_and_actions() -> None:
    pairs = torch.tensor([place(17), place(17), place(76), place(63)])
    # adult running named cat running: the action is right; cat eating named cat jumping: nothing
    guesses = torch.tensor([place(17), place(67), place(76), place(65)])
    found = accuracy(guesses, pairs, TINY)
    right = {"pair": 0.5, "action": 0.75, "clips": 4.0}
    # adult running is two of the four, and so is running
    assert found == right | {"pair_chance": 0.5, "action_chance": 0.5}


def test_accuracy_of_actions_alone() -> None:
    pairs = torch.tensor([place(17), place(67), place(76)])
    config = TINY.model_copy(update={"classes": "actions"})
    found = accuracy(torch.tensor([6, 5, 5]), pairs, config)  # running, rolling, rolling
    assert found == pytest.approx({"action": 2 / 3, "action_chance": 2 / 3, "clips": 3.0})


def test_the_weights_fill_the_paper_network_of_that_width(
    finished: tuple[Path, dict[str, float]],
) -> None:
    path, scores = finished
    assert path.name == "tiny_flow.safetensors"
    assert scores["clips"] > 0 and 0 <= scores["pair"] <= scores["action"] <= 1
    encoder = VideoEncoder(VideoConfig(width=1 / 16), in_channels=2)
    found = load_i3d(path, encoder.i3d)
    assert (found.stream, found.width, found.classes) == ("flow", 1 / 16, 43)


def test_all_layers_and_batch_statistics_train(
    finished: tuple[Path, dict[str, float]],
) -> None:
    torch.manual_seed(TINY.seed)
    fresh = ActionPretraining(TINY, "flow").network.state_dict()
    trained = read_weights(finished[0]).tensors
    assert {name for name, value in trained.items() if torch.equal(value, fresh[name])} == set()


def test_actions_alone_have_nine_classes() -> None:
    config = TINY.model_copy(update={"classes": "actions"})
    assert ActionPretraining(config, "rgb").network.out_channels == 9


def test_an_interrupted_run_goes_on_to_the_same_weights(
    finished: tuple[Path, dict[str, float]],
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = read_weights(finished[0]).tensors
    step = ActionPretraining.training_step

    def broken(self: ActionPretraining, batch: object, index: int) -> torch.Tensor:
        if self.trainer.global_step == 3:
            raise TrainingError("pulled the plug")
        return step(self, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(ActionPretraining, "training_step", broken)
        with pytest.raises(TrainingError, match="pulled the plug"):
            train(TINY, data, tmp_path / "parts", save_every=2)
    assert (tmp_path / "parts" / "flow" / "last.ckpt").is_file()
    parts = read_weights(train(TINY, data, tmp_path / "parts", save_every=2)).tensors
    for name, value in whole.items():
        assert torch.allclose(parts[name], value, atol=1e-6), name


def test_a_finished_run_is_not_trained_again(
    finished: tuple[Path, dict[str, float]], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = finished[0]
    monkeypatch.setattr(module, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert pretrain(TINY, "flow", data, path.parent) == (path, {})
    with pytest.raises(ConfigError, match=r"other settings \(pretrain.width differ\)"):
        train(TINY.model_copy(update={"width": 1 / 32}), data, path.parent)


def test_presets_and_files_are_found_by_name(tmp_path: Path) -> None:
    assert load_pretrain_config("small").name == "small"
    (tmp_path / "own.yaml").write_text("width: 0.5\n")
    assert load_pretrain_config(str(tmp_path / "own.yaml")).width == 0.5
    with pytest.raises(
        ConfigError, match="'large'; give one of half, half_tvl1, half_vgg, small or"
    ):
        load_pretrain_config("large")
    (tmp_path / "own.yaml").write_text("widht: 0.5\n")
    with pytest.raises(ConfigError, match="unknown setting 'widht'; did you mean 'width'"):
        load_pretrain_config(str(tmp_path / "own.yaml"))


def test_the_verb_says_where_the_weights_are_and_how_good(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(data, tmp_path / "clips")
    config = tmp_path / "tiny.yaml"
    config.write_text(
        "{name: t, width: 0.0625, size: 48, crop_px: 32, frames: 4, iterations: 2, batch_size: 2}"
    )
    run = tmp_path / "run"
    place = ["pretrain", str(tmp_path / "clips"), "--config", str(config), "--run", str(run)]
    assert main([*place, "--stream", "depth"]) == 2
    assert "no stream 'depth'; give rgb or flow" in capsys.readouterr().err
    assert main([*place, "--stream", "rgb"]) == 0
    shown = capsys.readouterr().out
    assert f"rgb_weights={run}/t_rgb.safetensors" in shown.replace("\n", "")
    assert "held out: action 0" in shown
    assert main(["pretrain", str(tmp_path / "nothing"), "--run", str(tmp_path / "x")]) == 2
    assert "cannot read" in capsys.readouterr().err
