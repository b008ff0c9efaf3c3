"""Order of samples, random numbers per sample, damaged data."""

import pytest

from actseg_core.datasets.samples import BadData, sample_order, sample_rng
from actseg_core.errors import ConfigError, DatasetError, VideoError


def test_the_order_is_a_permutation_that_seed_and_epoch_decide() -> None:
    order = sample_order(50, seed=3, epoch=1).tolist()
    assert sorted(order) == list(range(50))
    assert order == sample_order(50, seed=3, epoch=1).tolist()
    assert order != sample_order(50, seed=3, epoch=2).tolist()
    assert order != sample_order(50, seed=4, epoch=1).tolist()


def test_every_sample_of_every_epoch_has_its_own_random_numbers() -> None:
    draws = {
        (seed, epoch, index): sample_rng(seed, epoch, index).random()
        for seed in (0, 1)
        for epoch in (0, 1)
        for index in range(5)
    }
    assert len(set(draws.values())) == 20
    assert draws[1, 0, 3] == sample_rng(1, 0, 3).random()


def test_bad_data_is_an_error_unless_it_is_to_be_skipped(caplog) -> None:
    with pytest.raises(DatasetError, match="broken"), BadData(skip=False).tolerated():
        raise DatasetError("broken")
    bad = BadData(skip=True)
    for error in (DatasetError("one.h5"), VideoError("two.mp4")):
        with bad.tolerated():
            raise error
    assert bad.messages == ["one.h5", "two.mp4"]
    assert len(bad) == 2
    assert "left out: two.mp4" in caplog.text


def test_a_wrong_setting_is_never_skipped() -> None:
    with pytest.raises(ConfigError), BadData(skip=True).tolerated():
        raise ConfigError("frames")
