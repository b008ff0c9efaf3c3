"""The recipe end to end on a tiny network: what it writes, where it starts."""

from pathlib import Path

import numpy as np
import pytest
import torch

import actseg_core.training.lite.recipe as recipe
from actseg_core.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from actseg_core.config import LiteTrainConfig, ModelConfig
from actseg_core.errors import CheckpointError
from actseg_core.networks.two_stream import build_model
from actseg_core.text.sentence import SentenceReader
from actseg_core.text.word_vectors import WordVectors
from actseg_core.training.lite.clip import TrainingClip
from actseg_core.training.lite.generated import GeneratedSource
from actseg_core.training.lite.module import LiteTraining


def settings(**changes: object) -> LiteTrainConfig:
    tiny = {
        "iterations": 3,
        "batch": 2,
        "workers": 0,
        "size": 64,
        "calibration_clips": 60,
        "sentences": 2,
        "replay": 1,
    }
    return LiteTrainConfig.from_mapping({**tiny, "save_every": 1, **changes})


@pytest.fixture
def tiny_vocabulary(monkeypatch: pytest.MonkeyPatch, vectors: WordVectors) -> None:
    monkeypatch.setattr(recipe, "load_reader", lambda config: SentenceReader(config, vectors))


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_writes_a_calibrated_checkpoint(
    tmp_path: Path,
    lite_config: ModelConfig,
    tiny_vocabulary: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, path = tmp_path / "run", tmp_path / "lite.safetensors"
    drawn = []

    def cut_after(clips: int) -> None:
        def clip(self: GeneratedSource, rng: np.random.Generator) -> TrainingClip:
            drawn.append(1)
            if len(drawn) > clips:
                raise RuntimeError("power cut")
            return original(self, rng)

        monkeypatch.setattr(GeneratedSource, "clip", clip)

    original = GeneratedSource.clip
    cut_after(clips=5)  # batches of 2: the third one is not complete
    with pytest.raises(RuntimeError, match="power cut"):
        recipe.train_lite(lite_config, settings(), run, path)
    done = torch.load(run / "last.ckpt", weights_only=True)["global_step"]
    assert 1 <= done < 3  # lightning fetches one batch ahead
    assert not path.exists()

    drawn.clear()
    cut_after(clips=1000)
    recipe.train_lite(lite_config, settings(), run, path)

    assert torch.load(run / "last.ckpt", weights_only=True)["global_step"] == 3
    trained = len(drawn) - settings().calibration_clips
    assert trained <= 2 * (3 - done + 1), "only the missing steps were trained"
    written = load_checkpoint(path)
    assert written.metrics["iterations"] == 3
    assert written.config.presence != lite_config.presence


def test_a_run_can_start_from_a_checkpoint(tmp_path: Path, lite_config: ModelConfig) -> None:
    torch.manual_seed(5)
    model = build_model(lite_config)
    save_checkpoint(tmp_path / "start.safetensors", model)
    started = recipe.initial_model(
        lite_config, settings(start=[str(tmp_path / "start.safetensors")])
    )
    for name, value in model.state_dict().items():
        torch.testing.assert_close(started.state_dict()[name], value)


def test_a_checkpoint_of_another_network_is_no_start(
    tmp_path: Path, lite_config: ModelConfig
) -> None:
    save_checkpoint(tmp_path / "start.safetensors", build_model(lite_config))
    other = lite_config.model_copy(
        update={"lite": lite_config.lite.model_copy(update={"filters": 3})}
    )
    with pytest.raises(CheckpointError, match="is of another network than lite"):
        recipe.initial_model(other, settings(start=[str(tmp_path / "start.safetensors")]))


def test_streams_come_from_the_checkpoints_that_have_them(
    tmp_path: Path, lite_config: ModelConfig
) -> None:
    parts = {}
    for seed, stream in enumerate(("rgb", "flow")):
        torch.manual_seed(seed)
        parts[stream] = build_model(lite_config.model_copy(update={"streams": (stream,)}))
        save_checkpoint(tmp_path / f"{stream}.safetensors", parts[stream])
    paths = [str(tmp_path / f"{stream}.safetensors") for stream in parts]
    started = recipe.initial_model(lite_config, settings(start=paths))
    for stream, part in parts.items():
        for name, value in part.stream(stream).state_dict().items():
            torch.testing.assert_close(started.stream(stream).state_dict()[name], value)


def test_frozen_stages_get_no_gradient(lite_config: ModelConfig) -> None:
    whole = LiteTraining(build_model(lite_config), settings(frozen="stride32"))
    assert not any(p.requires_grad for p in whole.model.stream("rgb").trunk.parameters())
    assert all(p.requires_grad for p in whole.model.stream("flow").trunk.parameters())
    training = LiteTraining(build_model(lite_config), settings(frozen="stride8"))
    trunk = training.model.stream("rgb").trunk
    assert not any(p.requires_grad for s in (trunk.to4, trunk.to8) for p in s.parameters())
    assert all(p.requires_grad for p in trunk.to16.parameters())
    trained = {
        id(p)
        for g in training.configure_optimizers()["optimizer"].param_groups
        for p in g["params"]
    }
    assert trained == {id(p) for p in training.parameters() if p.requires_grad}
