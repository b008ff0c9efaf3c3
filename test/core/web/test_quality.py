"""Pictures become smaller where they take long, and larger again with care."""

from actseg_core.web.quality import MOST_TRIES, STEPS, TRIES, QualityControl

SLOW, FAST, FAIR = 0.5, 0.05, 0.2


def drawn(control: QualityControl, seconds: float, count: int = 1) -> int:
    """The step after so many pictures of the present choice."""
    for _ in range(count):
        control.drawn_after(seconds, control.quality)
    return STEPS.index(control.quality)


def test_each_step_is_smaller_than_the_one_before() -> None:
    sizes = [(step.side_px, step.jpeg) for step in STEPS]
    assert sizes == sorted(sizes, reverse=True)


def test_it_begins_with_the_best_and_stays_there_while_pictures_come_in_time() -> None:
    assert drawn(QualityControl(), FAIR, 1000) == 0


def test_a_slow_picture_is_followed_by_smaller_ones_down_to_the_smallest() -> None:
    control = QualityControl()
    assert [drawn(control, SLOW) for _ in range(6)] == [1, 2, 3, 4, 4, 4]


def test_a_row_of_fast_ones_brings_a_larger_one_back() -> None:
    control = QualityControl()
    drawn(control, SLOW)
    assert drawn(control, FAST, TRIES - 1) == 1
    assert drawn(control, FAST) == 0


def test_a_try_that_fails_is_repeated_only_after_twice_as_many() -> None:
    control = QualityControl()
    drawn(control, SLOW)
    drawn(control, FAST, TRIES)
    assert drawn(control, SLOW) == 1
    assert drawn(control, FAST, 2 * TRIES - 1) == 1
    assert drawn(control, FAST) == 0


def test_it_never_gives_up_trying() -> None:
    control = QualityControl()
    for _ in range(20):
        drawn(control, SLOW)
        assert drawn(control, FAST, MOST_TRIES) <= 1


def test_a_picture_of_an_older_choice_says_nothing() -> None:
    control = QualityControl()
    older = control.quality
    drawn(control, SLOW)
    for _ in range(5):
        control.drawn_after(SLOW, older)
    assert control.quality == STEPS[1]
