"""From a sample to frames and mask; disagreements between video and annotation."""

from fractions import Fraction

import cv2
import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.config import ModelConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.clips import (
    LabelledClip,
    clip_indices,
    evenly_spaced,
    load_clip,
    load_mask,
    span,
    stretched,
)
from actseg_core.datasets.custom import CustomDataset
from actseg_core.datasets.jhmdb_sentences import JHMDBSentences
from actseg_core.datasets.samples import Sample
from actseg_core.errors import ConfigError, DatasetError, VideoError
from actseg_core.video import ReaderPool

PAPER = ModelConfig(frames=16)
CENTRE = ModelConfig(frames=4)
NEWEST = ModelConfig(frames=4, label_frame="newest")


def test_the_paper_clip_has_eight_frames_before_and_seven_after() -> None:
    assert clip_indices(50, 100, PAPER) == list(range(42, 58))


def test_edge_frames_are_repeated() -> None:
    assert clip_indices(2, 100, PAPER) == [0] * 7 + [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert clip_indices(99, 100, PAPER) == [*range(91, 100), *[99] * 7]
    assert clip_indices(1, 3, PAPER) == [0] * 8 + [1] + [2] * 7


@pytest.mark.parametrize(
    ("frames", "mode", "wanted"),
    [
        (1, "centre", [9]),
        (4, "centre", [7, 8, 9, 10]),
        (5, "centre", [7, 8, 9, 10, 11]),
        (8, "newest", [2, 3, 4, 5, 6, 7, 8, 9]),
        (1, "newest", [9]),
    ],
)
def test_any_number_of_frames_around_or_before_the_target(frames, mode, wanted) -> None:
    assert clip_indices(9, 30, ModelConfig(frames=frames, label_frame=mode)) == wanted


@given(st.data(), st.integers(1, 64), st.sampled_from(["centre", "newest"]), st.integers(1, 200))
def test_the_target_is_at_the_labelled_place_and_steps_are_0_or_1(
    data, frames, mode, length
) -> None:
    target = data.draw(st.integers(0, length - 1))
    config = ModelConfig(frames=frames, label_frame=mode)
    indices = clip_indices(target, length, config)
    assert len(indices) == frames
    assert indices[config.label_index] == target
    steps = [after - before for before, after in zip(indices, indices[1:], strict=False)]
    assert set(steps) <= {0, 1}
    assert all(
        step == 1 or index in (0, length - 1) for step, index in zip(steps, indices, strict=False)
    )


def test_a_target_outside_the_video_and_an_empty_video_are_refused() -> None:
    for target in (-1, 30):
        with pytest.raises(ConfigError, match=rf"frame {target} is not in a video of 30 frames"):
            clip_indices(target, 30, PAPER)
    with pytest.raises(ConfigError, match="got 4 frames of a video with 0"):
        span(0, 4, 0)


@pytest.mark.parametrize(
    ("length", "count", "wanted"),
    [(40, 3, [0, 19, 39]), (15, 3, [0, 7, 14]), (3, 3, [0, 1, 2]), (9, 1, [4]), (8, 2, [0, 7])],
)
def test_frames_are_spread_from_the_first_to_the_last(length, count, wanted) -> None:
    assert evenly_spaced(length, count) == wanted


@given(st.integers(1, 200), st.integers(1, 200))
def test_spread_frames_differ_and_rise(length, count) -> None:
    if count > length:
        with pytest.raises(ConfigError, match=f"cannot take {count} different frames"):
            evenly_spaced(length, count)
        return
    indices = evenly_spaced(length, count)
    assert indices == sorted(set(indices))
    assert len(indices) == count
    assert indices[0] >= 0 and indices[-1] < length


@pytest.fixture
def pool():
    pool = ReaderPool()
    yield pool
    pool.close()


def numbers(numbered, item: LabelledClip) -> list[int]:
    return [numbered.number(frame) for frame in item.clip.rgb]


def test_a_clip_has_the_frames_around_the_annotated_one(a2d, numbered, rectangles, pool) -> None:
    dataset = A2DSentences(a2d.root, "train")
    item = load_clip(dataset, dataset.samples[1], CENTRE, pool)
    assert item.sample.frame == 14
    assert numbers(numbered, item) == [12, 13, 14, 15]
    np.testing.assert_array_equal(item.mask, rectangles(14, 0))
    item = load_clip(dataset, dataset.samples[1], NEWEST, pool)
    assert numbers(numbered, item) == [11, 12, 13, 14]


def test_a_mask_fits_a_video_of_wide_pixels_as_displayed_and_as_stored(
    tmp_path, numbered, pool
) -> None:
    """Pixels twice as wide as high: 64 columns are stored, 128 shown."""
    numbered.write(tmp_path / "clip.mp4", 8, aspect=Fraction(2))
    stored = np.zeros((32, 64), np.uint8)
    stored[8:16, 10:20] = 255
    cv2.imwrite(str(tmp_path / "stored.png"), stored)
    cv2.imwrite(str(tmp_path / "shown.png"), stored.repeat(2, axis=1))
    cv2.imwrite(str(tmp_path / "other.png"), stored[:, :60])
    names = ("stored", "shown", "other")
    rows = "".join(f"clip.mp4,3,person in red,{name}.png\n" for name in names)
    (tmp_path / "sentences.csv").write_text(f"video,frame,sentence,mask\n{rows}")
    dataset = CustomDataset(tmp_path)
    for sample in dataset.samples[:2]:
        item = load_clip(dataset, sample, CENTRE, pool)
        assert item.clip.rgb.shape == (4, 32, 128, 3)
        np.testing.assert_array_equal(item.mask, stored.repeat(2, axis=1) > 0)
    with pytest.raises(DatasetError, match=r"other\.png is 60x32, the frames of .* are 128x32"):
        load_clip(dataset, dataset.samples[2], CENTRE, pool)


def test_a_mask_of_the_frames_size_is_read_without_the_video(a2d, numbered) -> None:
    class Closed(ReaderPool):
        def get(self, path):
            raise AssertionError(f"{path} was opened")

    dataset = A2DSentences(a2d.root, "train")
    sample = dataset.samples[0]
    wanted = dataset.mask(sample)
    np.testing.assert_array_equal(load_mask(dataset, sample, wanted.shape, Closed()), wanted)


def test_a_label_map_is_stretched_by_whole_pixels() -> None:
    labels = np.array([[1, 2, 3]], np.uint8)
    assert stretched(labels, (1, 4)).tolist() == [[1, 2, 2, 3]]
    assert stretched(labels, (1, 3)) is labels


def test_frames_are_repeated_at_both_ends_of_the_video(a2d, numbered, pool) -> None:
    dataset = A2DSentences(a2d.root, "test")
    first, last = [item for item in dataset.samples if item.video == "test-one"]
    assert numbers(numbered, load_clip(dataset, first, CENTRE, pool)) == [0, 0, 0, 1]
    assert numbers(numbered, load_clip(dataset, last, CENTRE, pool)) == [9, 10, 11, 11]


def test_frames_without_a_mask_are_no_context(jhmdb, numbered, matlab, pool) -> None:
    dataset = JHMDBSentences(jhmdb.root, matlab=matlab)
    item = load_clip(dataset, dataset.samples[2], CENTRE, pool)  # 10 images, 7 with masks
    assert numbers(numbered, item) == [4, 5, 6, 6]


def test_label_maps_and_videos_come_together(a2d, numbered, pool) -> None:
    dataset = A2DPairs(a2d.root, "test")
    item = load_clip(dataset, dataset.samples[-1], CENTRE, pool)
    assert numbers(numbered, item) == [7, 8, 9, 10]
    np.testing.assert_array_equal(item.mask, a2d.label_map("test_three", 9) == 79)


def test_an_absent_actor_has_an_empty_mask_of_the_frames_size(tmp_path, numbered, pool) -> None:
    numbered.write(tmp_path / "a.mp4", 5)
    (tmp_path / "sentences.csv").write_text("video,frame,sentence,mask\na.mp4,2,an elephant,\n")
    dataset = CustomDataset(tmp_path)
    mask = load_clip(dataset, dataset.samples[0], CENTRE, pool).mask
    assert mask.shape == (32, 64)
    assert not mask.any()


def test_a_video_shorter_than_its_annotation_names_both(a2d, numbered, pool) -> None:
    numbered.write(a2d.clip("test_three"), 9)
    dataset = A2DSentences(a2d.root, "test")
    with pytest.raises(
        DatasetError,
        match=r"test_three/00010\.h5 annotates frame 9 .* but .*test_three\.mp4 has 9 frames",
    ):
        load_clip(dataset, Sample("x", "test_three", 9, 0), CENTRE, pool)


def test_a_mask_of_another_size_names_both(a2d, pool) -> None:
    with h5py.File(a2d.h5("test-one", 0), "r+") as file:
        del file["reMask"]
        file["reMask"] = np.ones((64, 31), np.uint8)
    dataset = A2DSentences(a2d.root, "test")
    with pytest.raises(
        DatasetError,
        match=r"mask in .*test-one/00001\.h5 is 64x31, the frames of .*test-one\.mp4 are 64x32",
    ):
        load_clip(dataset, Sample("x", "test-one", 0, 0), CENTRE, pool)


def test_a_missing_and_a_cut_video_are_named(a2d, pool) -> None:
    dataset = A2DSentences(a2d.root, "test")
    content = a2d.clip("test-one").read_bytes()
    a2d.clip("test-one").write_bytes(content[: len(content) // 2])
    with pytest.raises(VideoError, match=r"cannot open the video .*test-one\.mp4"):
        load_clip(dataset, Sample("x", "test-one", 0, 0), CENTRE, pool)
    a2d.clip("test-one").unlink()
    with pytest.raises(VideoError, match=r"there is no video file .*test-one\.mp4"):
        load_clip(dataset, Sample("x", "test-one", 0, 0), CENTRE, pool)


def test_a_frame_image_of_another_size_is_named(jhmdb, matlab, pool) -> None:
    cv2.imwrite(str(jhmdb.frames("even") / "00003.png"), np.zeros((8, 8, 3), np.uint8))
    dataset = JHMDBSentences(jhmdb.root, matlab=matlab)
    with pytest.raises(
        VideoError, match=r"even/00003\.png is 8x8, the folder's first image 64x32"
    ):
        load_clip(dataset, dataset.samples[4], CENTRE, pool)
