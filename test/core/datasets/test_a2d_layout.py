"""A2D's text files and their quirks."""

from contextlib import suppress

import pytest
from damaged_files import changed_bytes, changed_cells
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.datasets.a2d_layout import (
    A2DLayout,
    VideoEntry,
    annotation_files,
    frame_of,
    read_annotation,
    read_missed,
    read_videoset,
)
from actseg_core.errors import DatasetError


def test_videoset_rows_are_read_in_order(a2d) -> None:
    videos = read_videoset(a2d.videoset)
    assert list(videos) == ["train_two", "test-one", "test_three", "missed"]
    assert videos["test_three"] == VideoEntry("test_three", 17, 32, 64, 20, 2, "test")
    assert videos["missed"].split == "train"


def test_sentences_keep_their_commas_and_the_copied_row_has_no_instance(a2d) -> None:
    rows = read_annotation(a2d.annotation)
    assert len(rows) == 7
    assert rows[2] == ("train_two", 1, "the cat, that runs")
    assert rows[3] == ("train_two", None, "bird standing in the beach")


def test_a_last_line_without_newline_counts(a2d) -> None:
    assert read_missed(A2DLayout(a2d.root).missed) == {"another", "missed"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("abc,17,00:00,00:01,32,64,20,2", r"line 5 of .*videoset\.csv must be video,label"),
        ("abc,17,00:00,00:01,32,64,20,2,2", "0 or 1 for train or test"),
        ("abc,17,00:00,00:01,0,64,20,2,0", "height,width"),
        ("abc,17,00:00,00:01,32,64,-20,2,0", "height,width"),
        ("abc,17,00:00,00:01,99999,99999,20,2,0", "height,width"),
        ("abc,17,00:00,00:01,32,nan,20,2,0", "height,width"),
        ("../abc,17,00:00,00:01,32,64,20,2,0", "must be video,label"),
        (",17,00:00,00:01,32,64,20,2,0", "must be video,label"),
        ("abc,17,00:00,00:01,32,wide,20,2,1", "got 'abc,17,00:00,00:01,32,wide,20,2,1'"),
    ],
)
def test_a_wrong_videoset_line_is_quoted(a2d, line, problem) -> None:
    a2d.videoset.write_text(a2d.videoset.read_text() + line + "\n")
    with pytest.raises(DatasetError, match=problem):
        read_videoset(a2d.videoset)


@pytest.mark.parametrize(
    "line", ["abc,0", "abc,one,a dog", "abc,1 (copy) (copy),a dog", "abc,-1,x", "abc,1,"]
)
def test_a_wrong_sentence_line_is_quoted(a2d, line) -> None:
    a2d.annotation.write_text(a2d.annotation.read_text() + line)
    with pytest.raises(
        DatasetError, match=r"line 9 of .*a2d_annotation\.txt must be video_id"
    ) as e:
        read_annotation(a2d.annotation)
    assert repr(line) in str(e.value)


def test_a_missing_header_a_missing_file_and_binary_content_are_named(a2d) -> None:
    a2d.annotation.write_text("abc,0,a dog\n")
    with pytest.raises(DatasetError, match="must begin with the line video_id,instance_id,query"):
        read_annotation(a2d.annotation)
    a2d.annotation.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=r"cannot read .*annotation\.txt: it is no UTF-8 text"):
        read_annotation(a2d.annotation)
    a2d.annotation.unlink()
    with pytest.raises(DatasetError, match=r"a2d_annotation\.txt: No such file"):
        read_annotation(a2d.annotation)


def test_the_clip_folder_is_found_under_its_other_names(a2d) -> None:
    release = a2d.root / "Release"
    (release / "clips320H").rename(release / "CLIPS320")
    assert A2DLayout(a2d.root).clip("missed").is_file()
    (release / "CLIPS320").rename(release / "videos")
    with pytest.raises(DatasetError, match="Release has no folder clips320H"):
        _ = A2DLayout(a2d.root).clips


def test_annotation_files_count_from_1_and_are_ordered_by_number(tmp_path) -> None:
    for name in ("00010.h5", "00002.h5", "9.h5", "00001.png", "._00002.h5"):
        (tmp_path / name).touch()
    files = annotation_files(tmp_path, ".h5")
    assert [frame_of(path) for path in files] == [1, 8, 9]
    for name in ("00000.h5", "frame3.h5"):
        with pytest.raises(DatasetError, match=rf"{name} must be named by its frame number"):
            frame_of(tmp_path / name)
    with pytest.raises(DatasetError, match=r"there is no \.mat file in"):
        annotation_files(tmp_path, ".mat")


def test_sentences_that_a_spreadsheet_put_in_quotes_are_read_without(a2d) -> None:
    a2d.annotation.write_text('video_id,instance_id,query\nabc,0,"the ""big"" cat, that runs"\n')
    assert read_annotation(a2d.annotation)[0].query == 'the "big" cat, that runs'


def test_the_hidden_files_of_other_systems_are_passed_over(tmp_path) -> None:
    for name in ("00010.h5", "._00010.h5"):
        (tmp_path / name).touch()
    assert annotation_files(tmp_path, ".h5") == [tmp_path / "00010.h5"]


VIDEOS = [
    "abc,17,00:00:00,00:00:01,32,64,20,2,0",
    "-1L1,11,00:00:41,00:00:45,320,566,9,3,1",
]
SENTENCES = ["video_id,instance_id,query", "abc,0,a dog, that runs", "abc,1 (copy),a bird"]


def changed(lines):
    return (
        changed_cells(lines)
        .map(lambda text: text.encode("utf-8", "replace"))
        .flatmap(lambda content: st.just(content) | changed_bytes(content))
    )


@given(changed(VIDEOS), changed(SENTENCES))
def test_text_files_changed_anywhere_are_read_or_refused(
    tmp_path_factory, videos, sentences
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed_a2d.txt"
    path.write_bytes(videos)
    with suppress(DatasetError):
        for name, entry in read_videoset(path).items():
            assert min(entry.height, entry.width, entry.frames) >= 1 and "/" not in name
        read_missed(path)
    path.write_bytes(sentences)
    with suppress(DatasetError):
        assert all(row.query for row in read_annotation(path))
