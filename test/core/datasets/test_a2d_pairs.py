"""The 43 pairs: A2D's colours, label maps, pairs as sentences."""

import hashlib
import json

import cv2
import numpy as np
import pytest
from damaged_files import changed_bytes
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.datasets.a2d_pairs import A2DPairs, colour_of_label, colours, label_map, paint
from actseg_core.datasets.samples import Sample
from actseg_core.errors import DatasetError

# SHA-256 over the sorted (label, red, green, blue) rows of initialCMAP in the public evaluation
# script vic_eval_segmentation.m, computed from the script's own text.
PUBLIC_MAP = "5d47910758889d2bde1b4d39242b57a1c9cf1694e2b097a01a5fae1e261b8300"


def test_the_colour_map_is_that_of_the_public_evaluation_script() -> None:
    rows = sorted((label, *colour) for label, colour in colours().items())
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest() == PUBLIC_MAP


@pytest.mark.parametrize(
    ("label", "colour"),
    [
        (0, (0, 0, 0)),
        (11, (52, 1, 1)),
        (17, (255, 103, 103)),  # adult running
        (34, (41, 205, 1)),  # ball flying
        (59, (205, 225, 255)),  # car, none
        (79, (255, 205, 235)),
    ],
)
def test_known_colours(label, colour) -> None:
    assert colour_of_label(label) == colour


@pytest.mark.parametrize("label", [10, 20, 81, -1, 1])
def test_an_unknown_label_is_refused(label) -> None:
    with pytest.raises(
        DatasetError, match=rf"{label} is no label of A2D; wanted 0 or 10 \* actor"
    ):
        colour_of_label(label)


@given(st.data())
def test_painting_and_reading_gives_the_labels_back(tmp_path_factory, data) -> None:
    choice = st.lists(st.sampled_from(sorted(colours())), min_size=12, max_size=12)
    labels = np.array(data.draw(choice), np.uint8).reshape(3, 4)
    path = tmp_path_factory.mktemp("col") / "00001.png"
    cv2.imwrite(str(path), paint(labels)[..., ::-1])
    back = label_map(path)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, labels)


def test_an_unknown_colour_names_file_colour_and_place(tmp_path) -> None:
    image = np.zeros((5, 7, 3), np.uint8)
    image[2, 6] = image[4, 0] = (1, 2, 3)
    cv2.imwrite(str(tmp_path / "00001.png"), image[..., ::-1])
    with pytest.raises(
        DatasetError,
        match=r"00001\.png has the colour \(1, 2, 3\) at row 2, column 6 \(2 unknown pixels\)",
    ):
        label_map(tmp_path / "00001.png")


def test_an_unreadable_label_image_is_named(tmp_path) -> None:
    (tmp_path / "00001.png").write_bytes(b"no")
    with pytest.raises(DatasetError, match=r"00001\.png is damaged or not an image"):
        label_map(tmp_path / "00001.png")


def test_frames_of_all_videos_count_also_of_those_without_sentences(a2d) -> None:
    train = A2DPairs(a2d.root, "train")
    assert [(item.video, item.frame) for item in train.frames] == [
        ("train_two", 4),
        ("train_two", 14),
        ("missed", 5),
    ]
    assert len(A2DPairs(a2d.root, "test").frames) == 4
    for frame in train.frames:
        np.testing.assert_array_equal(
            label_map(frame.path), a2d.label_map(frame.video, frame.frame)
        )


def test_every_pair_in_a_frame_is_a_sample_with_its_name_as_sentence(a2d) -> None:
    test = A2DPairs(a2d.root, "test")
    assert test.samples == [
        Sample("adult running", "test-one", 0, 17),
        Sample("adult running", "test-one", 11, 17),
        Sample("adult running", "test_three", 3, 17),
        Sample("bird flying", "test_three", 3, 44),
        Sample("adult running", "test_three", 9, 17),
        Sample("bird flying", "test_three", 9, 44),
        Sample("dog", "test_three", 9, 79),
    ]
    for sample in test.samples:
        wanted = a2d.label_map(sample.video, sample.frame) == sample.instance
        np.testing.assert_array_equal(test.mask(sample), wanted)
        assert test.video(sample) == a2d.clip(sample.video)
        assert test.annotation(sample) == a2d.col(sample.video, sample.frame)


def test_a_video_has_the_pairs_of_all_its_frames(a2d) -> None:
    assert A2DPairs(a2d.root, "test").video_labels == {
        "test-one": [17],
        "test_three": [17, 44, 79],
    }


def test_pairs_that_a2d_does_not_use_are_no_samples(a2d) -> None:
    labels = np.full((32, 64), 14, np.uint8)  # adult flying: in the colour map, but not valid
    cv2.imwrite(str(a2d.col("test-one", 0)), paint(labels)[..., ::-1])
    test = A2DPairs(a2d.root, "test")
    assert [item.frame for item in test.samples if item.video == "test-one"] == [11]
    assert (label_map(test.frames[0].path) == 14).all()


def test_damaged_label_images_are_an_error_or_counted(a2d) -> None:
    a2d.col("test-one", 0).write_bytes(b"no")
    for frame in (3, 9):
        a2d.col("test_three", frame).unlink()
    with pytest.raises(DatasetError, match=r"no \.png file in .*test_three"):
        A2DPairs(a2d.root, "test")
    test = A2DPairs(a2d.root, "test", skip_bad=True)
    assert [item.frame for item in test.samples] == [11]
    assert len(test.bad) == 2
    assert len(test.video_labels) == 1
    assert len(test.bad) == 2


@given(data=st.data())
def test_a_label_image_changed_anywhere_is_read_or_refused(tmp_path_factory, data) -> None:
    labels = np.array([[0, 11, 17], [34, 59, 79]], np.uint8)
    content = cv2.imencode(".png", paint(labels)[..., ::-1])[1].tobytes()
    path = tmp_path_factory.getbasetemp() / "changed_labels.png"
    path.write_bytes(data.draw(changed_bytes(content)))
    try:
        found = label_map(path)
    except DatasetError:
        return
    assert set(np.unique(found).tolist()) <= set(colours())
