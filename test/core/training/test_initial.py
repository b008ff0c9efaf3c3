from pathlib import Path

import pytest
import torch

from actseg_core.checkpoints.checkpoint import save_checkpoint
from actseg_core.checkpoints.public_weights import save_weights, trained_weights
from actseg_core.config import (
    BaselineConfig,
    DecoderConfig,
    ModelConfig,
    TextConfig,
    VideoConfig,
)
from actseg_core.errors import CheckpointError, ConfigError
from actseg_core.experiment_config import ExperimentConfig
from actseg_core.networks.i3d import I3d
from actseg_core.networks.two_stream import build_model
from actseg_core.training.initial import initial_model
from actseg_core.training.settings import TrainRunConfig

CONFIG = ModelConfig(
    name="tiny",
    streams=("rgb",),
    frames=2,
    size=32,
    text=TextConfig(word_dim=4, sentence_dim=4),
    video=VideoConfig(width=1 / 32),
    decoder=DecoderConfig(channels=(4, 4)),
)
HU = ModelConfig(
    kind="hu",
    name="hu",
    streams=("rgb",),
    frames=1,
    size=32,
    text=TextConfig(encoder="lstm", word_dim=4, sentence_dim=4),
    baseline=BaselineConfig(width=1 / 32, visual_dim=4, embed_dim=4, hidden_dim=4),
)
EXPERIMENT = ExperimentConfig()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(5)
    path = tmp_path / "rgb.safetensors"
    save_weights(trained_weights(I3d(3, 1 / 32, classes=2), 1 / 32), path)
    return path


def test_pretrained_weights_reach_the_encoder(weights: Path) -> None:
    torch.manual_seed(5)
    pretrained = I3d(3, 1 / 32, classes=2).state_dict()
    model = initial_model(CONFIG, EXPERIMENT, TrainRunConfig(rgb_weights=str(weights)))
    encoder = model.stream("rgb").video_encoder.i3d.state_dict()  # type: ignore[union-attr]
    assert len(encoder) > 100
    assert all(torch.equal(value, pretrained[name]) for name, value in encoder.items())


def test_new_layers_depend_on_the_seed_alone() -> None:
    def made(seed: int, noise: int) -> torch.Tensor:
        torch.manual_seed(noise)
        settings = TrainRunConfig(seed=seed, random_encoder=True)
        model = initial_model(CONFIG, EXPERIMENT, settings)
        return torch.cat([item.flatten() for item in model.parameters()])

    assert torch.equal(made(1, 0), made(1, 1))
    assert not torch.equal(made(1, 0), made(2, 0))


def test_frozen_layers_are_not_left_random_by_mistake() -> None:
    with pytest.raises(ConfigError, match="would stay random: give rgb_weights .*random_encoder"):
        initial_model(CONFIG, EXPERIMENT, TrainRunConfig())
    with pytest.raises(ConfigError, match="would stay random: give vgg_weights"):
        initial_model(HU, EXPERIMENT, TrainRunConfig())


def test_weights_that_nothing_reads_are_refused(weights: Path) -> None:
    with pytest.raises(
        ConfigError, match="tiny has no use for flow_weights; it reads rgb_weights"
    ):
        initial_model(CONFIG, EXPERIMENT, TrainRunConfig(flow_weights=str(weights)))
    with pytest.raises(ConfigError, match="hu has no use for rgb_weights; it reads vgg_weights"):
        initial_model(HU, EXPERIMENT, TrainRunConfig(rgb_weights=str(weights)))


def test_weights_of_another_width_are_refused(weights: Path) -> None:
    wide = CONFIG.model_copy(update={"video": VideoConfig(width=1 / 16)})
    with pytest.raises(CheckpointError, match="set its width accordingly"):
        initial_model(wide, EXPERIMENT, TrainRunConfig(rgb_weights=str(weights)))


def test_missing_weights_are_said(tmp_path: Path) -> None:
    settings = TrainRunConfig(rgb_weights=str(tmp_path / "none.pt"))
    with pytest.raises(CheckpointError, match=r"none\.pt"):
        initial_model(CONFIG, EXPERIMENT, settings)


def test_a_checkpoint_to_start_from_replaces_all_weights(tmp_path: Path) -> None:
    torch.manual_seed(9)
    other = build_model(CONFIG)
    save_checkpoint(tmp_path / "other.safetensors", other)
    settings = TrainRunConfig(start=str(tmp_path / "other.safetensors"))
    model = initial_model(CONFIG, EXPERIMENT, settings)
    wanted = other.state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())


def test_a_checkpoint_of_another_network_is_refused_with_what_differs(tmp_path: Path) -> None:
    narrow = CONFIG.model_copy(update={"decoder": DecoderConfig(channels=(4, 2))})
    save_checkpoint(tmp_path / "other.safetensors", build_model(narrow))
    settings = TrainRunConfig(start=str(tmp_path / "other.safetensors"))
    with pytest.raises(CheckpointError, match="of another network than tiny: .* must be .*, is "):
        initial_model(CONFIG, EXPERIMENT, settings)


def test_a_row_that_starts_from_another_finds_it_beside_its_run(tmp_path: Path) -> None:
    experiment = ExperimentConfig(start_from="first")
    settings = TrainRunConfig(run=str(tmp_path / "second"))
    place = tmp_path / "first" / "first.safetensors"
    with pytest.raises(CheckpointError, match="starts from the trained first, but there is no .*"):
        initial_model(CONFIG, experiment, settings)
    save_checkpoint(place, build_model(CONFIG))
    initial_model(CONFIG, experiment, settings)
