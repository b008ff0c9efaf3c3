"""COCO files: outlines and run-length codes are checked before native code sees them."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaged_files import changed_bytes, changed_json
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from actseg_core.datasets.coco import annotation_mask, decode_rle, polygons
from actseg_core.errors import DatasetError

SQUARE = [20, 10, 40, 10, 40, 30, 20, 30]
RLE = {"size": [2, 3], "counts": [1, 2, 3]}


def file_of(segmentation: Any, size: tuple[Any, Any] = (48, 64)) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "height": size[0], "width": size[1]}],
        "annotations": [{"id": 7, "image_id": 1, "segmentation": segmentation}],
    }


def write(folder: Path, content: Any) -> Path:
    path = folder / "c.json"
    path.write_text(json.dumps(content))
    return path


def test_polygons_mark_what_they_enclose_and_unite(tmp_path) -> None:
    other = [[0, 0, 4, 0, 4, 4, 0, 4], SQUARE]
    mask = annotation_mask(write(tmp_path, file_of(other)), "7")
    assert mask.shape == (48, 64)
    assert mask[10:30, 20:40].all() and mask[:4, :4].all()
    assert mask.sum() == 20 * 20 + 4 * 4


def test_a_polygon_may_reach_out_of_the_picture_a_little(tmp_path) -> None:
    mask = annotation_mask(
        write(tmp_path, file_of([[-5, -0.5, 70, -0.5, 70, 48.5, -5, 48.5]])), "7"
    )
    assert mask.all()


@pytest.mark.parametrize(
    ("segmentation", "problem"),
    [
        ([], r"wanted a list of polygons, got \[\]"),
        ([[]], r"at least 3 points in turn, got \[\]"),
        ([SQUARE, []], r"at least 3 points in turn, got \[\]"),
        ([[5, 5]], r"at least 3 points in turn, got \[5, 5\]"),
        ([[20, 10, 40, 30]], "at least 3 points"),  # pycocotools takes four numbers for a box
        ([[20, 10, 40, 10, 40, 30, 20]], "at least 3 points"),
        (SQUARE, "at least 3 points in turn, got 20"),
        (["20,10,40,10,40,30"], "at least 3 points in turn, got '20,10"),
        ([["20", "10", "40", "10", "40", "30"]], "at least 3 points"),
        ([[True, 0, 5, 0, 5, 5]], "at least 3 points"),
        ([[None, 0, 5, 0, 5, 5]], "at least 3 points"),
        ([[[0, 0], [5, 0], [5, 5], [0, 5], [1, 1], [2, 2]]], "at least 3 points"),
        (None, "wanted a list of polygons, got None"),
        ("abc", "wanted a list of polygons, got 'abc'"),
        (17, "wanted a list of polygons, got 17"),
    ],
)
def test_what_is_no_list_of_polygons_is_refused(tmp_path, segmentation, problem) -> None:
    path = write(tmp_path, file_of(segmentation))
    with pytest.raises(
        DatasetError, match=r"annotation 7 of .*c\.json is no RLE and no polygon.*: .*" + problem
    ):
        annotation_mask(path, "7")


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e9, 1e300, 10**400, -1e9, 129, -65]
)
def test_a_coordinate_out_of_reach_is_refused_before_native_code_sees_it(value) -> None:
    with pytest.raises(ValueError, match="is not within reach of an image of 64x48"):
        polygons([[20, 10, 40, 10, value, 30, 20, 30]], 48, 64)


@pytest.mark.parametrize(
    "size", [(None, 64), ("48", 64), (0, 64), (48.5, 64), (math.nan, 64), (10**9, 10**9), (-1, 3)]
)
def test_an_image_without_real_sides_is_refused(tmp_path, size) -> None:
    path = write(tmp_path, file_of([SQUARE], size))
    with pytest.raises(DatasetError, match="a side of an image must be 1 to|is not within 1 and"):
        annotation_mask(path, "7")


def test_ids_that_one_half_of_a_file_has_as_text_are_found(tmp_path) -> None:
    content = file_of([SQUARE])
    content["annotations"][0]["image_id"] = "1"
    assert annotation_mask(write(tmp_path, content), "7").sum() == 400


def test_an_unknown_image_is_named(tmp_path) -> None:
    content = file_of([SQUARE])
    content["annotations"][0]["image_id"] = 5
    with pytest.raises(DatasetError, match="annotation 7 of .*: there is no image 5"):
        annotation_mask(write(tmp_path, content), "7")


@pytest.mark.parametrize(
    "segmentation",
    [[[0, 0, 5, 5, 9, 9]], {"size": [2, 3], "counts": [6]}, [[-9, 0, -5, 0, -5, 9]]],
)
def test_an_annotation_without_a_pixel_does_not_say_that_nobody_is_there(
    tmp_path, segmentation
) -> None:
    path = write(tmp_path, file_of(segmentation))
    with pytest.raises(DatasetError, match="annotation 7 of .* marks no pixel; where the"):
        annotation_mask(path, "7")


def test_two_annotations_of_one_id_are_refused(tmp_path) -> None:
    content = file_of([SQUARE])
    content["annotations"] *= 2
    with pytest.raises(DatasetError, match="two annotations have the same id"):
        annotation_mask(write(tmp_path, content), "7")


def test_a_file_that_is_none_is_named_and_a_mended_one_is_read_again(tmp_path) -> None:
    path = tmp_path / "c.json"
    for number, content in enumerate(("[]", "{", '{"annotations": [{}]}', "[" * 100_000)):
        path.write_text(content + " " * number)
        with pytest.raises(DatasetError, match=r"c\.json is no COCO annotation file"):
            annotation_mask(path, "7")
    write(tmp_path, file_of(RLE))
    assert annotation_mask(path, "7").tolist() == [[False, True, False], [True, False, False]]
    path.unlink()
    with pytest.raises(DatasetError, match=r"cannot read .*c\.json: No such file"):
        annotation_mask(path, "7")


def plain_counts(mask: np.ndarray) -> list[int]:
    """Run lengths in column order, zeros first, by hand."""
    flat = mask.T.reshape(-1).astype(int)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    ends = [0, *changes, len(flat)]
    return [after - before for before, after in zip(ends, ends[1:], strict=False)]


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_run_length_codes_equal_pycocotools(height, width, data) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits).reshape(height, width)
    code = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    as_text = {"size": [height, width], "counts": code["counts"].decode()}
    np.testing.assert_array_equal(decode_rle(as_text), mask)
    plain = {"size": [height, width], "counts": plain_counts(mask)}
    np.testing.assert_array_equal(decode_rle(plain), mask)


@pytest.mark.parametrize(
    ("size", "counts", "problem"),
    [
        ([4, 5], "", "the runs cover 0 pixels of 4x5"),
        ([4, 5], [3, 4], "the runs cover 7 pixels of 4x5"),
        ([4, 5], [30, -10], "a run must be a whole number of 0 to 20 pixels"),
        ([4, 5], [10.0, 10.0], "a run must be a whole number"),
        ([4, 5], [True, 19], "a run must be a whole number"),
        ([4, 5], [math.nan, 20], "a run must be a whole number"),
        ([4, 5], ["20"], "a run must be a whole number"),
        ([4, 5], [2**32 + 20], "a run must be a whole number"),
        ([4, 5], None, "counts must be a list or a text, got None"),
        ([4, 5], {"a": 1}, "counts must be a list or a text"),
        ([0, 5], [0], "a side of an image must be 1 to .* got 0"),
        ([4.5, 5], [0], r"a side of an image must be 1 to .* got 4\.5"),
        ([4], [4], r"wanted a size of height and width, got \[4\]"),
        (20, [20], "wanted a size of height and width, got 20"),
        ([10**6, 10**6], [10**12], "the size 1000000x1000000 is not within"),
        ([4, 5], "~~", "126 is no character of a run-length code"),
        ([4, 5], "é", "ascii"),
        ([4, 5], "o" * 100_000, "111 is no character of a run-length code"),
    ],
)
def test_codes_that_do_not_fit_their_size_are_refused(size, counts, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        decode_rle({"size": size, "counts": counts})


CONTENT = {
    "images": [{"id": 1, "height": 48, "width": 64}],
    "annotations": [
        {"id": 7, "image_id": 1, "segmentation": [SQUARE, [1, 2, 3, 4, 5.5, 6]]},
        {"id": 8, "image_id": 1, "segmentation": RLE},
        {"id": "a", "segmentation": {"size": [48, 64], "counts": "d5T1i0TN4M30000O1O1O100000"}},
    ],
}


@given(
    changed_json(CONTENT).map(lambda tree: json.dumps(tree).encode())
    | changed_bytes(json.dumps(CONTENT).encode())
)
def test_a_file_changed_anywhere_is_read_or_refused(tmp_path_factory, content) -> None:
    path = tmp_path_factory.getbasetemp() / f"coco_{hash(content)}.json"
    path.write_bytes(content)
    for identity in ("7", "8", "a"):
        try:
            mask = annotation_mask(path, identity)
        except DatasetError:
            continue
        assert mask.ndim == 2 and mask.dtype == np.bool_ and mask.any()
    path.unlink()
