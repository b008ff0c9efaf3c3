from pathlib import Path

import numpy as np
import torch

from actseg_core.networks.object_features import FrameTrunk
from actseg_core.training.lite.distill import difference, distill, disturbed
from actseg_core.training.lite.photos import read_photos


def test_equal_answers_differ_by_the_entropy_of_the_teacher_alone() -> None:
    torch.manual_seed(0)
    trunk = FrameTrunk().eval()
    with torch.no_grad():
        one = trunk(torch.rand(1, 3, 64, 64) * 2 - 1)
        other = trunk(torch.rand(1, 3, 64, 64) * 2 - 1)

    assert difference(one, one) < difference(other, one)
    certain = one._replace(objectness=one.objectness.sign() * 40, classes=one.classes.sign() * 40)
    assert float(difference(certain, certain)) < 1e-4


def test_padding_stays_black_and_the_rest_changes() -> None:
    image = np.full((64, 64, 3), 120, np.uint8)
    image[:10] = 0

    worse = disturbed(image, np.random.default_rng(0))

    assert (worse[:10] == 0).all()
    assert (worse[10:] != 120).any()
    assert worse.dtype == np.uint8


def test_both_networks_are_trained_and_the_statistics_stay(photo_folder: Path) -> None:
    torch.manual_seed(0)
    trunk = FrameTrunk()
    before = {name: value.clone() for name, value in trunk.state_dict().items()}

    distill(trunk, read_photos(photo_folder), 2, 0, lambda line: None)

    after = trunk.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("trunk.") for name in changed)
    assert any(name.startswith("detector.") for name in changed)
    assert not any("running" in name or name.startswith("names.") for name in changed)
