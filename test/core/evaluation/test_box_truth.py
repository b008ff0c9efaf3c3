"""Right or wrong by boxes drawn by hand."""

import numpy as np
import pytest

from actseg_core.evaluation.box_truth import Box, judge, marks_the_one

SHAPE = (100, 200)
MAN = Box.of([10, 20, 50, 90, 20, 30, 40, 60])  # core of 20 x 30 = 600 px
WOMAN = Box.of([100, 20, 140, 90, 110, 30, 130, 60])


def region(*rectangles: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for left, top, right, bottom in rectangles:
        mask[top:bottom, left:right] = True
    return mask


def test_a_box_of_four_numbers_has_the_middle_half_as_its_core() -> None:
    assert Box.of([0, 20, 40, 100]).core == (10, 40, 30, 80)


@pytest.mark.parametrize(
    "numbers",
    [[1, 2, 3], [10, 0, 10, 5], [0, 9, 5, 3], [0, 0, float("nan"), 5], [0, 0, 5, float("inf")]],
)
def test_a_box_without_an_area_is_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=r"a box (has 4 numbers|is left, top, right, bottom)"):
        Box.of(numbers)


def test_the_mask_of_the_one_who_is_meant_is_right() -> None:
    assert judge(region((15, 25, 45, 85)), [MAN], [WOMAN]) == "right"


def test_marking_nobody_misses_who_is_there() -> None:
    assert judge(region(), [MAN], [WOMAN]) == "missed"


def test_the_other_one_is_not_the_one_who_is_meant() -> None:
    assert judge(region((105, 25, 135, 85)), [MAN], [WOMAN]) == "others too"


def test_both_are_not_the_one_who_is_meant() -> None:
    both = region((15, 25, 45, 85), (105, 25, 135, 85))
    assert judge(both, [MAN], [WOMAN]) == "others too"
    assert judge(both, [MAN, WOMAN]) == "right"


def test_a_fifth_of_the_mask_may_not_be_on_others_but_less_may() -> None:
    mine = (10, 20, 50, 70)  # 40 x 50 = 2000 px
    # Right of the other's core, which begins at x = 110: 10 x 49 = 490 and 10 x 50 = 500 px.
    assert judge(region(mine, (100, 20, 110, 69)), [MAN], [WOMAN]) == "right"
    assert judge(region(mine, (100, 20, 110, 70)), [MAN], [WOMAN]) == "others too"


def test_a_fifth_of_another_core_is_too_much_even_where_the_boxes_overlap() -> None:
    behind = Box.of([10, 20, 150, 90, 20, 30, 40, 60])  # around both, its own core on the left
    big = region((15, 22, 100, 88))
    assert judge(big, [behind], [WOMAN]) == "right"
    # Of the other's core (600 px) 4 x 30 = 120 px are a fifth.
    assert judge(big | region((110, 30, 114, 60)), [behind], [WOMAN]) == "others too"
    assert judge(big | region((110, 30, 113, 60)), [behind], [WOMAN]) == "right"


def test_two_fifths_of_the_core_must_be_marked() -> None:
    assert judge(region((20, 30, 40, 42)), [MAN]) == "right"  # 20 x 12 = 240 of 600 px
    assert judge(region((20, 30, 40, 41)), [MAN]) == "in part"  # 220 of 600 px


def test_a_mask_that_runs_out_of_the_box_is_beside_the_actor() -> None:
    inside = (10, 20, 50, 70)  # 2000 px
    assert judge(region(inside, (50, 20, 60, 70)), [MAN]) == "right"  # 500 of 2500 px outside
    assert judge(region(inside, (50, 20, 60, 71)), [MAN]) == "beside"  # 510 of 2510 px outside


def test_nobody_meant_wants_an_empty_mask() -> None:
    assert judge(region(), [], [MAN]) == "right"
    assert judge(region((0, 0, 1, 1)), [], [MAN]) == "not there but marked"


def test_of_several_meant_as_many_as_wanted_must_be_marked() -> None:
    one = region((15, 25, 45, 85))
    assert judge(one, [MAN, WOMAN]) == "in part"
    assert judge(one, [MAN, WOMAN], at_least=1) == "right"


def test_the_one_of_two_is_marked_with_four_fifths_on_it() -> None:
    meant, other = region((0, 0, 40, 50)), region((100, 0, 140, 50))  # 2000 px each
    assert marks_the_one(region((0, 0, 40, 20), (100, 0, 140, 5)), meant, other)  # 800 to 200 px
    assert not marks_the_one(region((0, 0, 40, 20), (100, 0, 140, 6)), meant, other)
    assert marks_the_one(region((0, 0, 40, 10)), meant, other)  # 400 of 2000 px
    assert not marks_the_one(region((0, 0, 40, 9)), meant, other)
    assert not marks_the_one(region(), meant, other)
