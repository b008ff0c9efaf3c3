"""Published counts: the real text files have them, others are named."""

import json

import pytest

from actseg_core.datasets.a2d_layout import A2DLayout, read_annotation, read_videoset
from actseg_core.datasets.jhmdb_sentences import read_frame_list
from actseg_core.datasets.published_counts import (
    Count,
    check_a2d,
    check_jhmdb,
    count_a2d_frames,
    count_a2d_texts,
    require,
)
from actseg_core.errors import DatasetError


def texts(folder):
    names = ("videoset.csv", "a2d_annotation.txt", "a2d_missed_videos.txt")
    return [folder / name for name in names]


def test_the_real_a2d_files_have_the_published_counts(published) -> None:
    counts = count_a2d_texts(*texts(published))
    require(counts)
    assert {item.what: item.found for item in counts} == {
        "missed videos": 28,
        "sentences": 6655,
        "train videos": 3036,
        "train videos with sentences": 3017,
        "train sentences": 5360,
        "annotated train frames": 9561,
        "test videos": 746,
        "test videos with sentences": 737,
        "test sentences": 1295,
        "annotated test frames": 2365,
    }


def test_the_real_annotation_has_one_copied_row_and_no_word_lost(published) -> None:
    rows = read_annotation(published / "a2d_annotation.txt")
    copies = [row for row in rows if row.instance is None]
    assert [(row.video, row.query) for row in copies] == [
        ("T6bNPuKV-wY", "bird standing in the beach")
    ]
    assert max(len(row.query.split()) for row in rows) == 20
    assert len({row.video for row in rows}) == 3754
    videos = read_videoset(published / "videoset.csv")
    assert {entry.height for entry in videos.values()} == {320}
    assert all(320 <= entry.width <= 768 for entry in videos.values())


def test_the_real_jhmdb_files_have_the_published_counts(published) -> None:
    listed = published / "jhmdb_sentences_frames.json"
    counts = check_jhmdb(published / "jhmdb_annotation.txt", listed)
    assert [item.found for item in counts] == [928, 2784, 2784]
    first = read_frame_list(listed)[0]
    assert first == ("100_pullups_pullup_f_nm_np1_fr_med_1", 1, 40, "man in black pulling up")


def test_a_copy_that_lost_a_line_names_the_file(published, tmp_path) -> None:
    paths = texts(tmp_path)
    for source, path in zip(texts(published), paths, strict=True):
        path.write_bytes(source.read_bytes())
    lines = paths[1].read_text().splitlines()
    paths[1].write_text("\n".join(lines[:-1]))
    with pytest.raises(
        DatasetError, match=r"a2d_annotation\.txt has 6654 sentences, 6655 are published"
    ) as error:
        require(count_a2d_texts(*paths))
    assert "videoset.csv" not in str(error.value)


def test_many_wrong_counts_are_cut_short(tmp_path) -> None:
    with pytest.raises(DatasetError, match="; and 2 more; download the dataset again"):
        require([Count("things", tmp_path / str(index), 1, 2) for index in range(7)])


def test_a_generated_or_partial_tree_is_not_the_published_one(a2d) -> None:
    with pytest.raises(DatasetError, match=r"missed_videos\.txt has 2 missed videos, 28 are pub"):
        check_a2d(a2d.root)


def test_every_video_and_annotation_file_is_counted(a2d) -> None:
    counts = count_a2d_frames(A2DLayout(a2d.root))
    assert [item.found for item in counts] == [2, 2, 2, 2, 2, 2, 1]
    a2d.h5("test_three", 9).unlink()
    with pytest.raises(DatasetError, match="test_three has 1 annotated frames, 2 are published"):
        count_a2d_frames(A2DLayout(a2d.root))
    a2d.clip("test-one").unlink()
    with pytest.raises(DatasetError, match=r"there is no video .*test-one\.mp4"):
        count_a2d_frames(A2DLayout(a2d.root))


def test_wrong_jhmdb_counts_are_named(jhmdb) -> None:
    listed = jhmdb.root / "frames.json"
    listed.write_text(json.dumps([["long", "1.png", "m", 7, "another sentence"]]))
    with pytest.raises(
        DatasetError,
        match="has 3 sentences, 928 .* has 1 evaluation frames, 2784 .* has 0 frames w",
    ):
        check_jhmdb(jhmdb.annotation, listed)
