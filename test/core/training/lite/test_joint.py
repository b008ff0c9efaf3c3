from pathlib import Path

import numpy as np
import pytest
import torch

from actseg_core.config import load_preset
from actseg_core.networks.object_features import FrameFeatures
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.training.lite import joint
from actseg_core.training.lite.distill import as_input, knowledge_loss
from actseg_core.training.lite.joint import JointRecipe, detected, train_jointly
from actseg_core.training.lite.photos import Photo, read_photos


@pytest.fixture
def model() -> ObjectsModel:
    torch.manual_seed(0)
    made = ObjectsModel(load_preset("lite")).eval()
    for head in made.frame.detector.heads:
        torch.nn.init.constant_(head.objectness.bias, 2.0)
    return made


def third(photo: Photo) -> bool:
    return photo.number % 3 == 0


def test_everything_but_names_and_statistics_is_trained(
    model: ObjectsModel, photo_folder: Path, tmp_path: Path
) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}

    photos = read_photos(photo_folder)
    found = train_jointly(model, photos, third, JointRecipe(2, 2), tmp_path / "s", print)

    after = model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    for part in ("frame.trunk.", "frame.detector.", "objects.join.", "objects.second."):
        assert any(name.startswith(part) for name in changed), part
    for part in ("frame.names.", "naming."):
        assert not any(name.startswith(part) for name in changed), part
    assert not any("running" in name for name in changed)
    assert found.objects == 3  # photographs 3 and 6 hold two and one


def test_an_interrupted_joint_training_ends_where_an_unbroken_one_does(
    model: ObjectsModel, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "SAVE_EVERY", 1)
    monkeypatch.setattr(joint, "LOG_EVERY", 1)
    photos, recipe = read_photos(photo_folder), JointRecipe(3, 2)
    other = ObjectsModel(load_preset("lite"))
    other.load_state_dict(model.state_dict())
    again = ObjectsModel(load_preset("lite"))
    again.load_state_dict(model.state_dict())

    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("joint step 3"):
            raise Stop

    train_jointly(model, photos, third, recipe, tmp_path / "whole", str)
    with pytest.raises(Stop):
        train_jointly(other, photos, third, recipe, tmp_path / "cut", stop)
    train_jointly(again, photos, third, recipe, tmp_path / "cut", str)

    one, two = model.state_dict(), again.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_end_is_averaged_with_the_start(
    model: ObjectsModel, photo_folder: Path, tmp_path: Path
) -> None:
    photos, name = read_photos(photo_folder), "frame.trunk.to4.0.1.weight"
    start = model.state_dict()[name].clone()
    whole = ObjectsModel(load_preset("lite"))
    whole.load_state_dict(model.state_dict())

    train_jointly(whole, photos, third, JointRecipe(2, 2, share=1.0), tmp_path / "a", str)
    train_jointly(model, photos, third, JointRecipe(2, 2, share=0.5), tmp_path / "b", str)

    end = whole.state_dict()[name]
    assert not torch.equal(start, end)
    assert torch.allclose(model.state_dict()[name], (start + end) / 2, atol=1e-7)


def features(seed: int) -> FrameFeatures:
    generator = torch.Generator().manual_seed(seed)
    sides = [(24, 16), (104, 8), (240, 4), (576, 2)]
    levels = [torch.randn(1, channels, n, n, generator=generator) for channels, n in sides]
    shapes = [(1, 84, 4), (1, 84), (1, 84, 80)]
    return FrameFeatures(*levels, *(torch.randn(shape, generator=generator) for shape in shapes))


def test_names_and_boxes_that_stay_cost_nothing_and_other_features_are_free() -> None:
    one, two = features(1), features(2)

    assert float(knowledge_loss(one, one)) == pytest.approx(0, abs=1e-6)
    free = one._replace(stride4=two.stride4, stride8=two.stride8, stride16=two.stride16)
    assert float(knowledge_loss(free, one)) == pytest.approx(0, abs=1e-6)
    for name in ("stride32", "boxes", "objectness", "classes"):
        assert float(knowledge_loss(one._replace(**{name: getattr(two, name)}), one)) > 0.01, name
    # Every box further to the right by one pixel, a quarter of its numbers.
    moved = one._replace(boxes=one.boxes + torch.tensor([1.0, 0, 0, 0]))
    assert float(knowledge_loss(moved, one)) == pytest.approx(0.05 / 4, rel=1e-4)


def test_boxes_are_those_that_may_hold_an_object(model: ObjectsModel) -> None:
    frames = as_input([np.zeros((416, 416, 3), np.uint8)])
    with torch.no_grad():
        found = model.frame(frames)
    none = found._replace(objectness=torch.full_like(found.objectness, -20.0))

    assert detected(none, 0).shape == (0, 4)
    assert detected(found, 0).shape[1] == 4
