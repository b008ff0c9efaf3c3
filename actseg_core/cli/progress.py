"""A bar with the time left, which ends with the work, whatever ends it."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

T = TypeVar("T")


def _shown(
    items: Iterable[T], bar: Progress, total: int | None, what: str
) -> Generator[T, None, None]:
    yield from bar.track(items, total=total, description=what)


@contextmanager
def progress(
    items: Iterable[T], what: str, total: int | None = None, console: Console | None = None
) -> Iterator[Iterator[T]]:
    """The items, with a bar for as long as the block.

    rich's own `track` ends when its generator is collected, which after an error may be in the
    middle of the next bar's drawing: each then waits for the other.

    Args:
        items: What is worked through.
        what: They are, for people.
        total: How many; None: not known.
        console: To draw on; None: the terminal.
    """
    columns = Progress.get_default_columns()
    with (
        Progress(*columns, console=console) as bar,
        closing(_shown(items, bar, total, what)) as shown,
    ):
        yield shown
