"""A2D Sentences: which samples there are, and their masks, on a tree with every quirk."""

import h5py
import numpy as np
import pytest
from damaged_files import changed_bytes
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.datasets.a2d_sentences import A2DSentences, read_instances
from actseg_core.datasets.samples import Sample
from actseg_core.errors import DatasetError


def test_a_sample_is_a_sentence_and_a_frame_in_which_its_actor_is(a2d) -> None:
    assert A2DSentences(a2d.root, "test").samples == [
        Sample("dog on the left", "test_three", 9, 5),
        Sample("adult running", "test_three", 3, 0),
        Sample("adult running", "test_three", 9, 0),
        Sample("a man running", "test-one", 0, 0),
        Sample("a man running", "test-one", 11, 0),
    ]


def test_the_splits_are_those_of_videoset(a2d) -> None:
    train = A2DSentences(a2d.root, "train")
    assert [(item.video, item.frame, item.instance) for item in train.samples] == [
        ("train_two", 4, 0),
        ("train_two", 14, 0),
        ("train_two", 4, 1),
        ("train_two", 14, 1),
    ]


def test_the_copied_row_is_dropped_and_an_actor_never_seen_is_told(a2d) -> None:
    train, test = A2DSentences(a2d.root, "train"), A2DSentences(a2d.root, "test")
    assert [row.query for row in train.dropped] == ["bird standing in the beach"]
    assert test.dropped == []
    assert test.unseen == [("test_three", 7)]


@pytest.mark.parametrize("split", ["train", "test"])
def test_masks_are_upright_for_one_and_for_many_instances(a2d, rectangles, split) -> None:
    dataset = A2DSentences(a2d.root, split)
    assert dataset.samples
    for sample in dataset.samples:
        mask = dataset.mask(sample)
        assert mask.dtype == np.bool_
        np.testing.assert_array_equal(mask, rectangles(sample.frame, sample.instance))


def test_instances_carry_ids_and_boxes(a2d) -> None:
    three = read_instances(a2d.h5("test_three", 9))
    assert three.ids.tolist() == [0, 2, 5]
    assert three.boxes[2].tolist() == [11, 25, 21, 30]  # left 2 + 9, top 1 + 8 * 3, 11x6 px
    one = read_instances(a2d.h5("test-one", 11))
    assert one.ids.tolist() == [0]
    assert one.masks.shape == (1, 32, 64)
    assert one.boxes.tolist() == [[13, 1, 23, 6]]


def test_a_frame_without_instances_has_none(a2d) -> None:
    with h5py.File(a2d.h5("test-one", 0), "w") as file:
        for name, shape in (("instance", (0,)), ("reMask", (0, 64, 32)), ("reBBox", (4, 0))):
            file[name] = np.zeros(shape)
    assert read_instances(a2d.h5("test-one", 0)).masks.shape[0] == 0
    samples = A2DSentences(a2d.root, "test").samples
    assert [item.frame for item in samples if item.video == "test-one"] == [11]


def test_videos_and_annotations_are_found(a2d) -> None:
    dataset = A2DSentences(a2d.root, "test")
    assert dataset.video(dataset.samples[0]) == a2d.clip("test_three")
    assert dataset.annotation(dataset.samples[0]) == a2d.h5("test_three", 9)
    assert dataset.length(dataset.samples[0]) is None


def test_a_missing_actor_is_named_with_those_that_are_there(a2d) -> None:
    dataset = A2DSentences(a2d.root, "test")
    with pytest.raises(DatasetError, match=r"00010\.h5 has no instance 1, only \[0, 2, 5\]"):
        dataset.mask(Sample("x", "test_three", 9, 1))


def test_arrays_that_disagree_are_named(a2d) -> None:
    with h5py.File(a2d.h5("test_three", 9), "r+") as file:
        del file["instance"]
        file["instance"] = np.array([0.0, 2.0])
    with pytest.raises(
        DatasetError, match=r"00010\.h5 has 2 instances, but reMask of shape \(3, "
    ):
        read_instances(a2d.h5("test_three", 9))


def test_a_sentence_about_an_unlisted_video_names_both_files(a2d) -> None:
    a2d.annotation.write_text(a2d.annotation.read_text() + "stranger,0,a dog\n")
    with pytest.raises(
        DatasetError, match=r"a sentence about stranger, which is not in .*videoset"
    ):
        A2DSentences(a2d.root, "train")


def test_lines_that_cannot_be_read_are_left_out_and_counted(a2d) -> None:
    a2d.annotation.write_text(a2d.annotation.read_text() + "stranger,0,a dog\ntest-one,x,a man\n")
    a2d.videoset.write_text(a2d.videoset.read_text() + "abc,17,00:00,00:01,nan,64,20,2,1\n")
    dataset = A2DSentences(a2d.root, "test", skip_bad=True)
    assert len(dataset.samples) == 5
    assert [message.split()[0] for message in dataset.bad.messages] == [
        *("line", "line"),
        str(a2d.annotation),
    ]


def break_missing(a2d) -> str:
    for frame in (0, 11):
        a2d.h5("test-one", frame).unlink()
    return r"no \.h5 file in .*test-one"


def break_half_written(a2d) -> str:
    content = a2d.h5("test-one", 0).read_bytes()
    a2d.h5("test-one", 0).write_bytes(content[: len(content) // 2])
    return r"cannot read .*00001\.h5 \(\d+ bytes\): half-written"


def break_key(a2d) -> str:
    with h5py.File(a2d.h5("test-one", 0), "r+") as file:
        del file["instance"]
    return r"00001\.h5 holds no 'instance', only reBBox, reMask, reS_id"


@pytest.mark.parametrize("damage", [break_missing, break_half_written, break_key])
def test_damage_is_an_error_or_counted_and_left_out(a2d, damage) -> None:
    problem = damage(a2d)
    with pytest.raises(DatasetError, match=problem):
        A2DSentences(a2d.root, "test")
    dataset = A2DSentences(a2d.root, "test", skip_bad=True)
    assert len(dataset.bad) == 1
    assert len(dataset.samples) == (3 if damage is break_missing else 4)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("instance", [0.0, 2.0, np.nan], r"instance ids of .*00010\.h5 must be whole numbers"),
        ("instance", [0.0, 2.0, 1e300], "must be whole numbers from 0 on"),
        ("instance", [0.0, 2.0, 0.5], "must be whole numbers from 0 on"),
        ("instance", [0.0, 2.0, -1.0], "must be whole numbers from 0 on"),
        ("reBBox", np.full((4, 3), np.inf), r"reBBox of .*00010\.h5 holds NaN or infinity"),
        ("reMask", np.full((3, 64, 32), np.nan), "reMask or reBBox of .* holds NaN or infinity"),
    ],
)
def test_numbers_out_of_range_are_named(a2d, name, value, problem) -> None:
    with h5py.File(a2d.h5("test_three", 9), "r+") as file:
        del file[name]
        file[name] = value
    with pytest.raises(DatasetError, match=problem):
        read_instances(a2d.h5("test_three", 9))


def test_an_actor_without_a_pixel_is_not_taken_for_absent(a2d) -> None:
    with h5py.File(a2d.h5("test_three", 9), "r+") as file:
        file["reMask"][2] = 0
    dataset = A2DSentences(a2d.root, "test")
    with pytest.raises(DatasetError, match=r"instance 5 of .*00010\.h5 marks no pixel"):
        dataset.mask(dataset.samples[0])


@given(data=st.data())
def test_an_annotation_file_changed_anywhere_is_read_or_refused(tmp_path_factory, data) -> None:
    path = tmp_path_factory.getbasetemp() / "changed_instances.h5"
    with h5py.File(path, "w") as file:
        file["instance"] = np.array([0.0, 3.0])
        file["reMask"] = np.ones((2, 6, 4), np.uint8)
        file["reBBox"] = np.ones((4, 2))
    path.write_bytes(data.draw(changed_bytes(path.read_bytes())))
    try:
        instances = read_instances(path)
    except DatasetError:
        return
    assert len(instances.ids) == len(instances.masks) == len(instances.boxes)
    assert np.isfinite(instances.boxes).all()
