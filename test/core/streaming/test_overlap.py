"""Two threads give what one gives, in order, and end cleanly."""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from actseg_core.errors import ShapeError
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.overlap import answers
from actseg_core.types import Frame

Make = Callable[..., StreamingEngine]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [item for item in threading.enumerate() if item.name == "actseg_push"]


def frames(camera: Any, count: int) -> Iterator[Frame]:
    """With a gap, so that a reset happens on the way."""
    for index in range(count):
        yield camera(index if index < 12 else index + 100)


@pytest.mark.parametrize(
    "changes", [{}, {"mask_frame": "newest", "stride_frames": 3}], ids=["labelled", "moved"]
)
def test_overlapped_answers_are_those_of_taking_turns(
    small_predictor: Predictor, camera: Any, make_engine: Make, changes: dict[str, Any]
) -> None:
    alone, both = make_engine(small_predictor, **changes), make_engine(small_predictor, **changes)
    seen = 0
    for (frame, ours), theirs in zip(
        answers(both, frames(camera, 26)), frames(camera, 26), strict=True
    ):
        alone.push(theirs)
        expected = alone.answer()
        assert frame.sequence == theirs.sequence and ours.keys() == expected.keys()
        for name, result in ours.items():
            seen += 1
            assert result.stamp_ns == expected[name].stamp_ns
            assert result.computed_stamp_ns == expected[name].computed_stamp_ns
            assert result.confidence == pytest.approx(expected[name].confidence, abs=1e-5)
            np.testing.assert_array_equal(result.mask, expected[name].mask)
    assert seen == 5 + 7 and both.resets == 1


def test_a_bad_frame_is_raised_after_the_frames_before_it(
    small_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(small_predictor, max_pixels=5000)
    bad = Frame(np.zeros((100, 100, 3), np.uint8), 10**9)
    stream = answers(engine, itertools.chain(frames(camera, 3), [bad], frames(camera, 3)))
    taken = []
    with pytest.raises(ShapeError, match="outside the limit"):
        taken.extend(frame.sequence for frame, _ in stream)
    taken_before = [0, 1, 2]
    assert taken in (taken_before, [])  # extend keeps nothing of a generator that raised


def test_an_error_of_the_source_reaches_the_caller(
    small_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    def broken() -> Iterator[Frame]:
        yield from frames(camera, 2)
        raise OSError("cable pulled")

    stream = answers(make_engine(small_predictor), broken())
    assert [next(stream)[0].sequence, next(stream)[0].sequence] == [0, 1]
    with pytest.raises(OSError, match="cable pulled"):
        next(stream)


def test_an_error_of_an_answer_ends_the_thread(
    small_predictor: Predictor, camera: Any, make_engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(small_predictor)

    def fail(*_: Any) -> None:
        raise RuntimeError("no answer")

    monkeypatch.setattr(small_predictor, "respond", fail)
    with pytest.raises(RuntimeError, match="no answer"):
        for _ in answers(engine, frames(camera, 10**6)):
            pass


def test_leaving_early_ends_the_thread_and_reads_only_a_few_frames_ahead(
    small_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    read = []

    def endless() -> Iterator[Frame]:
        for index in itertools.count():
            read.append(index)
            yield camera(index)

    stream = answers(make_engine(small_predictor), endless(), ahead=2)
    for _ in range(3):
        next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert len(read) <= 3 + 2 + 2  # taken, in the queue, in hand and being fetched


def test_no_frames_no_answers(small_predictor: Predictor, make_engine: Make) -> None:
    assert list(answers(make_engine(small_predictor), [])) == []
