"""The set of active sentences and its revision."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S

from actseg_core.live.queries import QueryRefused, QuerySet, QueryState
from actseg_core.live.states import State
from actseg_core.types import Sentence

Read = Callable[[str], Sentence]


@pytest.fixture
def queries(read: Read) -> QuerySet:
    made = QuerySet(max_queries=2, max_chars=20)
    made.attach(read)
    return made


def texts(queries: QuerySet) -> list[str]:
    return [query.sentence.text for query in queries.snapshot()[1]]


def test_a_command_replaces_everything(queries: QuerySet) -> None:
    queries.add("the dog", 0, 1)
    queries.command("the cat", 2)
    assert texts(queries) == ["the cat"]
    assert queries.snapshot()[0] == 2


@pytest.mark.parametrize("text", ["", "   ", "\n", "?!", "…", "\x00"])
def test_a_command_without_letters_clears(queries: QuerySet, text: str) -> None:
    queries.command("the dog", 0)
    queries.command(text, 1)
    assert texts(queries) == []
    assert queries.snapshot()[0] == 2


def test_the_same_command_again_changes_nothing(queries: QuerySet) -> None:
    queries.command("the dog", 0)
    queries.command("the dog", 5)
    revision, (query,) = queries.snapshot()
    assert (revision, query.id, query.created_ns) == (1, "q1", 0)


def test_a_long_command_is_refused_and_the_old_one_kept(queries: QuerySet) -> None:
    queries.command("the dog", 0)
    for text in ("d" * 21, " " * 21, "d" * 10_000_000):
        with pytest.raises(QueryRefused, match=r"may have 20 characters, got \d+; shorten it"):
            queries.command(text, 1)
    assert texts(queries) == ["the dog"]
    assert queries.snapshot()[0] == 1


def test_the_readers_refusal_is_passed_on(queries: QuerySet) -> None:
    with pytest.raises(QueryRefused, match="undecodable characters; send UTF-8"):
        queries.command("a \ufffd", 0)


def test_without_a_model_sentences_are_refused() -> None:
    with pytest.raises(QueryRefused, match="configure the node first"):
        QuerySet(1, 20).command("the dog", 0)


def test_more_sentences_than_allowed_are_refused(queries: QuerySet) -> None:
    queries.add("a", 0, 0)
    queries.add("b", 0, 0)
    with pytest.raises(QueryRefused, match=r"2 sentences are active, .*max_queries.*; remove one"):
        queries.add("c", 0, 0)


def test_adding_an_active_sentence_keeps_its_id_and_renews_its_life(queries: QuerySet) -> None:
    first = queries.add("a", 10, 0)
    again = queries.add("a", 10, 5)
    assert (again.id, again.expires_ns) == (first.id, 15)
    assert queries.snapshot()[0] == 1


def test_a_command_lives_for_ever_even_where_the_same_sentence_was_to_expire(
    queries: QuerySet,
) -> None:
    added = queries.add("a dog", 10, 0)
    queries.add("a cat", 0, 0)
    kept = queries.command("a dog", 5)
    assert kept is not None
    assert (kept.id, kept.expires_ns) == (added.id, 0)
    queries.expire(1_000)
    assert texts(queries) == ["a dog"]


def test_a_command_equal_to_the_only_sentence_ends_its_lifetime_without_a_new_revision(
    queries: QuerySet,
) -> None:
    queries.add("a dog", 10, 0)
    queries.command("a dog", 5)
    queries.expire(1_000)
    revision, (query,) = queries.snapshot()
    assert (revision, query.id, query.expires_ns) == (1, "q1", 0)


def test_ids_are_never_used_again(queries: QuerySet) -> None:
    first = queries.add("a", 0, 0)
    queries.remove(first.id)
    assert queries.add("a", 0, 0).id == "q2"


def test_removing_an_unknown_id_names_the_known_ones(queries: QuerySet) -> None:
    queries.add("a", 0, 0)
    with pytest.raises(QueryRefused, match="no sentence has the id 'q9'; active ids: q1"):
        queries.remove("q9")


def test_a_sentence_expires_at_its_time(queries: QuerySet) -> None:
    queries.add("a", 10, 100)
    queries.add("b", 0, 100)
    queries.expire(109)
    assert texts(queries) == ["a", "b"]
    queries.expire(110)
    assert texts(queries) == ["b"]


def test_a_negative_lifetime_is_refused(queries: QuerySet) -> None:
    with pytest.raises(QueryRefused, match="lifetime must not be negative"):
        queries.add("a", -1, 0)


def test_a_change_waits_until_a_publication_is_through(queries: QuerySet) -> None:
    queries.command("the dog", 0)
    order: list[str] = []

    def change() -> None:
        queries.command("the cat", 1)
        order.append("acknowledged")

    with queries.holding(1) as in_force:
        assert in_force
        thread = threading.Thread(target=change)
        thread.start()
        time.sleep(0.05)
        order.append("published")
    thread.join(PATIENCE_S)
    assert order == ["published", "acknowledged"]
    with queries.holding(1) as in_force:
        assert not in_force


def test_states_of_dropped_sentences_are_forgotten(queries: QuerySet) -> None:
    query = queries.add("a", 0, 0)
    queries.report({query.id: QueryState(State.FOUND, 0.5)})
    assert queries.state_of(query.id, State.IDLE).confidence == 0.5
    queries.clear()
    assert queries.state_of(query.id, State.IDLE) == QueryState(State.IDLE)


@given(steps=st.lists(st.tuples(st.sampled_from("acrx"), st.sampled_from("abc")), max_size=30))
def test_the_revision_rises_exactly_when_the_set_changes(steps: list[tuple[str, str]]) -> None:
    queries = QuerySet(2, 20)
    queries.attach(lambda text: Sentence(text, (text,), (), np.zeros((2, 2), np.float32)))
    for kind, text in steps:
        before = queries.snapshot()
        try:
            if kind == "a":
                queries.add(text, 0, 0)
            elif kind == "c":
                queries.command(text, 0)
            elif kind == "r" and before[1]:
                queries.remove(before[1][0].id)
            elif kind == "x":
                queries.clear()
        except QueryRefused:
            assert kind == "a"
        after = queries.snapshot()
        assert (after[0] - before[0]) == (after[1] != before[1])


def test_other_limits_hold_for_new_sentences_only(queries: QuerySet) -> None:
    queries.add("a dog", 0, 0)
    queries.set_limits(max_queries=1, max_chars=4)
    assert texts(queries) == ["a dog"]
    with pytest.raises(QueryRefused, match="may have 4 characters, got 5"):
        queries.add("a cat", 0, 0)
    with pytest.raises(QueryRefused, match="1 sentences are active"):
        queries.add("cat", 0, 0)


def test_numbers_count_and_are_never_used_again(queries: QuerySet) -> None:
    first = queries.add("a dog", 0, 0)
    queries.remove(first.id)
    second = queries.add("a dog", 0, 0)
    assert [(item.id, item.number) for item in (first, second)] == [("q1", 0), ("q2", 1)]
