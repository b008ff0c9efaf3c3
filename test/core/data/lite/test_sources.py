"""Data sources of the lite recipe on tiny folders made here."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from actseg_core.data.lite.clip import TrainingClip, camera_path, flip
from actseg_core.data.lite.photos import PhotoSource
from actseg_core.data.lite.phrases import colour_word, compose, side_word
from actseg_core.data.lite.videos import VideoSource
from actseg_core.errors import DatasetError


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photographs, each with a red "car" left and a blue "dog" right."""
    (tmp_path / "images").mkdir()
    images, annotations = [], []
    for number in range(6):
        picture = np.full((90, 120, 3), 90, np.uint8)
        picture[20:75, 10:60] = (220, 20, 20)
        picture[20:75, 65:115] = (20, 20, 220)
        name = f"{number:012d}.jpg"
        cv2.imwrite(str(tmp_path / "images" / name), picture[..., ::-1])
        images.append(
            {"id": number, "file_name": name, "height": 90, "width": 120, "annotated": "full"}
        )
        for category, left in ((1, 10), (2, 65)):
            box = [left, 20, left + 50, 20, left + 50, 75, left, 75]
            annotations.append(
                {"image_id": number, "category_id": category, "segmentation": [box], "area": 2750}
            )
    categories = [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "instances.json").write_text(json.dumps(content))
    return tmp_path


def test_every_fifth_photograph_is_held_out(photos: Path) -> None:
    assert [p.path.stem[-1] for p in PhotoSource(photos).photos] == ["1", "2", "3", "4"]
    assert [p.path.stem[-1] for p in PhotoSource(photos, held_out=True).photos] == ["0", "5"]


@pytest.mark.parametrize("kind", ["still", "composite"])
def test_masks_lie_on_what_the_sentence_names(photos: Path, kind: str) -> None:
    source = PhotoSource(photos)
    seen = set()
    for seed in range(60):
        clip = getattr(source, kind)(rng(seed), size=64, frames=4)
        assert clip.rgb.shape == (4, 64, 64, 3) and clip.mask.shape == (64, 64)
        if clip.source.endswith("absent"):
            assert not clip.mask.any()
            continue
        words = set(clip.sentence.split())
        red, _, blue = clip.rgb[-1][clip.mask].mean(axis=0)
        if words & {"car", "vehicle", "automobile"}:
            assert red > blue
            seen.add("car")
        else:
            assert words & {"dog", "puppy"} and blue > red
            seen.add("dog")
    assert seen == {"car", "dog"}


def test_the_same_seed_gives_the_same_clip(photos: Path) -> None:
    source = PhotoSource(photos)
    first, second = (source.composite(rng(3), 64, 4) for _ in range(2))
    np.testing.assert_array_equal(first.rgb, second.rgb)
    assert first.sentence == second.sentence


def test_a_broken_annotation_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text('{"images": []}')
    with pytest.raises(DatasetError, match="instances.json is not a readable COCO"):
        PhotoSource(tmp_path)


def test_mirroring_swaps_sides_in_picture_and_sentence() -> None:
    frames = np.arange(2 * 2 * 3 * 3, dtype=np.uint8).reshape(2, 2, 3, 3)
    mask = np.array([[True, False, False]] * 2)
    clip = flip(TrainingClip(frames, mask, "dog on the left", "x"))
    assert clip.sentence == "dog on the right"
    assert clip.mask.tolist() == [[False, False, True]] * 2
    np.testing.assert_array_equal(clip.rgb[:, :, 0], frames[:, :, 2])


def test_colours_are_named_when_half_of_the_pixels_agree() -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    image[:6] = (200, 10, 10)
    everywhere = np.ones((10, 10), bool)
    assert colour_word(image, everywhere) == "red"
    image[3:6] = (10, 200, 10)
    assert colour_word(image, everywhere) == ""
    assert colour_word(np.full((10, 10, 3), 250, np.uint8), everywhere) == "white"


def test_sides_are_named_only_when_set_apart() -> None:
    assert side_word(10, [50, 60], margin=5) == "left"
    assert side_word(70, [50, 60], margin=5) == "right"
    assert side_word(55, [50, 60], margin=5) == ""
    assert side_word(48, [50], margin=5) == ""
    assert side_word(48, [], margin=5) == ""


def test_parts_that_are_empty_leave_no_trace() -> None:
    sentences = {compose(rng(seed), "dog") for seed in range(30)}
    assert sentences == {"dog", "a dog", "the dog"}
    assert "white dog" in compose(rng(1), "dog", colour="white", side="left")


def test_a_still_camera_stays_and_a_moving_one_does_not() -> None:
    paths = [camera_path(rng(seed), (90, 120), 64, 8) for seed in range(40)]
    moved = [not np.allclose(path[0], path[-1]) for path in paths]
    assert 0.4 < np.mean(moved) < 0.9


def test_video_clips_repeat_the_first_frame_before_the_start(tmp_path: Path) -> None:
    for index in range(3):
        for kind, picture in (
            ("JPEGImages/walk", np.full((48, 64, 3), 40 * index, np.uint8)),
            ("Annotations/walk", np.full((48, 64), 255, np.uint8)),
        ):
            (tmp_path / kind).mkdir(parents=True, exist_ok=True)
            suffix = "jpg" if "JPEG" in kind else "png"
            cv2.imwrite(str(tmp_path / kind / f"{index:05d}.{suffix}"), picture)
    (tmp_path / "SENTENCES.tsv").write_text(
        "sequence\ta2d_actor\ta2d_action\tmask_covers\tsentence\n"
        "walk\tadult\twalking\tactor\ta man walking\n"
    )
    source = VideoSource(tmp_path)
    for seed in range(20):
        clip = source.clip(rng(seed), size=32, frames=8)
        levels = [round(float(frame.max()) / 40) for frame in clip.rgb]
        assert levels == sorted(levels) and levels[0] == 0
        assert clip.mask.any() != clip.source.endswith("absent")


def test_a_sequence_with_fewer_masks_than_frames_is_named(tmp_path: Path) -> None:
    (tmp_path / "SENTENCES.tsv").write_text(
        "sequence\ta2d_actor\ta2d_action\tmask_covers\tsentence\nwalk\tadult\twalking\tactor\tman\n"
    )
    with pytest.raises(DatasetError, match="sequence walk .* has 0 frames and 0 masks"):
        VideoSource(tmp_path)
