"""J-HMDB Sentences: which frames are tested, and their masks, on a tree with every quirk."""

import json

import numpy as np
import pytest
from damaged_files import changed_bytes, changed_cells, changed_json
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from actseg_core.datasets.jhmdb_sentences import JHMDBSentences, read_annotation, read_frame_list
from actseg_core.datasets.samples import Sample
from actseg_core.errors import DatasetError


@pytest.fixture
def reader(jhmdb, matlab):
    return JHMDBSentences(jhmdb.root, matlab=matlab)


def test_frames_are_spread_over_those_that_have_a_mask(reader) -> None:
    assert reader.samples == [
        *(Sample("man in black running", "long", frame) for frame in (0, 3, 6)),
        *(Sample("a woman, walking", "even", frame) for frame in (0, 2, 4)),
        Sample("boy runs", "single", 0),
    ]
    assert [reader.length(item) for item in reader.samples] == [7, 7, 7, 5, 5, 5, 1]


def test_hidden_companions_of_images_are_not_counted(jhmdb, matlab) -> None:
    """single has three images and one mask, long ten and seven."""
    for video in ("single", "long"):
        for image in list(jhmdb.frames(video).iterdir()):
            (image.parent / f"._{image.name}").write_bytes(b"\x00\x05\x16\x07")
    for number in range(4, 11):
        (jhmdb.frames("long") / f"{number:05d}.png").unlink()
    reader = JHMDBSentences(jhmdb.root, matlab=matlab)
    assert [reader.length(item) for item in reader.samples] == [3, 3, 3, 5, 5, 5, 1]


def test_masks_are_upright_also_where_the_time_axis_is_missing(reader, rectangles) -> None:
    for sample in reader.samples:
        mask = reader.mask(sample)
        assert mask.dtype == np.bool_
        np.testing.assert_array_equal(mask, rectangles(sample.frame, 1))


def test_the_class_folder_is_found(reader, jhmdb) -> None:
    assert reader.video(reader.samples[3]) == jhmdb.root / "Rename_Images" / "walk" / "even"
    assert reader.annotation(reader.samples[0]) == jhmdb.mat("long")


def entry(video: str, number: int, frames: int, query: str) -> list:
    return [video, f"./x/Rename_Images/c/{video}/{number:05d}.png", "./x/m.mat", frames, query]


def write_list(jhmdb, *entries):
    path = jhmdb.root / "frames.json"
    path.write_text(json.dumps(entries))
    return path


def test_the_published_list_decides_the_frames(jhmdb, matlab, rectangles) -> None:
    path = write_list(
        jhmdb,
        entry("long", 7, 7, "man in black running"),
        entry("even", 1, 5, "a woman, walking"),
    )
    dataset = JHMDBSentences(jhmdb.root, frame_list=path, matlab=matlab)
    assert dataset.samples == [
        Sample("man in black running", "long", 6),
        Sample("a woman, walking", "even", 0),
    ]
    assert dataset.length(dataset.samples[0]) == 7
    np.testing.assert_array_equal(dataset.mask(dataset.samples[0]), rectangles(6, 1))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (["long", "00001.png", "m.mat", 7], r"entry 0 of .*frames\.json must be \[video, image"),
        (entry("long", 8, 7, "man"), "entry 0 of"),
        (entry("long", 0, 7, "man"), "entry 0 of"),
        (["long", "x.png", "m.mat", 7, "man"], "entry 0 of"),
        (entry("long", 1, float("inf"), "man"), "entry 0 of"),
        (entry("long", 1, 7.5, "man"), "entry 0 of"),
        (entry(["long"], 1, 7, "man"), "entry 0 of"),
        (entry("long", 1, 7, None), "entry 0 of"),
        (entry("long", 1, 7, "a dog"), "says 'a dog' of long, jhmdb_annotation.txt 'man in bl"),
        (entry("who", 1, 7, "a dog"), "says 'a dog' of who, jhmdb_annotation.txt None"),
    ],
)
def test_a_wrong_list_entry_is_quoted(jhmdb, wrong, problem) -> None:
    with pytest.raises(DatasetError, match=problem):
        JHMDBSentences(jhmdb.root, frame_list=write_list(jhmdb, wrong))


def test_a_list_that_is_none_is_refused(jhmdb) -> None:
    path = jhmdb.root / "frames.json"
    for content, problem in (("{}", "must hold a list, got dict"), ("[", "is no JSON")):
        path.write_text(content)
        with pytest.raises(DatasetError, match=problem):
            read_frame_list(path)


def test_lines_and_entries_that_cannot_be_read_are_left_out_and_counted(jhmdb, matlab) -> None:
    jhmdb.annotation.write_text(jhmdb.annotation.read_text() + "\nno comma\n")
    path = write_list(jhmdb, entry("long", 7, 7, "man in black running"), ["even"])
    dataset = JHMDBSentences(jhmdb.root, frame_list=path, skip_bad=True, matlab=matlab)
    assert len(dataset.samples) == 1
    assert len(dataset.bad) == 2


def break_mask(jhmdb) -> str:
    jhmdb.mat("even").unlink()
    return r"there is no annotation file .*even/puppet_mask\.mat"


def break_half(jhmdb) -> str:
    content = jhmdb.mat("even").read_bytes()
    jhmdb.mat("even").write_bytes(content[: len(content) // 2])
    return r"even/puppet_mask\.mat cannot be read .*it is cut short"


def break_key(jhmdb) -> str:
    savemat(jhmdb.mat("even"), {"mask": np.zeros((2, 2))})
    return r"even/puppet_mask\.mat holds no 'part_mask', only mask"


def break_axes(jhmdb) -> str:
    savemat(jhmdb.mat("even"), {"part_mask": np.zeros((2, 2, 2, 2))})
    return r"part_mask of shape \(2, 2, 2, 2\); wanted \(height, width, frames\)"


def break_image(jhmdb) -> str:
    (jhmdb.frames("even") / "00002.png").unlink()
    return r"even lacks 00002\.png, one of its 4 annotated frames"


def break_folder(jhmdb) -> str:
    jhmdb.frames("even").rename(jhmdb.root / "elsewhere")
    return r"Rename_Images has no folder of even"


@pytest.mark.parametrize(
    "damage", [break_mask, break_half, break_key, break_axes, break_image, break_folder]
)
def test_damage_is_an_error_or_counted_and_left_out(jhmdb, matlab, damage) -> None:
    problem = damage(jhmdb)
    with pytest.raises(DatasetError, match=problem):
        JHMDBSentences(jhmdb.root, matlab=matlab)
    dataset = JHMDBSentences(jhmdb.root, skip_bad=True, matlab=matlab)
    assert len(dataset.bad) == 1
    assert {item.video for item in dataset.samples} == {"long", "single"}


def test_fewer_masks_than_the_list_says_is_an_error_when_read(jhmdb, matlab) -> None:
    path = write_list(jhmdb, entry("long", 9, 10, "man in black running"))
    dataset = JHMDBSentences(jhmdb.root, frame_list=path, matlab=matlab)
    with pytest.raises(DatasetError, match="has masks of 7 frames, frame 8 was asked for"):
        dataset.mask(dataset.samples[0])


def test_wrong_text_lines_and_an_empty_tree_are_named(jhmdb, matlab) -> None:
    jhmdb.annotation.write_text("video_id,query\nlong\n")
    with pytest.raises(DatasetError, match=r"line 2 of .*must be video_id,query; got 'long'"):
        read_annotation(jhmdb.annotation)
    jhmdb.annotation.write_text("long,man\n")
    with pytest.raises(DatasetError, match="must begin with the line video_id,query"):
        read_annotation(jhmdb.annotation)
    jhmdb.annotation.write_text("video_id,query\nlong,man\n")
    (jhmdb.root / "Rename_Images").rename(jhmdb.root / "Images")
    with pytest.raises(DatasetError, match="Rename_Images holds no <class>/<video>/ folders"):
        JHMDBSentences(jhmdb.root, matlab=matlab)


def test_the_reading_process_ends_with_close(jhmdb) -> None:
    dataset = JHMDBSentences(jhmdb.root)
    process = dataset._matlab._process
    assert process is not None
    dataset.close()
    assert process.returncode is not None


def test_a_frame_without_a_pixel_is_not_taken_for_absent(jhmdb, matlab, rectangles) -> None:
    masks = np.stack([rectangles(t, 1) for t in range(5)], axis=2)
    masks[:, :, 2] = False
    savemat(jhmdb.mat("even"), {"part_mask": masks.astype(np.uint8)})
    dataset = JHMDBSentences(jhmdb.root, matlab=matlab)
    with pytest.raises(DatasetError, match=r"frame 2 of .*even/puppet_mask\.mat marks no pixel"):
        dataset.mask(dataset.samples[4])


def test_sentences_that_a_spreadsheet_put_in_quotes_are_read_without(tmp_path) -> None:
    path = tmp_path / "jhmdb_annotation.txt"
    path.write_text('video_id,query\neven,"a ""big"" woman, walking"\n')
    assert read_annotation(path) == {"even": 'a "big" woman, walking'}


LISTED = [entry("long", 7, 7, "man in black running"), entry("even", 1, 5, "a woman, walking")]


@given(
    changed_json(LISTED).map(lambda tree: json.dumps(tree).encode())
    | changed_bytes(json.dumps(LISTED).encode())
)
def test_a_list_changed_anywhere_is_read_or_refused(tmp_path_factory, content) -> None:
    path = tmp_path_factory.getbasetemp() / "changed_list.json"
    path.write_bytes(content)
    try:
        entries = read_frame_list(path)
    except DatasetError:
        return
    assert all(0 <= item.frame < item.frames for item in entries)


@given(
    changed_cells(["video_id,query", "long,man in black running", "even,a woman"])
    .map(lambda text: text.encode("utf-8", "replace"))
    .flatmap(lambda content: st.just(content) | changed_bytes(content))
)
def test_sentences_changed_anywhere_are_read_or_refused(tmp_path_factory, content) -> None:
    path = tmp_path_factory.getbasetemp() / "changed_jhmdb.txt"
    path.write_bytes(content)
    try:
        queries = read_annotation(path)
    except DatasetError:
        return
    assert all(video and query for video, query in queries.items())
