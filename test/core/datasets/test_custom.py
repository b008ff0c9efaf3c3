"""The plain custom format: table, masks of every kind, refusals, and the page's example."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from actseg_core.datasets.custom import CustomDataset, decode_rle, png_mask
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
        ("yard.mp4,3,,grey.png,", "line 2 of .* has no sentence"),
        ("none.mp4,3,dog,grey.png,", r"line 2 of .*: there is no video .*none\.mp4"),
        (",3,dog,grey.png,", "there is no video"),
        ("yard.mp4,3,dog,none.png#1,", r"there is no mask file .*none\.png#1"),
        ("../data/yard.mp4,3,dog,grey.png,", "video must be a path inside .*data"),
        ("yard.mp4,3,dog,/etc/hostname,", "mask must be a path inside .*'/etc/hostname'"),
        ("yard.mp4,3,a dog, red,grey.png,", "line 2 of .* must have 5 cells; put a sentence"),
        ("yard.mp4,3,dog", "line 2 of .* must have 5 cells"),
        ('yard.mp4,3,"dog,grey.png', r"sentences\.csv after line 1: unexpected end"),
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


def test_blank_lines_are_passed_over_and_counted(tree) -> None:
    row = "yard.mp4,3,dog,grey.png,\n"
    (tree / "sentences.csv").write_text(HEADER + "\n\n" + row + "\n" + row + "\n\n")
    assert [item.instance for item in CustomDataset(tree).samples] == [4, 6]


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


def test_a_coco_file_that_is_none_is_named_and_a_mended_one_is_read_again(tree) -> None:
    (tree / "sentences.csv").write_text(HEADER + "yard.mp4,3,dog,coco.json#18,\n")
    good = (tree / "coco.json").read_text()
    dataset = CustomDataset(tree)
    for number, content in enumerate(("[]", "{", '{"annotations": [{}]}')):
        (tree / "coco.json").write_text(content + " " * number)
        with pytest.raises(DatasetError, match=r"coco\.json is no COCO annotation file"):
            dataset.mask(dataset.samples[0])
    (tree / "coco.json").write_text(good)
    assert dataset.mask(dataset.samples[0]).any()


def test_an_alpha_channel_says_nothing(tmp_path) -> None:
    image = np.zeros((2, 3, 4), np.uint8)
    image[..., 3] = 255
    image[1, 2, 0] = 9
    cv2.imwrite(str(tmp_path / "a.png"), image)
    assert np.argwhere(png_mask(tmp_path / "a.png")).tolist() == [[1, 2]]


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_run_length_codes_equal_pycocotools(height, width, data) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits).reshape(height, width)
    code = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    np.testing.assert_array_equal(decode_rle(code), mask)
    plain = {"size": [height, width], "counts": decode_counts(mask)}
    np.testing.assert_array_equal(decode_rle(plain), mask)


@pytest.mark.parametrize(
    ("size", "counts", "problem"),
    [
        ([4, 5], "", "the runs cover 0 pixels of 4x5"),
        ([4, 5], [3, 4], "the runs cover 7 pixels of 4x5"),
        ([4, 5], [30, -10], "the runs cover 20 pixels of 4x5"),
        ([0, 5], [0], "the size 0x5 is not within 1 and"),
        ([10**6, 10**6], [10**12], "the size 1000000x1000000 is not within"),
        ([4, 5], "~~", "126 is no character of a run-length code"),
        ([4, 5], "é", "ascii"),
    ],
)
def test_codes_that_do_not_fit_their_size_are_refused(size, counts, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        decode_rle({"size": size, "counts": counts})


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
