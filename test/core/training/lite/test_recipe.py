import json
from pathlib import Path

import numpy as np
import pytest
import torch

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.config import load_preset
from actseg_core.errors import ConfigError, DatasetError
from actseg_core.experiment_config import LiteTrainConfig
from actseg_core.networks.object_features import FrameTrunk
from actseg_core.training.lite import masks, recipe
from actseg_core.training.lite.cached_views import CachedViews
from actseg_core.training.lite.feature_cache import build
from actseg_core.training.lite.photos import read_photos


@pytest.fixture(autouse=True)
def random_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of public weight files, which the project does not hold."""

    def made(detector: Path) -> FrameTrunk:
        torch.manual_seed(0)
        trunk = FrameTrunk().eval()
        for head in trunk.detector.heads:
            torch.nn.init.constant_(head.objectness.bias, 2.0)
        return trunk

    monkeypatch.setattr(recipe, "pretrained_trunk", made)


def settings(tmp_path: Path, photos: Path, **changes: object) -> LiteTrainConfig:
    ids = tmp_path / "ids.json"
    ids.write_text(json.dumps([3, 6]))
    given = {
        "photos": [str(photos)],
        "held_out": str(ids),
        "detector": "yolox.onnx",
        "cache": str(tmp_path / "cache"),
        "views": 1,
        "steps": 2,
        "batch": 2,
        "naming_steps": 2,
        "distill_steps": 1,
    }
    return LiteTrainConfig.from_mapping(given | changes)


def test_a_phase_writes_a_checkpoint_with_its_figures(tmp_path: Path, photo_folder: Path) -> None:
    said: list[str] = []
    run, out = tmp_path / "run", tmp_path / "lite.safetensors"

    recipe.train_lite(load_preset("lite"), settings(tmp_path, photo_folder), run, out, said.append)

    checkpoint = load_checkpoint(out)
    assert checkpoint.config.kind == "objects"
    assert set(checkpoint.metrics) == {"masks", "naming", "distillation"}
    assert checkpoint.metrics["masks"]["objects"] == 3  # photographs 3 and 6 hold two and one
    assert json.loads((run / "figures.json").read_text()) == checkpoint.metrics
    assert any(line.startswith("4 views to train on, 2 held out") for line in said)


def test_a_phase_may_end_with_joint_training(tmp_path: Path, photo_folder: Path) -> None:
    given = settings(tmp_path, photo_folder, joint_steps=1)
    out = tmp_path / "lite.safetensors"

    recipe.train_lite(load_preset("lite"), given, tmp_path / "run", out, print)

    assert load_checkpoint(out).metrics["joint"]["objects"] == 3
    assert (tmp_path / "run" / "joint.state").is_file()


def test_a_phase_can_be_averaged_with_what_it_started_from(
    tmp_path: Path, photo_folder: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    given = settings(tmp_path, photo_folder)
    recipe.train_lite(load_preset("lite"), given, first, tmp_path / "a.safetensors", print)
    going_on = {"start": str(first / "masks.pt"), "steps": 3}
    for share, run in ((1.0, tmp_path / "whole"), (0.5, second)):
        phase = settings(tmp_path, photo_folder, own_share=share, **going_on)
        recipe.train_lite(load_preset("lite"), phase, run, tmp_path / "b.safetensors", print)

    start, end, half = (
        torch.load(run / "masks.pt", weights_only=True)["join.to_masks.weight"]
        for run in (first, tmp_path / "whole", second)
    )
    assert not torch.equal(start, end)
    assert torch.allclose(half, (start + end) / 2, atol=1e-6)


def test_objects_are_pasted_with_their_names(tmp_path: Path, photo_folder: Path) -> None:
    photos, trunk = read_photos(photo_folder), FrameTrunk().eval()
    build(photos, trunk, tmp_path / "plain", 1, 4, lambda line: None)
    build(photos, trunk, tmp_path / "pasted", 1, 4, lambda line: None, pasted=1.0)
    plain, pasted = CachedViews(tmp_path / "plain"), CachedViews(tmp_path / "pasted")

    assert sum(len(row.categories) for row in pasted.rows) > sum(
        len(row.categories) for row in plain.rows
    )
    for view, row in enumerate(pasted.rows):
        masks = pasted.masks(view)
        assert len(masks) == len(row.categories)
        assert masks.sum(axis=0).max() <= 1.0 + 3 / 255  # no cell belongs to two


def test_features_are_computed_once(tmp_path: Path, photo_folder: Path) -> None:
    trunk = FrameTrunk().eval()
    photos = read_photos(photo_folder)
    build(photos[:3], trunk, tmp_path / "c", 2, 0, lambda line: None)
    before = CachedViews(tmp_path / "c")
    first = np.array(before.arrays["stride8"])

    build(photos[:3], FrameTrunk().eval(), tmp_path / "c", 2, 0, lambda line: None)

    assert len(before) == 6
    assert np.array_equal(CachedViews(tmp_path / "c").arrays["stride8"], first)


def test_an_interrupted_cache_goes_on_as_if_it_had_not_been(
    tmp_path: Path, photo_folder: Path
) -> None:
    trunk, photos = FrameTrunk().eval(), read_photos(photo_folder)[:3]
    build(photos, trunk, tmp_path / "whole", 1, 5, lambda line: None)
    build(photos, trunk, tmp_path / "cut", 1, 5, lambda line: None)
    rows = tmp_path / "cut" / "rows.jsonl"
    lines = rows.read_text().splitlines(keepends=True)
    rows.write_text(lines[0])
    kept = np.load(tmp_path / "cut" / "masks.npy", mmap_mode="r+")
    kept[1:] = 0
    kept.flush()

    build(photos, trunk, tmp_path / "cut", 1, 5, lambda line: None)

    assert rows.read_text() == "".join(lines)
    for name in ("masks", "stride32", "boxes"):
        assert np.array_equal(
            np.load(tmp_path / "cut" / f"{name}.npy"), np.load(tmp_path / "whole" / f"{name}.npy")
        )


def test_an_interrupted_training_ends_where_an_unbroken_one_does(
    tmp_path: Path, photo_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masks, "SAVE_EVERY", 1)
    config = settings(tmp_path, photo_folder, steps=3)
    recipe.train_lite(load_preset("lite"), config, tmp_path / "a", tmp_path / "a.safetensors", str)

    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("step 2"):
            raise Stop

    with pytest.raises(Stop):
        recipe.train_lite(
            load_preset("lite"), config, tmp_path / "b", tmp_path / "b.safetensors", stop
        )
    recipe.train_lite(load_preset("lite"), config, tmp_path / "b", tmp_path / "b.safetensors", str)

    one, other = (
        torch.load(tmp_path / name / "masks.pt", weights_only=True) for name in ("a", "b")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_missing_is_named(tmp_path: Path, photo_folder: Path) -> None:
    with pytest.raises(ConfigError, match="name folders of photographs"):
        recipe.train_lite(
            load_preset("lite"), LiteTrainConfig(), tmp_path, tmp_path / "x.safetensors", str
        )
    with pytest.raises(DatasetError, match="no JSON list of ids"):
        wrong = settings(tmp_path, photo_folder, held_out=str(tmp_path / "nowhere.json"))
        recipe.train_lite(load_preset("lite"), wrong, tmp_path, tmp_path / "x.safetensors", str)
