"""Data sources of the lite recipe on tiny folders made here."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from actseg_core.errors import DatasetError
from actseg_core.generator import SceneConfig, render_clip
from actseg_core.training.lite.clip import Question, TrainingClip, camera_path, flip
from actseg_core.training.lite.generated import ask
from actseg_core.training.lite.mixture import Replay
from actseg_core.training.lite.photos import PhotoSource
from actseg_core.training.lite.questions import Asker, Thing, colour_word, compose, side_word
from actseg_core.training.lite.videos import VideoSource


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
    for part, ending in (("validation", "5"), ("test", "0")):
        assert [p.path.stem[-1] for p in PhotoSource(photos, part).photos] == [ending]


@pytest.mark.parametrize("kind", ["still", "composite"])
def test_masks_lie_on_what_the_sentences_name(photos: Path, kind: str) -> None:
    source = PhotoSource(photos, questions=4)
    seen, absent = set(), 0
    for seed in range(30):
        clip = getattr(source, kind)(rng(seed), size=64, frames=4)
        assert clip.rgb.shape == (4, 64, 64, 3) and len(clip.questions) == 4
        for question in clip.questions:
            assert question.mask.shape == (64, 64)
            if not question.mask.any():
                absent += 1
                assert question.category == ""
                continue
            words = set(question.sentence.split())
            red, _, blue = clip.rgb[-1][question.mask].mean(axis=0)
            if words & {"car", "vehicle", "automobile"}:
                assert red > blue
                assert question.category == "car"
            else:
                assert words & {"dog", "puppy"} and blue > red
                assert question.category == "dog"
            seen.add(question.category)
    assert seen == {"car", "dog"} and 20 <= absent <= 70


def test_the_same_seed_gives_the_same_clip(photos: Path) -> None:
    source = PhotoSource(photos)
    first, second = (source.composite(rng(3), 64, 4) for _ in range(2))
    np.testing.assert_array_equal(first.rgb, second.rgb)
    assert [q.sentence for q in first.questions] == [q.sentence for q in second.questions]


def test_a_broken_annotation_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text('{"images": []}')
    with pytest.raises(DatasetError, match="instances.json is not a readable COCO"):
        PhotoSource(tmp_path)


def test_mirroring_swaps_sides_in_picture_and_sentence() -> None:
    frames = np.arange(2 * 2 * 3 * 3, dtype=np.uint8).reshape(2, 2, 3, 3)
    mask = np.array([[True, False, False]] * 2)
    clip = flip(TrainingClip(frames, (Question("dog on the left", mask),), "x"))
    assert clip.questions[0].sentence == "dog on the right"
    assert clip.questions[0].mask.tolist() == [[False, False, True]] * 2
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


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """A folder of one sequence of three frames, ever brighter."""
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
    return tmp_path


def test_video_clips_repeat_the_first_frame_before_the_start(walk: Path) -> None:
    source = VideoSource(walk, questions=3)
    asked = {}
    for seed in range(40):
        clip = source.clip(rng(seed), size=32, frames=8)
        levels = [round(float(frame.max()) / 40) for frame in clip.rgb]
        assert levels == sorted(levels) and levels[0] == 0
        asked |= {question.sentence: question.mask.any() for question in clip.questions}
    assert asked["a man walking"] and asked["person"]
    assert not asked["person flying"] and not asked["a dog"]


def test_a_sequence_can_be_left_out(walk: Path) -> None:
    for kind in ("JPEGImages", "Annotations"):
        shutil.copytree(walk / kind / "walk", walk / kind / "surf")
    source = VideoSource(walk, leave_out=["walk"])
    assert [sequence.name for sequence in source.sequences] == ["surf"]
    with pytest.raises(DatasetError, match="no sequence wlak with a sentence to leave out"):
        VideoSource(walk, leave_out=["wlak"])
    with pytest.raises(DatasetError, match="no sequence of .* is left to train on"):
        VideoSource(walk, leave_out=["walk", "surf"])


def test_a_sequence_with_fewer_masks_than_frames_is_named(tmp_path: Path) -> None:
    (tmp_path / "SENTENCES.tsv").write_text(
        "sequence\ta2d_actor\ta2d_action\tmask_covers\tsentence\nwalk\tadult\twalking\tactor\tman\n"
    )
    with pytest.raises(DatasetError, match="sequence walk .* has 0 frames and 0 masks"):
        VideoSource(tmp_path)


def picture_of(*boxes: tuple[str, slice, tuple[int, int, int]]) -> tuple[np.ndarray, list[Thing]]:
    """A gray picture with coloured full-height columns, and what they are called."""
    picture = np.full((60, 100, 3), 120, np.uint8)
    things = []
    for category, columns, colour in boxes:
        mask = np.zeros((60, 100), bool)
        mask[:, columns] = True
        picture[mask] = colour
        things.append(Thing(category, mask))
    return picture, things


def test_false_details_are_about_a_colour_or_side_that_nothing_has() -> None:
    picture, things = picture_of(("car", slice(5, 30), (220, 20, 20)))
    false = set()
    for seed in range(300):
        for question in Asker(["car", "dog"], 4).ask(rng(seed), picture, things, True):
            words = set(question.sentence.split())
            if not question.mask.any() and words & {"car", "vehicle", "automobile"}:
                assert not words & {"red", "orange", "pink", "brown", "purple"}, words
                assert "left" not in words
                false |= words & {"right", "blue", "green", "white"}
    assert false == {"right", "blue", "green", "white"}


def test_alike_things_are_all_meant_unless_the_sentence_tells_them_apart() -> None:
    red, blue = (220, 20, 20), (20, 20, 220)
    picture, things = picture_of(("car", slice(45, 50), red), ("car", slice(50, 55), red))
    everything = things[0].mask | things[1].mask
    for seed in range(20):
        for question in Asker(["car"], 4).ask(rng(seed), picture, things, False):
            np.testing.assert_array_equal(question.mask, everything)
    picture, things = picture_of(("car", slice(45, 50), red), ("car", slice(50, 55), blue))
    for seed in range(20):
        for question in Asker(["car"], 4).ask(rng(seed), picture, things, False):
            words = question.sentence.split()
            index = 0 if "red" in words else 1 if "blue" in words else None
            wanted = everything if index is None else things[index].mask
            assert (question.mask & ~wanted).sum() == 0


def test_generated_questions_are_true_of_their_masks_and_false_ones_have_none() -> None:
    clip = render_clip(5, SceneConfig(frames=4, height=96, width=96))
    questions = ask(clip, rng(), 40)
    assert len(questions) == 40
    newest = clip.instances[-1]
    kinds = {question.mask.any() for question in questions}
    assert kinds == {True, False}
    for question in questions:
        if question.mask.any():
            assert len(np.unique(newest[question.mask])) == 1
            assert newest[question.mask][0] > 0


def test_clips_are_given_again_as_often_as_asked() -> None:
    made = []

    def make(generator: np.random.Generator) -> TrainingClip:
        made.append(1)
        return TrainingClip(np.zeros((1, 2, 2, 3), np.uint8), (), "x")

    replay, generator = Replay(make, times=4, kept=8), rng()
    for _ in range(400):
        replay(generator)
    assert 70 <= len(made) <= 130
    made.clear()
    once = Replay(make, times=1)
    for _ in range(10):
        once(generator)
    assert len(made) == 10


def test_riders_have_sentences_without_the_table(tmp_path: Path) -> None:
    for kind, suffix in (("JPEGImages", "jpg"), ("Annotations", "png")):
        folder = tmp_path / kind / "motorbike"
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / f"00000.{suffix}"), np.full((48, 64), 255, np.uint8))
    header = "sequence\ta2d_actor\ta2d_action\tmask_covers\tsentence\n"
    (tmp_path / "SENTENCES.tsv").write_text(header)
    clip = VideoSource(tmp_path, questions=30).clip(rng(), size=32, frames=2)
    asked = {question.sentence: question.mask.any() for question in clip.questions}
    assert asked["a person riding a motorcycle"]
    assert not any(there for text, there in asked.items() if text.split()[-1] in ("car", "horse"))
