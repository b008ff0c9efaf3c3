"""Squares cut out around actors."""

import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.action_clips import JITTER, ActionClips, square_around
from actseg_core.datasets.kept_clips import KeptClips
from actseg_core.datasets.loading import ClipDataset, ClipLoader
from actseg_core.errors import ConfigError
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.video.reader import ReaderPool

CONFIG = ModelConfig(frames=4, size=64, streams=("rgb", "flow"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    scene = SceneConfig(frames=8, height=48, width=64, max_actors=2, degrade=False)
    config = DatasetConfig(videos=4, test_share=0.5, seed=5, scene=scene, flow="none")
    generate_dataset(root, config)
    return root


def clips(
    data: Path,
    *,
    random: bool = False,
    config: ModelConfig = CONFIG,
    kept: KeptClips | None = None,
) -> ActionClips:
    return ActionClips(A2DPairs(data, "train"), config, 32, random=random, seed=1, kept=kept)


class Place(NamedTuple):
    """Where a cut-out lies in its frames, and whether it is mirrored."""

    top: int
    left: int
    flipped: bool


def find(whole: NDArray[np.uint8], part: NDArray[np.uint8]) -> Place:
    side = part.shape[1]
    for top, left in itertools.product(range(whole.shape[1] - side + 1), repeat=2):
        window = whole[:, top : top + side, left : left + side]
        for flipped in (False, True):
            if np.array_equal(window[:, :, ::-1] if flipped else window, part):
                return Place(top, left, flipped)
    raise AssertionError("the cut-out is not in its frames")


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


def test_the_flow_is_that_of_the_whole_frames(data: Path) -> None:
    found, whole = clips(data)[0], ClipDataset(A2DPairs(data, "train"), CONFIG)[0]
    assert found.flow is not None and whole.flow is not None
    top, left = square_around(whole.masks[0].numpy(), 32, None)
    assert torch.equal(found.flow, whole.flow[:, :, top : top + 32, left : left + 32])


def test_in_a_mirrored_clip_everything_moves_the_other_way(data: Path) -> None:
    dataset = clips(data, random=True)
    whole = ClipDataset(A2DPairs(data, "train"), CONFIG)[0]
    assert whole.flow is not None
    mirrored = {True: 0, False: 0}
    for epoch in range(8):
        batch = dataset[epoch, 0]
        frames, fields = batch.frames[0].numpy(), batch.flow
        assert fields is not None
        found = find(whole.frames[0].numpy(), frames)
        mirrored[found.flipped] += 1
        window = whole.flow[0, :, found.top : found.top + 32, found.left : found.left + 32].numpy()
        if found.flipped:
            window = window[:, :, ::-1] * np.array([-1, 1], np.float32)
        assert np.array_equal(fields[0].numpy(), window)
    assert mirrored[True] and mirrored[False]


@pytest.mark.parametrize("random", [False, True])
def test_kept_clips_give_the_same_samples(data: Path, tmp_path: Path, random: bool) -> None:
    kept = KeptClips(tmp_path / "kept", CONFIG)
    fresh = clips(data, random=random)
    for again in range(2):
        stored = clips(data, random=random, kept=kept)
        for index in range(len(fresh)):
            one, two = fresh[again, index], stored[again, index]
            assert one.samples == two.samples
            assert torch.equal(one.frames, two.frames) and torch.equal(one.masks, two.masks)
            assert one.flow is not None and two.flow is not None
            assert torch.equal(one.flow.half().float(), two.flow)  # kept in 16 bits


def test_kept_clips_are_read_without_the_videos(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptClips(tmp_path / "kept", CONFIG)
    wanted = clips(data, kept=kept)[0]

    def fail(*_: object) -> None:
        raise AssertionError("a video was opened")

    monkeypatch.setattr(ReaderPool, "get", fail)
    assert torch.equal(clips(data, kept=kept)[0].frames, wanted.frames)


def test_rgb_alone_computes_no_flow_and_loads_in_batches(data: Path) -> None:
    config = CONFIG.model_copy(update={"streams": ("rgb",)})
    (batch, *_) = ClipLoader(clips(data, config=config), 3)
    assert batch.flow is None and batch.frames.shape == (3, 4, 32, 32, 3)
    assert batch.inputs(config)["rgb"].shape == (3, 3, 4, 32, 32)


def test_a_square_larger_than_the_frame_is_refused(data: Path) -> None:
    with pytest.raises(ConfigError, match="a crop of 80 px does not fit into frames of 64 px"):
        ActionClips(A2DPairs(data, "train"), CONFIG, 80)
