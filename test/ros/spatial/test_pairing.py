"""Answers and depth images find each other, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from actseg_ros.spatial.pairing import WAITING, Pairing


def make(tolerance_ns: int = 10, capacity: int = 5) -> Pairing[str, str]:
    return Pairing(tolerance_ns, capacity)


def test_the_depth_of_the_same_stamp_is_taken() -> None:
    pairing = make()
    for stamp in (100, 105, 110):
        pairing.add_depth(stamp, f"d{stamp}")
    pairing.add_answer(105, "a")
    assert pairing.take() == ("a", "d105")
    assert pairing.take() is None


def test_the_nearest_within_the_tolerance_is_taken() -> None:
    pairing = make()
    pairing.add_depth(91, "before")
    pairing.add_depth(108, "after")
    pairing.add_answer(100, "a")
    assert pairing.take() == ("a", "after")


def test_an_answer_waits_for_depth_that_comes_later() -> None:
    pairing = make()
    pairing.add_depth(50, "old")
    pairing.add_answer(100, "a")
    assert pairing.take() is None
    pairing.add_depth(101, "new")
    assert pairing.take() == ("a", "new")
    assert pairing.unmatched == 0


def test_an_answer_gives_up_when_newer_depth_has_passed() -> None:
    pairing = make()
    pairing.add_answer(100, "a")
    pairing.add_answer(200, "b")
    pairing.add_depth(195, "d")
    assert pairing.take() == ("b", "d")
    assert pairing.unmatched == 1


def test_few_answers_wait() -> None:
    pairing = make()
    for stamp in range(WAITING + 3):
        pairing.add_answer(stamp * 100, str(stamp))
    assert pairing.unmatched == 3


def test_the_oldest_depth_goes_first() -> None:
    pairing = make(capacity=2)
    for stamp in (100, 200, 300):
        pairing.add_depth(stamp, f"d{stamp}")
    assert len(pairing) == 2
    pairing.add_answer(100, "a")
    assert pairing.take() is None and pairing.unmatched == 1


def test_a_clock_that_was_set_back_empties_everything() -> None:
    pairing = make()
    pairing.add_depth(2_000_000_000, "old")
    pairing.add_answer(3_000_000_000, "old")
    pairing.add_depth(10, "new")
    pairing.add_answer(10, "a")
    assert pairing.take() == ("a", "new")
    assert pairing.take() is None and len(pairing) == 1


def test_a_repeated_stamp_is_kept_once() -> None:
    pairing = make()
    pairing.add_depth(1, "first")
    pairing.add_depth(1, "again")
    assert len(pairing) == 1


def test_limits_change_while_depth_is_kept() -> None:
    pairing = make()
    for stamp in (100, 200, 300):
        pairing.add_depth(stamp, str(stamp))
    pairing.set_limits(50, 2)
    assert len(pairing) == 2
    pairing.add_answer(240, "answer")
    assert pairing.take() == ("answer", "200")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300)), max_size=60))
def test_whatever_comes_pairs_are_near_and_memory_is_bounded(
    events: list[tuple[bool, int]],
) -> None:
    pairing: Pairing[int, int] = Pairing(10, 5)
    answers = 0
    for is_depth, stamp in events:
        if is_depth:
            pairing.add_depth(stamp, stamp)
        else:
            pairing.add_answer(stamp, stamp)
            answers += 1
        pair = pairing.take()
        assert pair is None or abs(pair[0] - pair[1]) <= 10
        assert len(pairing) <= 5
    assert pairing.unmatched <= answers


def test_an_answer_without_depth_tells_how_far_the_nearest_was() -> None:
    pairing = make()
    pairing.add_answer(100, "a")
    pairing.add_depth(133, "d")
    assert pairing.take() is None
    assert (pairing.failures, pairing.apart_ns, pairing.came_late) == (1, 33, True)
    pairing.add_answer(155, "b")
    pairing.add_depth(166, "e")
    assert pairing.take() is None
    assert (pairing.failures, pairing.apart_ns, pairing.came_late) == (2, 11, False)
    pairing.add_answer(170, "c")
    assert pairing.take() == ("c", "e")
    assert (pairing.failures, pairing.unmatched) == (0, 2)


def test_without_any_depth_there_is_no_distance() -> None:
    pairing = make()
    for stamp in range(WAITING + 3):
        pairing.add_answer(stamp * 100, str(stamp))
    assert (pairing.failures, pairing.apart_ns) == (3, None)


def test_depth_images_in_the_wrong_order_are_put_in_order() -> None:
    pairing = make()
    for stamp in (100, 300, 200, 300):
        pairing.add_depth(stamp, f"d{stamp}")
    assert len(pairing) == 3
    for stamp in (100, 200, 300):
        pairing.add_answer(stamp, "a")
        assert pairing.take() == ("a", f"d{stamp}")
