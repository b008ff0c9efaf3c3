"""What comes over both command subscriptions is taken once, and logged in measure."""

from collections.abc import Callable

import pytest

from actseg_core.live.queries import Query
from actseg_core.types import Sentence
from actseg_ros.commands import WRITERS_REMEMBERED, Duplicates, LineBudget, about

Read = Callable[[str], Sentence]
PLAIN, LATCHED = False, True  # which subscription: of the present, or beginning with the past


def taken(*samples: tuple[int, bool]) -> list[int]:
    """When one writer published those samples that were new, in the order of their coming."""
    seen = Duplicates()
    return [stamp for stamp, past in samples if seen.is_new(b"a", stamp, past)]


@pytest.mark.parametrize("first", [PLAIN, LATCHED])
def test_a_sample_is_new_once(first: bool) -> None:
    assert taken((5, first), (5, not first), (6, not first), (6, first)) == [5, 6]


def test_one_subscription_may_lag_behind_the_other() -> None:
    ahead = [(stamp, LATCHED) for stamp in (1, 2, 3)]
    behind = [(stamp, PLAIN) for stamp in (1, 2, 3, 4)]
    assert taken(*ahead, *behind) == [1, 2, 3, 4]


def test_the_past_of_a_writer_that_was_heard_already_is_not_new() -> None:
    past = [(stamp, LATCHED) for stamp in (1, 2, 3, 4)]
    assert taken((3, PLAIN), (4, PLAIN), *past, (5, LATCHED), (5, PLAIN)) == [3, 4, 5]


@pytest.mark.parametrize("first", [PLAIN, LATCHED])
def test_a_writer_whose_clock_was_set_back_is_still_heard(first: bool) -> None:
    samples = [(stamp, past) for stamp in (100, 101, 7, 8) for past in (first, not first)]
    assert taken(*samples) == [100, 101, 7, 8]


def test_the_past_of_a_writer_whose_clock_was_set_back_ends_with_its_newest() -> None:
    assert taken((100, LATCHED), (7, LATCHED)) == [100, 7]
    assert taken((7, PLAIN), (100, LATCHED), (7, LATCHED), (8, LATCHED)) == [7, 8]


def test_writers_do_not_hide_each_other() -> None:
    seen = Duplicates()
    assert seen.is_new(b"a", 6, PLAIN)
    assert seen.is_new(b"b", 5, PLAIN)


def test_long_gone_writers_are_forgotten() -> None:
    seen = Duplicates()
    for number in range(WRITERS_REMEMBERED + 10):
        seen.is_new(str(number).encode(), 1, PLAIN)
    assert len(seen._writers) == WRITERS_REMEMBERED
    assert not seen.is_new(str(WRITERS_REMEMBERED).encode(), 1, PLAIN)


def test_a_sentence_is_described_with_its_id_and_its_unknown_words(read: Read) -> None:
    def line(text: str) -> str:
        return about(Query("q3", read(text), 0))

    assert line("the dog") == "q3 is active: 'the dog'"
    assert line("the xolo runs") == "q3 is active: 'the xolo runs', not known: xolo"
    assert line("xolo") == (
        "q3 is active: 'xolo', but no word of it is known: the answer will be NOT_FOUND"
    )
    assert line("a\x1b[2J dog") == "q3 is active: 'a\\x1b[2J dog'"
    assert line("dog " * 20 + "on the left").endswith(
        ", but only the first 20 words are read, not 'on the left'; say it in fewer words"
    )


def test_twenty_lines_come_at_once_and_then_five_a_second() -> None:
    budget = LineBudget()
    flood = [budget.line(f"line {number}", 100.0) for number in range(50)]
    assert [line for line in flood if line] == [f"line {number}" for number in range(20)]
    assert budget.line("later", 100.1) == ""
    assert budget.line("later", 100.2) == "later (31 changes before it were not logged)"
    assert budget.line("again", 200.0) == "again"
