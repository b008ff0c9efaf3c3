from itertools import zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.datasets.samples import sample_order
from actseg_core.training.batches import StepSampler

COUNTS = st.integers(1, 30)


@settings(max_examples=100, deadline=None)
@given(count=COUNTS, world=st.integers(1, 4), own=st.integers(1, 40), seed=st.integers(0, 99))
def test_processes_together_draw_what_one_draws(
    count: int, world: int, own: int, seed: int
) -> None:
    alone = list(StepSampler(count, seed, own * world))
    parts = [list(StepSampler(count, seed, own, rank, world)) for rank in range(world)]
    assert [draw for step in zip(*parts, strict=True) for draw in step] == alone


@settings(max_examples=100, deadline=None)
@given(count=COUNTS, own=st.integers(1, 60), data=st.data())
def test_it_goes_on_where_it_stopped(count: int, own: int, data: st.DataObject) -> None:
    whole = StepSampler(count, 7, own)
    rest = StepSampler(count, 7, own)
    rest.done = data.draw(st.integers(0, own))
    assert list(rest) == list(whole)[rest.done :]
    assert len(rest) == len(whole) == own


def test_every_pass_shows_each_sample_once_in_an_order_of_its_own() -> None:
    draws = list(StepSampler(5, seed=2, own=12))
    assert [epoch for epoch, _ in draws] == [0] * 5 + [1] * 5 + [2] * 2
    for epoch in (0, 1, 2):
        seen = [index for number, index in draws if number == epoch]
        order = sample_order(5, 2, epoch).tolist()
        assert all(
            one == other for one, other in zip_longest(seen, order[: len(seen)], fillvalue=None)
        )
    assert draws[:5] != [(0, index) for _, index in draws[5:10]]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_depends_on_the_seed(seed: int) -> None:
    assert list(StepSampler(20, seed, 20)) != list(StepSampler(20, seed + 1, 20))
