"""Which answers are shown, and how."""

from dataclasses import replace

import cv2
import matplotlib
import numpy as np
import pytest

from actseg_core.errors import ShapeError
from actseg_core.evaluation import pictures
from actseg_core.evaluation.masks import MaskAccumulator, score_overlaps
from actseg_core.evaluation.pictures import choose, contact_sheet, draw
from actseg_core.evaluation.presence import PresenceAnswer, presence_scores


@pytest.fixture
def scores():
    return score_overlaps([(1, 20), (1, 20), (11, 20), (19, 20)])


def test_the_histogram_has_a_bar_per_twentieth_and_a_line_at_the_mean(scores) -> None:
    (axes,) = pictures.iou_histogram(scores).axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == list(scores.histogram)
    assert (heights[1], heights[11], heights[19]) == (2, 1, 1)
    assert axes.lines[0].get_xdata()[0] == pytest.approx(0.4, abs=1e-6)


def test_the_precision_curve_is_in_percent_over_the_thresholds(scores) -> None:
    (axes,) = pictures.precision_curve(scores).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [50, 50] + [25] * 8)
    assert axes.lines[1].get_ydata()[0] == pytest.approx(30)


def test_pairs_are_listed_with_their_samples_most_first() -> None:
    one, two = score_overlaps([(1, 2)]), score_overlaps([(1, 4), (3, 4)])
    (axes,) = pictures.pair_bars({"cat": one, "dog running": two}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog running (2)", "cat (1)"]
    widths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(widths, [50, 50, 50, 50], atol=1e-4)


def test_calibration_shows_only_used_bins_with_their_counts() -> None:
    answers = [PresenceAnswer(True, True, 0.95, 0.1), PresenceAnswer(False, True, 0.91, 0.1)]
    (axes,) = pictures.calibration_plot(presence_scores(answers).calibration).axes
    np.testing.assert_allclose(axes.lines[1].get_xdata(), [0.93])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [0.5])
    assert [text.get_text() for text in axes.texts] == ["2"]


def test_a_saved_plot_is_a_picture_and_needs_no_display(scores, tmp_path) -> None:
    backend = matplotlib.get_backend()
    pictures.save_figure(pictures.iou_histogram(scores), tmp_path / "a.png")
    assert matplotlib.get_backend() == backend
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture.shape[0] > 200
    assert picture.std() > 5


def test_plots_without_a_sample_can_be_drawn(tmp_path) -> None:
    nothing = MaskAccumulator().result()
    pictures.save_figure(pictures.iou_histogram(nothing), tmp_path / "a.png")
    pictures.save_figure(
        pictures.calibration_plot(presence_scores([]).calibration), tmp_path / "b.png"
    )
    assert len(list(tmp_path.iterdir())) == 2


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
