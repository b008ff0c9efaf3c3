"""Which answers are shown, and how."""

from dataclasses import replace

import numpy as np
import pytest

from actseg_core.errors import ShapeError
from actseg_core.evaluation.pictures import choose, contact_sheet, draw


@pytest.fixture
def rows(row, rectangle):
    """Twelve answers of growing overlap with a 12-pixel truth, and three false alarms."""
    truth = rectangle(0, 0, 1, 12)
    good = [
        row(truth, rectangle(0, 0, 1, width), sample_id=f"{width:02d}", video_id=str(width))
        for width in range(1, 13)
    ]
    alarms = [
        row(
            rectangle(),
            rectangle(0, 0, 1, width),
            sample_id=f"no{width}",
            video_id=str(width // 5),
        )
        for width in (3, 5, 7)
    ]
    return [*good[::2], *alarms, *good[1::2]]


def ids(rows) -> list[str]:
    return [row.sample_id for row in rows]


def test_best_median_worst_and_the_largest_false_alarm_of_each_video(rows) -> None:
    lines = choose(rows, 3)
    assert ids(lines["best"]) == ["12", "11", "10"]
    assert set(ids(lines["median"])) == {"07", "06", "08"}
    assert ids(lines["worst"]) == ["01", "02", "03"]
    # 5 and 7 are of one video: the smaller comes last.
    assert ids(lines["not there, but marked"]) == ["no7", "no3", "no5"]


def test_other_sentences_come_before_another_frame_of_the_same(rows) -> None:
    same = [replace(row, video_id="v") if row.iou > 0.8 else row for row in rows]  # 10, 11 and 12
    assert ids(choose(same, 2)["best"]) == ["12", "09"]
    assert ids(choose(same, 3)["best"]) == ["12", "09", "11"]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 12])
def test_few_samples_are_never_shown_twice(rows, count) -> None:
    shown = [
        row.sample_id
        for name, line in choose([row for row in rows if row.has_target][:count]).items()
        for row in line
    ]
    assert len(shown) == len(set(shown)) <= count


def test_the_mask_is_tinted_and_the_truth_outlined_in_white(row, rectangle) -> None:
    item = row(rectangle(1, 1, 5, 4), rectangle(2, 7, 3, 4))
    image = np.full((10, 12, 3), 100, np.uint8)
    picture = draw(image, item)
    np.testing.assert_array_equal(picture[1, 1], [255, 255, 255])
    np.testing.assert_array_equal(picture[3, 3], [0, 0, 0])  # the white line's black border
    np.testing.assert_array_equal(picture[3, 8], [169, 55, 169])  # 100 and magenta, 55 to 45
    np.testing.assert_array_equal(picture[9, 9], [100, 100, 100])
    assert (image == 100).all()


def test_frames_of_another_size_are_refused(row, rectangle) -> None:
    item = row(rectangle(1, 1, 5, 4), rectangle())
    with pytest.raises(ShapeError, match=r"frame of 1 must be \(10, 12, 3\)"):
        draw(np.zeros((12, 10, 3), np.uint8), item)


def test_only_the_frames_shown_are_read(rows) -> None:
    read = []

    def image_of(row):
        read.append(row.sample_id)
        return np.zeros((10, 12, 3), np.uint8)

    figure = contact_sheet(rows, image_of, 2)
    assert len(read) == 8
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "dog running\nIoU 100 %, confidence 0.50"
    assert titles[6] == "dog running\nabsent, confidence 0.50"


def test_nothing_to_show_gives_no_sheet(row, rectangle) -> None:
    assert contact_sheet([row(rectangle(), rectangle())], pytest.fail) is None
