"""Naming pictures in place of ImageNet: VGG16's classes, crops, weights."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from actseg_core.checkpoints.public_weights import load_vgg16, read_weights
from actseg_core.cli.main import main
from actseg_core.config import BaselineConfig
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.experiment_config import PretrainConfig
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.photographs import PhotographedThings, image_classes, square_picture
from actseg_core.generator.settings import DatasetConfig
from actseg_core.labels import ACTORS
from actseg_core.networks.vgg import FullyConvolutionalVgg16
from actseg_core.training import pretrain_images as module
from actseg_core.training.pretrain_images import pretrain_images

TINY = PretrainConfig(
    name="tiny",
    width=1 / 32,
    size=48,
    crop_px=32,
    iterations=4,
    batch_size=4,
    image_classes=9,
    keep_clips=True,
)
NAMES = ("person", "cup", "chair", "truck")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven grey pictures of 60x40 px; number 3 shows a cup and a truck, the others a chair."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "images").mkdir()
    images, things = [], []
    for number in range(1, 12):
        name = f"{number}.png"
        picture = np.full((40, 60, 3), number, np.uint8)
        cv2.imwrite(str(folder / "images" / name), picture)
        images.append({"id": number, "file_name": name, "height": 40, "width": 60})
        for kind in ("cup", "truck") if number == 3 else ("chair",):
            box = {"bbox": [10, 5, 30, 25], "category_id": NAMES.index(kind)}
            things.append({"id": len(things), "image_id": number} | box)
    things.append({"id": 99, "image_id": 1, "bbox": [0, 0, 9, 30], "category_id": 0})
    categories = [{"id": place, "name": name} for place, name in enumerate(NAMES)]
    content = {"images": images, "annotations": things, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    scene = SceneConfig(frames=3, height=48, width=48, max_actors=2, degrade=False)
    generate_dataset(root, DatasetConfig(videos=4, test_share=0.5, scene=scene, flow="none"))
    return root


@pytest.fixture(scope="module")
def finished(
    data: Path, photographs: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, float]]:
    run = tmp_path_factory.mktemp("run")
    return pretrain_images(TINY, data, photographs, run, progress=False)


def test_things_of_the_training_photographs_are_named_as_actors_where_they_are(
    photographs: Path,
) -> None:
    things = PhotographedThings(photographs, "train")  # 5 and 10 are held out, 99 is too small
    assert [item.sentence for item in things.samples] == [
        *("chair", "chair", "cup", "car", "chair"),
        *("chair", "chair", "chair", "chair", "chair"),
    ]
    assert [item.video for item in PhotographedThings(photographs, "validation").samples] == [
        "5.png"
    ]


def test_classes_are_the_actors_and_then_the_most_frequent_others(photographs: Path) -> None:
    things = PhotographedThings(photographs, "train")
    assert image_classes(things, 8) == (*ACTORS, "chair")
    assert image_classes(things, 100) == (*ACTORS, "chair", "cup")
    with pytest.raises(ConfigError, match="seven actors need as many classes, got 5"):
        image_classes(things, 5)


def test_a_square_is_cut_out_around_the_middle_of_the_box() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:20, 30:40] = 255  # of 12 px: 1.2 times the longer side, a px of margin all around
    square = square_picture(picture, (30.0, 10.0, 10.0, 10.0), 12, None)
    inside = np.zeros((12, 12), bool)
    inside[1:11, 1:11] = True
    assert np.array_equal(square[..., 0] > 127, inside)


def test_what_lies_outside_of_the_picture_is_black() -> None:
    picture = np.full((20, 20, 3), 200, np.uint8)
    square = square_picture(picture, (0.0, 0.0, 20.0, 10.0), 24, None)  # rows -7 to 17
    assert square[:6].max() == 0 and square[10:20, 4:20].min() == 200


def test_random_squares_differ_and_repeat() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)

    def cut(seed: int) -> bytes:
        box = (10.0, 5.0, 30.0, 25.0)
        return square_picture(picture, box, 16, np.random.default_rng(seed)).tobytes()

    assert cut(1) == cut(1)
    assert len({cut(seed) for seed in range(5)}) == 5


def test_the_weights_fill_the_baselines_network(
    finished: tuple[Path, dict[str, float]],
) -> None:
    path, scores = finished
    assert path.name == "tiny_vgg.safetensors"
    assert scores.keys() == {"class", "actor", "class_chance", "pictures"}
    network = FullyConvolutionalVgg16(BaselineConfig(width=1 / 32, visual_dim=9))
    found = load_vgg16(path, network)
    assert (found.width, found.classes) == (1 / 32, 9)


def test_every_layer_trains(finished: tuple[Path, dict[str, float]]) -> None:
    torch.manual_seed(TINY.seed)
    fresh = module.ImagePretraining(TINY, (*ACTORS, "chair", "cup")).network.state_dict()
    trained = read_weights(finished[0]).tensors
    weights = [name for name in trained if name.endswith("weight")]
    assert [name for name in weights if torch.equal(trained[name], fresh[name])] == []


def test_a_finished_run_is_not_trained_again(
    finished: tuple[Path, dict[str, float]],
    data: Path,
    photographs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = finished[0]
    monkeypatch.setattr(module, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert pretrain_images(TINY, data, photographs, path.parent) == (path, {})
    other = TINY.model_copy(update={"width": 1 / 16})
    with pytest.raises(ConfigError, match=r"other settings \(pretrain.width differ\)"):
        pretrain_images(other, data, photographs, path.parent)


@pytest.mark.parametrize("content", ["{", "[]", '{"images": [{}]}'])
def test_a_folder_without_a_sound_index_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "instances.json").write_text(content)
    with pytest.raises(DatasetError, match=r"instances\.json is no COCO annotation file"):
        PhotographedThings(tmp_path, "train")


def test_a_missing_picture_is_named(photographs: Path) -> None:
    things = PhotographedThings(photographs, "train")
    lost: Any = type(things.samples[0])("cup", "lost.png", 0, 0)
    with pytest.raises(DatasetError, match=r"lost\.png is named in instances\.json but is miss"):
        things.picture(lost)


def test_the_verb_trains_vgg_where_photographs_are_given(
    data: Path, photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "tiny.yaml"
    config.write_text(
        "{name: t, width: 0.03125, size: 48, crop_px: 32, iterations: 2, batch_size: 2}"
    )
    run = tmp_path / "run"
    place = ["pretrain", str(data), "--config", str(config), "--run", str(run)]
    assert main([*place, "--photographs", str(photographs)]) == 0
    shown = capsys.readouterr().out.replace("\n", "")
    assert f"vgg_weights={run}/t_vgg.safetensors" in shown
    assert "held out: actor" in shown
