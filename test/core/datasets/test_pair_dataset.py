"""Random clips of whole videos, for the pair classifier."""

from pathlib import Path

import numpy as np
import pytest
import torch

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.pair_dataset import PairClips
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.layout_settings import DatasetConfig
from actseg_core.video.reader import ReaderPool

CONFIG = ModelConfig()
SMALL = ClassifierConfig(train_frames=6, short_side_px=48, crop_px=40)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    scene = SceneConfig(frames=8, height=48, width=64, max_actors=2, degrade=False)
    config = DatasetConfig(videos=4, test_share=0.5, seed=5, scene=scene, flow="none")
    generate_dataset(root, config)
    return root


def clips(data: Path, **changes: object) -> PairClips:
    settings = SMALL.model_copy(update=changes)
    return PairClips(A2DPairs(data, "train"), settings, CONFIG, seed=1)


def test_every_video_comes_once_as_a_clip_of_its_own_frames(data: Path) -> None:
    dataset = clips(data)
    videos = [dataset.dataset.samples[index].video for index in range(len(dataset))]
    assert sorted(videos) == sorted(A2DPairs(data, "train").video_labels)
    for index, video in enumerate(videos):
        batch = dataset[index]
        assert batch.frames.shape == (1, 6, 40, 40, 3)
        assert batch.flow is not None and batch.flow.shape == (1, 6, 40, 40, 2)
        path = A2DPairs(data, "train").layout.clip(video)
        pool = ReaderPool(1)
        whole = pool.get(path).read(range(8))
        pool.close()
        places = [
            (start, top, left, flipped)
            for start in range(3)
            for flipped in (False, True)
            for top in range(9)
            for left in range(25)
            if _at(whole, start, top, left, flipped, batch.frames[0].numpy())
        ]
        assert len(places) == 1  # consecutive frames, one square, all or none mirrored


def _at(
    whole: np.ndarray, start: int, top: int, left: int, flipped: bool, seen: np.ndarray
) -> bool:
    frames = whole[start : start + 6]
    if flipped:
        frames = frames[:, :, ::-1]
    return np.array_equal(frames[:, top : top + 40, left : left + 40], seen)


def test_a_short_video_is_repeated_from_its_first_frame(data: Path) -> None:
    batch = clips(data, train_frames=20)[0]
    frames, flow = batch.frames[0], batch.flow
    assert flow is not None
    assert torch.equal(frames[:8], frames[8:16]) and torch.equal(frames[:4], frames[16:])
    assert torch.equal(flow[0, :8], flow[0, 8:16])


def test_epochs_differ_and_can_be_repeated(data: Path) -> None:
    one, two = clips(data), clips(data)
    assert torch.equal(one[2, 1].frames, two[2, 1].frames)
    assert len({one[epoch, 1].frames.numpy().tobytes() for epoch in range(6)}) > 1


def test_without_a_flow_stream_none_is_computed(data: Path) -> None:
    assert clips(data, streams=("rgb",))[0].flow is None
