"""Squares cut out around actors."""

from pathlib import Path

import numpy as np
import pytest
import torch

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.action_clips import JITTER, ActionClips, square_around
from actseg_core.datasets.loading import ClipDataset, ClipLoader
from actseg_core.errors import ConfigError
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig

CONFIG = ModelConfig(frames=4, size=64, streams=("rgb", "flow"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    scene = SceneConfig(frames=8, height=48, width=64, max_actors=2, degrade=False)
    config = DatasetConfig(videos=4, test_share=0.5, seed=5, scene=scene, flow="none")
    generate_dataset(root, config)
    return root


def clips(data: Path, *, random: bool = False, config: ModelConfig = CONFIG) -> ActionClips:
    return ActionClips(A2DPairs(data, "train"), config, 32, random=random, seed=1)


def test_a_square_is_centred_on_the_mask_and_stays_inside() -> None:
    mask = np.zeros((20, 20), bool)
    mask[6:10, 8:14] = True  # middle at row 8, column 11
    assert square_around(mask, 8, None) == (4, 7)
    mask[:] = False
    mask[0, 19] = True
    assert square_around(mask, 8, None) == (0, 12)
    assert square_around(np.zeros((20, 20), bool), 8, None) == (6, 6)


def test_random_squares_stay_near_and_inside() -> None:
    mask = np.zeros((100, 100), bool)
    mask[50, 50] = True
    rng = np.random.default_rng(0)
    found = np.array([square_around(mask, 40, rng) for _ in range(200)])
    assert np.abs(found - 30.5).max() <= JITTER * 40 + 1
    assert np.ptp(found, axis=0).min() > JITTER * 40


def test_every_pair_in_an_annotated_frame_is_a_clip_of_its_own(data: Path) -> None:
    found, whole = clips(data), ClipDataset(A2DPairs(data, "train"), CONFIG)
    assert len(found) == len(whole) > 0
    for index in range(len(found)):
        batch, full = found[index], whole[index]
        assert batch.samples == full.samples
        assert batch.frames.shape == (1, 4, 32, 32, 3)
        assert batch.flow is not None and batch.flow.shape == (1, 4, 32, 32, 2)
        top, left = square_around(full.masks[0].numpy(), 32, None)
        window = (slice(top, top + 32), slice(left, left + 32))
        assert torch.equal(batch.frames[0], full.frames[0][:, window[0], window[1]])
        assert torch.equal(batch.masks[0], full.masks[0][window])
        assert batch.masks.any()


def test_random_clips_are_the_same_for_the_same_epoch_and_seed(data: Path) -> None:
    one, two = clips(data, random=True), clips(data, random=True)
    assert torch.equal(one[3, 0].frames, two[3, 0].frames)
    shown = {one[epoch, 0].frames.numpy().tobytes() for epoch in range(6)}
    assert len(shown) > 1


def test_a_mirrored_clips_flow_is_that_of_its_frames(data: Path) -> None:
    dataset = clips(data, random=True)
    for epoch in range(4):
        batch = dataset[epoch, 0]
        assert batch.flow is not None
        again = dataset._flow(batch.frames[0].numpy())
        assert torch.equal(batch.flow, again)


def test_rgb_alone_computes_no_flow_and_loads_in_batches(data: Path) -> None:
    config = CONFIG.model_copy(update={"streams": ("rgb",)})
    (batch, *_) = ClipLoader(clips(data, config=config), 3)
    assert batch.flow is None and batch.frames.shape == (3, 4, 32, 32, 3)
    assert batch.inputs(config)["rgb"].shape == (3, 3, 4, 32, 32)


def test_a_square_larger_than_the_frame_is_refused(data: Path) -> None:
    with pytest.raises(ConfigError, match="a crop of 80 px does not fit into frames of 64 px"):
        ActionClips(A2DPairs(data, "train"), CONFIG, 80)
