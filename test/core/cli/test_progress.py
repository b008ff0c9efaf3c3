"""A bar ends with its block, whatever ends it."""

import threading

import pytest
from patience import PATIENCE_S
from rich.console import Console

from actseg_core.cli.progress import progress


def test_all_items_come_in_order() -> None:
    with progress(iter("abc"), "letters", 3, Console(quiet=True)) as letters:
        assert list(letters) == ["a", "b", "c"]


@pytest.mark.parametrize("finished", [False, True])
def test_no_thread_of_the_bar_outlives_its_block(finished: bool) -> None:
    before = set(threading.enumerate())
    with (
        pytest.raises(ZeroDivisionError) as held,  # as long as it is held, so are all frames
        progress(iter("abc"), "letters", 3, Console(quiet=True)) as letters,
    ):
        kept = letters
        for letter in letters:
            assert finished or letter == "a"
            if not finished:
                1 / 0  # noqa: B018
        1 / 0  # noqa: B018
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert held.value is not None and kept is not None
