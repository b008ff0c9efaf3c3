"""A small generated data set, a small network, and trainings of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.training.run import train
from actseg_core.training.settings import TrainRunConfig

TINY: dict[str, Any] = {
    "name": "tiny",
    "kind": "actor_action",
    "streams": ["rgb"],
    "frames": 2,
    "size": 32,
    "text": {"vectors": "glove", "word_dim": 50, "sentence_dim": 8},
    "video": {"width": 1 / 32, "trainable": "all"},
    "decoder": {"channels": [8, 8]},
    "experiment": {"stages": [{"iterations": 6, "batch_size": 4, "decay_every": 4}]},
}


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight videos in A2D's layout, half of them for testing."""
    root = tmp_path_factory.mktemp("training") / "clips"
    scene = SceneConfig(frames=6, height=48, width=64, max_actors=2, degrade=False)
    generate_dataset(root, DatasetConfig(videos=8, test_share=0.5, seed=3, scene=scene))
    return root


@pytest.fixture
def preset(tmp_path: Path) -> Callable[..., str]:
    """preset(**changes): a YAML file of the small network with other settings at its top level."""

    def write(**changes: Any) -> str:
        path = tmp_path / f"preset{len(list(tmp_path.glob('preset*')))}.yaml"
        path.write_text(yaml.safe_dump(TINY | changes))
        return str(path)

    return write


@pytest.fixture
def run(clips: Path, tmp_path: Path, preset: Callable[..., str]) -> Callable[..., Path]:
    """run(folder, preset="...", **settings): trains in a folder of the test; the weights."""

    def start(folder: str, config: str = "", **settings: Any) -> Path:
        quick = {"log_every": 1, "save_every": 2, "val_every": 3, "val_samples": 2, "pictures": 0}
        given = {"data": str(clips), "run": str(tmp_path / folder), "progress": False}
        return train(config or preset(), TrainRunConfig(**(given | quick | settings)))

    return start
