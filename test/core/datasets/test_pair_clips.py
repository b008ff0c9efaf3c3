from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional

from actseg_core.config import FlowConfig, ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.pair_clips import (
    PairClips,
    augment,
    centre_crop,
    clip_tensors,
    covering_clips,
    covering_tensors,
    crop,
    flip,
    prepare_video,
    random_clip,
    resize_short_side,
    take,
)
from actseg_core.errors import ShapeError
from actseg_core.experiment_config import ClassifierConfig
from actseg_core.generator import SceneConfig
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.settings import DatasetConfig
from actseg_core.types import Clip
from actseg_core.video.reader import ReaderPool

CONFIG = ModelConfig()
SMALL = ClassifierConfig(train_frames=6, short_side_px=48, crop_px=40)


def numbered(frames: int, height: int, width: int) -> Clip:
    """Every pixel tells its column (red), row (green) and frame (blue); flow tells the same."""
    t, y, x = np.mgrid[:frames, :height, :width]
    rgb = np.stack((x, y, t), axis=-1).astype(np.uint8)
    return Clip(rgb, np.stack((x, y), axis=-1).astype(np.float32))


class Difference:
    """A stand-in for an estimator: x is the mean brightness step, y the image height."""

    def estimate(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        step = current.astype(np.float32).mean(axis=2) - previous.mean(axis=2)
        return np.stack((step, np.full_like(step, len(step))), axis=-1).astype(np.float32)


@settings(deadline=None)
@given(frames=st.integers(1, 200), length=st.integers(1, 70), seed=st.integers(0, 9))
def test_a_random_clip_is_consecutive_and_repeats_only_short_videos(
    frames: int, length: int, seed: int
) -> None:
    indices = random_clip(frames, length, np.random.default_rng(seed))
    assert indices.shape == (length,)
    assert set((np.diff(indices) % frames).tolist()) <= {1 % frames}
    if frames >= length:
        assert indices[0] <= indices[-1] < frames
    else:
        assert indices[0] == 0


def test_random_clips_start_anywhere_including_the_last_possible_place() -> None:
    generator = np.random.default_rng(0)
    starts = {int(random_clip(6, 4, generator)[0]) for _ in range(50)}
    assert starts == {0, 1, 2}


@pytest.mark.parametrize(
    ("frames", "length", "expected"),
    [
        (6, 3, [[0, 1, 2], [3, 4, 5]]),
        (7, 3, [[0, 1, 2], [3, 4, 5], [4, 5, 6]]),
        (2, 5, [[0, 1, 0, 1, 0]]),
        (3, 3, [[0, 1, 2]]),
    ],
)
def test_covering_clips(frames: int, length: int, expected: list[list[int]]) -> None:
    assert covering_clips(frames, length).tolist() == expected


@settings(deadline=None)
@given(frames=st.integers(1, 300), length=st.integers(1, 64))
def test_covering_clips_see_every_frame(frames: int, length: int) -> None:
    clips = covering_clips(frames, length)
    assert set(clips.ravel().tolist()) == set(range(frames))
    assert len(clips) == max(1, -(-frames // length))


@pytest.mark.parametrize("sample", [random_clip, covering_clips])
def test_a_video_without_frames_is_refused(sample: object) -> None:
    extra = (np.random.default_rng(0),) if sample is random_clip else ()
    with pytest.raises(ShapeError, match="got clips of 4 frames from 0"):
        sample(0, 4, *extra)


def test_take_picks_frames_and_their_flow() -> None:
    clip = take(numbered(5, 2, 3), np.array([4, 0]))
    assert clip.rgb[:, 0, 0, 2].tolist() == [4, 0]
    assert clip.flow is not None
    assert clip.flow.shape == (2, 2, 3, 2)


def test_a_flip_mirrors_and_negates_only_the_x_component_of_flow() -> None:
    clip = flip(numbered(1, 2, 3))
    assert clip.rgb[0, 1, :, 0].tolist() == [2, 1, 0]
    assert clip.flow is not None
    assert clip.flow[0, 1, :, 0].tolist() == [-2.0, -1.0, 0.0]
    assert clip.flow[0, 1, :, 1].tolist() == [1.0, 1.0, 1.0]


def test_flipping_twice_gives_the_clip_back() -> None:
    clip = numbered(2, 3, 4)
    twice = flip(flip(clip))
    np.testing.assert_array_equal(twice.rgb, clip.rgb)
    np.testing.assert_array_equal(twice.flow, clip.flow)


def test_a_crop_takes_the_same_window_of_frames_and_flow() -> None:
    clip = crop(numbered(2, 6, 8), top=1, left=3, size=4)
    assert clip.rgb[1, 0, 0].tolist() == [3, 1, 1]
    assert clip.rgb[1, 3, 3].tolist() == [6, 4, 1]
    assert clip.flow is not None
    assert clip.flow[0, 3, 3].tolist() == [6.0, 4.0]


def test_the_centre_crop_leaves_equal_margins() -> None:
    clip = centre_crop(numbered(1, 6, 9), 4)
    assert clip.rgb[0, 0, 0, :2].tolist() == [2, 1]  # (9 - 4) // 2 and (6 - 4) // 2


@pytest.mark.parametrize(("top", "left"), [(-1, 0), (3, 0), (0, 5)])
def test_a_crop_outside_the_frames_is_refused(top: int, left: int) -> None:
    with pytest.raises(ShapeError, match="must lie inside the frames, which are 6x8; resize"):
        crop(numbered(1, 6, 8), top, left, 4)


def test_augmentation_reaches_every_place_and_both_mirrorings() -> None:
    generator = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        clip = augment(numbered(2, 4, 5), 3, generator)
        assert clip.rgb.shape == (2, 3, 3, 3)
        first, second = clip.rgb[0, 0, 0, 0], clip.rgb[0, 0, 1, 0]
        mirrored = bool(first > second)
        assert (clip.rgb[..., :2] == clip.rgb[:1, ..., :2]).all()  # one window for all frames
        assert clip.flow is not None
        assert (clip.flow[..., 0] <= 0).all() if mirrored else (clip.flow[..., 0] >= 0).all()
        seen.add((int(clip.rgb[0, 0, 0, 1]), int(min(first, clip.rgb[0, 0, 2, 0])), mirrored))
    assert seen == {(row, column, m) for row in (0, 1) for column in (0, 1, 2) for m in (0, 1)}


def test_augmentation_repeats_with_its_generator() -> None:
    first = augment(numbered(1, 20, 20), 5, np.random.default_rng(3))
    second = augment(numbered(1, 20, 20), 5, np.random.default_rng(3))
    np.testing.assert_array_equal(first.rgb, second.rgb)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(5, 60), width=st.integers(5, 60), side=st.integers(4, 40))
def test_resizing_makes_the_shorter_side_exact_and_keeps_the_aspect(
    height: int, width: int, side: int
) -> None:
    resized = resize_short_side(np.zeros((1, height, width, 3), np.uint8), side)
    rows, columns = resized.shape[1:3]
    assert min(rows, columns) == side
    assert abs(rows / columns - height / width) <= 0.51 * max(rows, columns) / columns / side


def test_resizing_is_bilinear_and_leaves_the_right_size_alone() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (2, 8, 12, 3), np.uint8)
    assert resize_short_side(frames, 8) is frames
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    expected = functional.interpolate(images, size=(16, 24), mode="bilinear").permute(0, 2, 3, 1)
    difference = resize_short_side(frames, 16) - expected.numpy()
    assert np.abs(difference).max() <= 0.5


def test_flow_is_computed_after_resizing_and_its_last_field_is_repeated() -> None:
    frames = np.zeros((3, 16, 32, 3), np.uint8)
    frames[1], frames[2] = 10, 40
    video = prepare_video(frames, 8, Difference())
    assert video.rgb.shape == (3, 8, 16, 3)
    assert video.flow is not None
    assert video.flow[:, 0, 0].tolist() == [[10.0, 8.0], [30.0, 8.0], [30.0, 8.0]]


def test_without_an_estimator_there_is_no_flow() -> None:
    assert prepare_video(np.zeros((2, 8, 8, 3), np.uint8), 8, None).flow is None


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


def test_network_inputs_of_a_mirrored_clip() -> None:
    rgb = np.zeros((1, 2, 3, 3), np.uint8)
    rgb[0, 0, 0, 0] = 255
    flow = np.zeros((1, 2, 3, 2), np.float32)
    flow[0, 0, 0] = (10.0, -40.0)
    tensors = clip_tensors(Clip(rgb[:, :, ::-1], flow[:, :, ::-1]), FlowConfig(clip_px=20.0))
    assert tensors["rgb"].shape == (1, 3, 1, 2, 3)
    assert tensors["rgb"][0, 0, 0, 0].tolist() == [-1.0, -1.0, 1.0]
    assert tensors["flow"][0, :, 0, 0, 2].tolist() == [0.5, -1.0]
    assert "flow" not in clip_tensors(Clip(rgb), FlowConfig())


def test_a_video_is_covered_by_central_crops() -> None:
    config = ClassifierConfig(test_frames=8, short_side_px=40, crop_px=32)
    video = Clip(np.zeros((11, 40, 60, 3), np.uint8), np.zeros((11, 40, 60, 2), np.float32))
    shapes = [
        {name: tuple(value.shape) for name, value in item.items()}
        for item in covering_tensors(video, config, FlowConfig())
    ]
    assert shapes == [{"rgb": (1, 3, 8, 32, 32), "flow": (1, 2, 8, 32, 32)}] * 2
