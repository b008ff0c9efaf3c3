"""Sentences from the page onto the same set, through the same checks, as those of topics."""

from collections.abc import Callable

from actseg_core.live.queries import Query, QuerySet
from actseg_core.web.protocol import Add, Ask, Command


class Commands:
    """Changes the active sentences.

    Args:
        queries: The set.
        now_ns: The clock that lifetimes end by [ns].
        changed: Called after each change.
        log: Told each change in one line.
    """

    def __init__(
        self,
        queries: QuerySet,
        now_ns: Callable[[], int],
        changed: Callable[[], None],
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._queries, self._now_ns, self._changed, self._log = queries, now_ns, changed, log

    def obey(self, command: Command) -> str:
        """Do what was said; a remark about it, or nothing.

        Raises:
            QueryRefused: If it cannot be done; nothing has changed.
        """
        before, _ = self._queries.snapshot()
        query = self._do(command)
        self._changed()
        if self._queries.snapshot()[0] != before:
            self._log(f"page: {_about(command, query)}")
        return query.sentence.shortened if query else ""

    def _do(self, command: Command) -> Query | None:
        if isinstance(command, Ask):
            return self._queries.command(command.text, self._now_ns())
        if isinstance(command, Add):
            return self._queries.add(command.text, 0, self._now_ns())
        self._queries.remove(command.id)
        return None


def _about(command: Command, query: Query | None) -> str:
    if query is not None:
        return f"{query.id} is active: {query.sentence.text!r}"
    return "no sentence any more" if isinstance(command, Ask) else "a sentence was removed"
