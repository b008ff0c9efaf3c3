"""What comes over both command subscriptions is taken once."""

from actseg_ros.commands import WRITERS_REMEMBERED, Duplicates


def test_a_sample_is_new_once() -> None:
    seen = Duplicates()
    assert [seen.is_new(b"a", 5), seen.is_new(b"a", 5), seen.is_new(b"a", 6)] == [
        True,
        False,
        True,
    ]


def test_an_older_sample_of_the_same_writer_is_not_new() -> None:
    seen = Duplicates()
    assert seen.is_new(b"a", 6)
    assert not seen.is_new(b"a", 5)


def test_writers_do_not_hide_each_other() -> None:
    seen = Duplicates()
    assert seen.is_new(b"a", 6)
    assert seen.is_new(b"b", 5)


def test_long_gone_writers_are_forgotten() -> None:
    seen = Duplicates()
    for number in range(WRITERS_REMEMBERED + 10):
        seen.is_new(str(number).encode(), 1)
    assert len(seen._newest) == WRITERS_REMEMBERED
    assert not seen.is_new(str(WRITERS_REMEMBERED).encode(), 1)
