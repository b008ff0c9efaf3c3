"""The numbers that sentences have in label_mask."""

from typing import Any

import pytest

from actseg_core.live.queries import QueryRefused, QuerySet


@pytest.fixture
def queries(read: Any) -> QuerySet:
    made = QuerySet(256, 100)
    made.attach(read)
    return made


def labels(queries: QuerySet) -> dict[str, int]:
    return {query.sentence.text: query.label for query in queries.snapshot()[1]}


def test_a_sentence_keeps_its_number_while_others_come_and_go(queries: QuerySet) -> None:
    first = queries.add("a dog", 0, 0)
    queries.add("a cat", 0, 0)
    queries.remove(first.id)
    queries.add("a bird", 0, 0)
    queries.add("a cat", 10, 0)
    assert labels(queries) == {"a cat": 2, "a bird": 3}


def test_a_number_that_gets_free_is_given_again_as_late_as_can_be(queries: QuerySet) -> None:
    queries.add("stays", 0, 0)
    for count in range(254):
        queries.remove(queries.add(f"dog {count}", 0, 0).id)
    # 2 to 255 have been given; 1 is still taken.
    assert queries.add("a cat", 0, 0).label == 2


def test_a_command_that_replaces_all_gets_another_number(queries: QuerySet) -> None:
    queries.command("a dog", 0)
    queries.command("a cat", 0)
    assert labels(queries) == {"a cat": 2}


def test_the_256th_sentence_is_refused_and_the_others_stay(queries: QuerySet) -> None:
    for count in range(255):
        queries.add(f"dog {count}", 0, 0)
    assert sorted(labels(queries).values()) == list(range(1, 256))
    with pytest.raises(QueryRefused, match=r"255 sentences are active.*remove one first"):
        queries.add("one more", 0, 0)
    assert len(labels(queries)) == 255
    assert queries.command("only this", 0) is not None
