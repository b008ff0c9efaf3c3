"""The set of active sentences, shared by the executor (which changes it) and the worker."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from actseg_core.errors import ActSegError
from actseg_core.live.states import State
from actseg_core.types import Sentence

Reader = Callable[[str], Sentence]
LAST_LABEL = 255  # mono8


class QueryRefused(ActSegError):
    """A sentence was not accepted; nothing has changed, and the text says what to do."""


@dataclass(frozen=True)
class Query:
    """One active sentence.

    Attributes:
        id: Given by the set, unique while the node runs.
        sentence: Read and ready for the model.
        created_ns: Node's clock when it was accepted [ns].
        expires_ns: Node's clock when it is dropped by itself [ns]; 0: never.
        number: Counts the sentences since the node's start, from 0.
        label: Its number in `~/label_mask`, 1 to 255; of no other sentence while it is active.
    """

    id: str
    sentence: Sentence
    created_ns: int
    expires_ns: int = 0
    number: int = 0
    label: int = 1


@dataclass(frozen=True)
class QueryState:
    """What the newest frame answered about a sentence."""

    state: State
    confidence: float = 0.0


class QuerySet:
    """Active sentences under a revision number that counts accepted changes.

    Args:
        max_queries: Sentences that may be active at once.
        max_chars: Longest sentence [characters].
    """

    def __init__(self, max_queries: int, max_chars: int) -> None:
        self._max_queries = max_queries
        self._max_chars = max_chars
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # sentences may come from several threads
        self._read: Reader | None = None
        self._queries: tuple[Query, ...] = ()
        self._states: dict[str, QueryState] = {}
        self._made = 0
        self._last_label = 0
        self._revision = 0

    def set_limits(self, max_queries: int, max_chars: int) -> None:
        """Limits for sentences that come from now on; those that are active stay."""
        with self._lock:
            self._max_queries, self._max_chars = max_queries, max_chars

    def attach(self, read: Reader) -> None:
        """Accept sentences from now on; `read` raises ActSegError for those it cannot use."""
        self._read = read

    def detach(self) -> None:
        """Drop all sentences and refuse new ones: the model that read them goes away."""
        self.clear()
        self._read = None

    def snapshot(self) -> tuple[int, tuple[Query, ...]]:
        """The revision and the sentences, in the order in which they were added."""
        with self._lock:
            return self._revision, self._queries

    def command(self, text: str, now_ns: int) -> Query | None:
        """Make `text` the only active sentence, for ever; a text without a letter or digit clears.

        A sentence that is active already keeps its id.

        Returns:
            The active sentence; None: none.

        Raises:
            QueryRefused: If the text cannot be used; the old sentences stay.
        """
        if not any(character.isalnum() for character in text[: self._max_chars + 1]):
            self._check_length(text)
            self.clear()
            return None
        sentence = self._parse(text)
        with self._lock:
            active = [query for query in self._queries if query.sentence.text == text]
            query = (
                replace(active[0], expires_ns=0)
                if active
                else self._make(sentence, now_ns, 0, active=())
            )
            if active and len(self._queries) == 1:
                self._renew(active[0], 0)
            else:
                self._set((query,))
            return query

    def add(self, text: str, lifetime_ns: int, now_ns: int) -> Query:
        """Add one sentence; a sentence that is active keeps its id and renews its lifetime.

        Args:
            text: What to look for.
            lifetime_ns: Dropped by itself after this long [ns]; 0: never.
            now_ns: Node's clock [ns].

        Raises:
            QueryRefused: If the text cannot be used, or as many sentences as allowed are active.
        """
        if lifetime_ns < 0:
            raise QueryRefused(f"lifetime must not be negative, got {lifetime_ns} ns; 0: for ever")
        sentence = self._parse(text)
        expires_ns = now_ns + lifetime_ns if lifetime_ns else 0
        with self._lock:
            for query in self._queries:
                if query.sentence.text == text:
                    return self._renew(query, expires_ns)
            if len(self._queries) >= self._max_queries:
                raise QueryRefused(
                    f"{len(self._queries)} sentences are active, as many as "
                    "stream.max_queries allows; remove one first"
                )
            if len(self._queries) >= LAST_LABEL:
                raise QueryRefused(
                    f"{LAST_LABEL} sentences are active, as many as ~/label_mask (mono8) has "
                    "numbers for; remove one first"
                )
            query = self._make(sentence, now_ns, expires_ns, self._queries)
            self._set((*self._queries, query))
            return query

    def check(self, text: str) -> None:
        """Change nothing.

        Raises:
            QueryRefused: If the text cannot be used.
        """
        self._parse(text)

    def remove(self, query_id: str) -> Query:
        """Drop one sentence.

        Raises:
            QueryRefused: If no sentence has this id.
        """
        with self._lock:
            for query in self._queries:
                if query.id == query_id:
                    self._set(tuple(other for other in self._queries if other is not query))
                    return query
            known = ", ".join(query.id for query in self._queries) or "none"
        raise QueryRefused(f"no sentence has the id {query_id[:40]!r}; active ids: {known}")

    def clear(self) -> int:
        """Drop all sentences; how many there were."""
        with self._lock:
            count = len(self._queries)
            if count:
                self._set(())
            return count

    def expire(self, now_ns: int) -> None:
        """Drop the sentences whose lifetime is over."""
        with self._lock:
            kept = tuple(query for query in self._queries if not 0 < query.expires_ns <= now_ns)
            if len(kept) < len(self._queries):
                self._set(kept)

    def move_lifetimes(self, by_ns: int) -> None:
        """Let lifetimes end so much later [ns], because the clock that they end by was set."""
        with self._lock:
            self._queries = tuple(
                replace(query, expires_ns=query.expires_ns + by_ns) if query.expires_ns else query
                for query in self._queries
            )

    @contextmanager
    def holding(self, revision: int) -> Iterator[bool]:
        """Keep the set from changing; the value says whether `revision` is still in force.

        What is published inside is published before any later change is acknowledged.
        """
        with self._lock:
            yield revision == self._revision

    def report(self, states: dict[str, QueryState]) -> None:
        """Note what the newest frame answered, by id."""
        with self._lock:
            self._states = states

    def state_of(self, query_id: str, otherwise: State) -> QueryState:
        """What the newest frame answered about a sentence."""
        with self._lock:
            return self._states.get(query_id, QueryState(otherwise))

    def _parse(self, text: str) -> Sentence:
        self._check_length(text)
        read = self._read
        if read is None:
            raise QueryRefused("no model is loaded to read a sentence; configure the node first")
        try:
            with self._reading:
                return read(text)
        except ActSegError as error:
            raise QueryRefused(str(error)) from error

    def _check_length(self, text: str) -> None:
        if len(text) > self._max_chars:
            raise QueryRefused(
                f"a sentence may have {self._max_chars} characters, got {len(text)}; shorten it "
                "or raise stream.max_sentence_chars"
            )

    def _make(
        self, sentence: Sentence, now_ns: int, expires_ns: int, active: tuple[Query, ...]
    ) -> Query:
        """A label comes back as late as can be: who still has its last owner's pixels must not
        take them for the new one's."""
        self._made += 1
        taken = {query.label for query in active}
        label = self._last_label % LAST_LABEL + 1
        while label in taken:
            label = label % LAST_LABEL + 1
        self._last_label = label
        return Query(f"q{self._made}", sentence, now_ns, expires_ns, self._made - 1, label)

    def _renew(self, query: Query, expires_ns: int) -> Query:
        """No change of the set of sentences, hence no new revision."""
        renewed = replace(query, expires_ns=expires_ns)
        self._queries = tuple(renewed if other is query else other for other in self._queries)
        return renewed

    def _set(self, queries: tuple[Query, ...]) -> None:
        self._queries = queries
        self._revision += 1
        known = {query.id for query in queries}
        self._states = {name: state for name, state in self._states.items() if name in known}
