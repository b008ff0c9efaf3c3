"""The plain custom format: table, masks of every kind, refusals, and the page's example."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from damaged_files import changed_bytes, changed_cells
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from actseg_core.datasets.custom import CustomDataset
from actseg_core.datasets.samples import Sample
from actseg_core.errors import DatasetError

ROOT = Path(__file__).resolve().parents[3]
HEADER = "video,frame,sentence,mask,split\n"


@pytest.fixture
def tree(tmp_path, numbered, rectangles):
    """A video file, an image folder and one mask of every kind."""
    root = tmp_path / "data"
    (root / "frames").mkdir(parents=True)
    numbered.write(root / "yard.mp4", 10)
    for index in range(4):
        cv2.imwrite(str(root / "frames" / f"{index}.png"), numbered.image(index))
    masks = [rectangles(3, instance) for instance in range(3)]
    grey = masks[0] * np.uint8(1) + masks[1] * np.uint8(2)
    cv2.imwrite(str(root / "grey.png"), grey)
    colour = np.zeros((*grey.shape, 3), np.uint8)
    colour[masks[0]], colour[masks[2]] = (128, 0, 0), (0, 128, 0)
    cv2.imwrite(str(root / "colour.png"), colour[..., ::-1])
    code = coco_mask.encode(np.asfortranarray(masks[2].astype(np.uint8)))
    rows, columns = np.nonzero(masks[1])
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    corners = [left, top, right, top, right, bottom, left, bottom]
    runs = decode_counts(masks[0])
    annotations = [
        {"id": 17, "segmentation": {"size": code["size"], "counts": code["counts"].decode()}},
        {"id": 18, "segmentation": {"size": [32, 64], "counts": runs}},
        {"id": "a", "image_id": 5, "segmentation": [[int(value) for value in corners]]},
        {"id": 19, "segmentation": {"size": [32, 65], "counts": runs}},
        {"id": 20, "image_id": 6, "segmentation": [[0, 0, 1, 1, 0, 1]]},
        {"id": 30, "image_id": 5, "segmentation": [[0, 0, 5, 5, 9, 9]]},
    ]
    images = [{"id": 5, "height": 32, "width": 64}]
    (root / "coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    (root / "sentences.csv").write_text(
        HEADER
        + 'yard.mp4,3,"dog, red",grey.png#1,train\n'
        + "yard.mp4,3,cat,grey.png#2,train\n"
        + "yard.mp4,3,animals,grey.png,test\n"
        + "frames,3,dog,colour.png#800000,test\n"
        + "frames,3,bird,coco.json#17,test\n"
        + "frames,3,dog,coco.json#18,test\n"
        + "frames,3,cat,coco.json#a,test\n"
        + "frames,2,elephant,,test\n"
    )
    return root


def decode_counts(mask) -> list[int]:
    """Run lengths in column order, zeros first, by hand."""
    flat = mask.T.reshape(-1).astype(int)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    ends = [0, *changes, len(flat)]
    return [after - before for before, after in zip(ends, ends[1:], strict=False)]


def test_every_row_is_a_sample(tree) -> None:
    dataset = CustomDataset(tree)
    assert len(dataset.samples) == 8
    assert dataset.samples[0] == Sample("dog, red", "yard.mp4", 3, 2)
    assert dataset.video(dataset.samples[3]) == tree / "frames"
    assert dataset.annotation(dataset.samples[4]) == tree / "coco.json"
    assert dataset.annotation(dataset.samples[7]) == tree / "sentences.csv"
    assert dataset.length(dataset.samples[0]) is None


def test_a_split_takes_its_rows_only(tree) -> None:
    assert [item.sentence for item in CustomDataset(tree, "train").samples] == ["dog, red", "cat"]
    with pytest.raises(DatasetError, match=r"sentences\.csv has no row of split 'val'"):
        CustomDataset(tree, "val")


def test_masks_of_every_kind_are_the_described_actor(tree, rectangles) -> None:
    dataset = CustomDataset(tree)
    wanted = [
        rectangles(3, 0),
        rectangles(3, 1),
        rectangles(3, 0) | rectangles(3, 1),
        rectangles(3, 0),
        rectangles(3, 2),
        rectangles(3, 0),
        rectangles(3, 1),
    ]
    for sample, mask in zip(dataset.samples, wanted, strict=False):
        np.testing.assert_array_equal(dataset.mask(sample), mask)
    assert dataset.mask(dataset.samples[7]).shape == (0, 0)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("yard.mp4,x,dog,grey.png,", "line 2 of .*: frame must count from 0, got 'x'"),
        ("yard.mp4,-1,dog,grey.png,", "frame must count from 0, got '-1'"),
        ("yard.mp4,nan,dog,grey.png,", "frame must count from 0, got 'nan'"),
        ("yard.mp4,2.5,dog,grey.png,", "frame must count from 0, got '2.5'"),
        (f"yard.mp4,{'9' * 5000},dog,grey.png,", "frame must count from 0, got '9999"),
        (f"{'x' * 5000},3,dog,grey.png,", "there is no video .*xxx"),
        ("yard.mp4,3,dog,#3,", "there is no mask file .*data/#3"),
        ("yard.mp4,3,,grey.png,", "line 2 of .* has no sentence"),
        ("none.mp4,3,dog,grey.png,", r"line 2 of .*: there is no video .*none\.mp4"),
        (",3,dog,grey.png,", "there is no video"),
        ("yard.mp4,3,dog,none.png#1,", r"there is no mask file .*none\.png#1"),
        ("../data/yard.mp4,3,dog,grey.png,", "video must be a path inside .*data"),
        ("yard.mp4,3,dog,/etc/hostname,", "mask must be a path inside .*'/etc/hostname'"),
        ("yard.mp4,3,a dog, red,grey.png,", "line 2 of .* must have 5 cells; put a sentence"),
        ("yard.mp4,3,dog", "line 2 of .* must have 5 cells"),
        ('yard.mp4,3,"dog,grey.png', r"sentences\.csv after line 2: unexpected end"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tree, row, problem) -> None:
    (tree / "sentences.csv").write_text(HEADER + row + "\n")
    with pytest.raises(DatasetError, match=problem):
        CustomDataset(tree)


def test_bad_rows_can_be_counted_and_left_out(tree) -> None:
    table = (tree / "sentences.csv").read_text()
    (tree / "sentences.csv").write_text(table + "none.mp4,3,dog,grey.png,test\n")
    dataset = CustomDataset(tree, skip_bad=True)
    assert len(dataset.samples) == 8
    assert len(dataset.bad) == 1


def test_a_row_of_too_many_cells_costs_no_other_row(tree) -> None:
    table = (tree / "sentences.csv").read_text()
    (tree / "sentences.csv").write_text(table + "yard.mp4,3,a dog, red,grey.png,test\n")
    dataset = CustomDataset(tree, skip_bad=True)
    assert len(dataset.samples) == 8
    assert (
        "line 10 of" in dataset.bad.messages[0] and "must have 5 cells" in dataset.bad.messages[0]
    )


@pytest.mark.parametrize(
    ("video", "mask"),
    [
        ("clips\\yard.mp4", "masks\\grey.png#1"),
        ("clips/yard.mp4", "masks/take #2.png"),
        ("clips/yard.mp4", "masks/take #2.png#1"),
        ("clips/caf\u00e9.mp4", "masks/caf\u00e9.png#1"),
        ("clips/cafe\u0301.mp4", "masks/cafe\u0301.png#1"),
    ],
    ids=["backslashes", "hash", "hash_and_value", "composed", "decomposed"],
)
def test_names_are_found_as_other_systems_write_them(tree, rectangles, video, mask) -> None:
    for folder, source, names in (
        ("clips", "yard.mp4", ("yard.mp4", "cafe\u0301.mp4")),
        ("masks", "grey.png", ("grey.png", "take #2.png", "caf\u00e9.png")),
    ):
        (tree / folder).mkdir()
        for name in names:
            (tree / folder / name).write_bytes((tree / source).read_bytes())
    (tree / "sentences.csv").write_text(HEADER + f"{video},3,dog,{mask},\n")
    dataset = CustomDataset(tree)
    [sample] = dataset.samples
    assert dataset.video(sample).is_file() and dataset.annotation(sample).is_file()
    wanted = rectangles(3, 0) | (rectangles(3, 1) & (not mask.endswith("#1")))
    np.testing.assert_array_equal(dataset.mask(sample), wanted)


def test_blank_lines_are_passed_over_and_counted(tree) -> None:
    row = "yard.mp4,3,dog,grey.png,\n"
    (tree / "sentences.csv").write_text(HEADER + "\n\n" + row + "\n" + row + "\n\n")
    assert [item.instance for item in CustomDataset(tree).samples] == [4, 6]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("video;frame;sentence;mask\nyard.mp4;12;a dog, red;grey.png\n", "utf-8"),
        ("video\tframe\tsentence\tmask\nyard.mp4\t12\ta dog, red\tgrey.png\n", "utf-16"),
        ('sep=;\nvideo;frame;sentence;mask\nyard.mp4;12;"a dog, red";grey.png\n', "utf-8-sig"),
        ('Video, Frame ,Sentence,Mask,,\nyard.mp4,12.0,"a dog, red",grey.png,,\n,,,,,\n', "utf-8"),
        ('video,frame,sentence,mask\r\nyard.mp4,"12,0","a dog, red",grey.png\r\n', "utf-8"),
        ('video,frame,sentence,mask\ryard.mp4,12,"a dog, red",grey.png\r', "utf-8"),
    ],
    ids=["semicolons", "unicode_text", "sep", "empty_columns", "comma_12", "old_mac"],
)
def test_a_table_out_of_a_spreadsheet_is_read(tree, content, encoding) -> None:
    (tree / "sentences.csv").write_bytes(content.encode(encoding))
    [sample] = CustomDataset(tree).samples
    assert (sample.sentence, sample.video, sample.frame) == ("a dog, red", "yard.mp4", 12)


def test_a_table_in_an_old_encoding_says_how_to_save_it(tree) -> None:
    (tree / "sentences.csv").write_bytes((HEADER + "yard.mp4,3,café,grey.png,\n").encode("cp1252"))
    with pytest.raises(
        DatasetError, match=r"sentences\.csv: it is no UTF-8 text; save it as such"
    ):
        CustomDataset(tree)


def test_a_sentence_keeps_its_line_breaks_and_rare_separators(tree) -> None:
    (tree / "sentences.csv").write_text(HEADER + 'yard.mp4,3,"a\u2028dog\nruns",grey.png,\n')
    assert CustomDataset(tree).samples[0].sentence == "a\u2028dog\nruns"


def test_double_columns_are_refused(tree) -> None:
    (tree / "sentences.csv").write_text("video,frame,sentence,mask,mask\n")
    with pytest.raises(DatasetError, match="got 'video,frame,sentence,mask,mask'"):
        CustomDataset(tree)


@pytest.mark.parametrize("mask", ["grey.png#9", "colour.png#ffffff", "coco.json#30"])
def test_a_named_mask_without_a_pixel_does_not_say_that_nobody_is_there(tree, mask) -> None:
    (tree / "sentences.csv").write_text(HEADER + f"yard.mp4,3,dog,{mask},\n")
    dataset = CustomDataset(tree)
    with pytest.raises(DatasetError, match="marks no pixel.* absent, name no mask"):
        dataset.mask(dataset.samples[0])


@given(data=st.data())
def test_a_table_changed_anywhere_is_read_or_refused(tmp_path_factory, data) -> None:
    root = tmp_path_factory.getbasetemp() / "changed_table"
    root.mkdir(exist_ok=True)
    for name in ("yard.mp4", "grey.png"):
        (root / name).touch()
    lines = ["video,frame,sentence,mask,split", *["yard.mp4,3,a red dog,grey.png#1,train"] * 3]
    content = data.draw(
        changed_cells(lines).map(lambda text: text.encode("utf-8", "replace"))
        | changed_bytes("\n".join(lines).encode())
    )
    (root / "sentences.csv").write_bytes(content)
    try:
        strict = CustomDataset(root)
    except DatasetError:
        strict = None
    try:
        dataset = CustomDataset(root, skip_bad=True)
    except DatasetError:
        return  # not a row, but the table is no table
    assert strict is None or not dataset.bad
    for sample in dataset.samples:
        assert 0 <= sample.frame < 10**9 and sample.sentence
        dataset.annotation(sample)


def test_wrong_columns_are_quoted(tree) -> None:
    for header in ("video,frame,sentence\n", "video,frame,sentence,mask,weather\n", ""):
        (tree / "sentences.csv").write_text(header)
        with pytest.raises(DatasetError, match="must begin with the line video,frame,sentence,ma"):
            CustomDataset(tree)


@pytest.mark.parametrize(
    ("mask", "problem"),
    [
        ("coco.json#19", r"annotation 19 of .*coco\.json .*the runs cover 2048 pixels of 32x65"),
        ("coco.json#20", r"annotation 20 of .*coco\.json is no RLE and no polygon"),
        ("coco.json#99", r"coco\.json has no annotation with id '99'"),
        ("grey.png#800000", r"a mask with 1 channel\(s\) wants a grey value such as #3"),
        ("colour.png#1", r"a mask with 3 channel\(s\) wants a colour such as #800000"),
        ("colour.png#red", "wants a colour"),
        ("sentences.csv", "cannot read the mask .*sentences"),
    ],
)
def test_a_wrong_mask_is_named(tree, mask, problem) -> None:
    (tree / "sentences.csv").write_text(HEADER + f"yard.mp4,3,dog,{mask},\n")
    dataset = CustomDataset(tree)
    with pytest.raises(DatasetError, match=problem):
        dataset.mask(dataset.samples[0])


def test_the_example_of_the_page_runs_and_prints_what_it_says(
    tmp_path, monkeypatch, capsys
) -> None:
    page = (ROOT / "docs" / "custom_dataset.md").read_text()
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(code) == 1
    monkeypatch.chdir(tmp_path)
    exec(compile(code[0], "custom_dataset.md", "exec"), {})
    assert capsys.readouterr().out.strip() == "person in red 198"
    assert "# person in red 198" in code[0]
