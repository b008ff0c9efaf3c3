"""What is answered, with which stamps, and what a change of the sentences means."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE_S

from actseg_core.config import StreamConfig
from actseg_core.live.states import State

Eventually = Callable[..., None]


def test_frames_without_a_sentence_are_idle(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.feed()
    eventually(lambda: bench.published.state is State.IDLE)


def test_a_sentence_warms_up_and_is_then_answered_with_the_frames_own_stamps(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("the dog")
    stamps = bench.feed(5)
    eventually(lambda: len(bench.answers()) == 3)
    assert State.WARMING_UP in [report.state for report in bench.published.reports]
    results = [report.answers["q1"] for report in bench.answers()]
    assert [result.stamp_ns for result in results] == stamps[2:]
    assert {result.frame_id for result in results} == {"cam"}
    assert {report.state for report in bench.answers()} == {State.FOUND}


def test_not_found_is_an_answer(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("the absent dog")
    bench.feed(3)
    eventually(bench.answers)
    assert bench.answers()[0].state is State.NOT_FOUND
    assert not bench.answers()[0].answers["q1"].mask.any()


def test_every_change_is_acknowledged_with_its_revision(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.feed(3)
    for text, state in (("the dog", State.WARMING_UP), ("", State.IDLE)):
        revision = bench.command(text)
        eventually(lambda n=revision: bench.published.reports[-1].revision == n)
        first = next(report for report in bench.published.reports if report.revision == revision)
        assert (first.state, first.answers) == (state, {})


def test_a_change_is_acknowledged_even_if_the_state_stays_the_same(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    eventually(lambda: bench.published.state is State.STALE_INPUT)
    for number in (1, 2, 3):
        bench.command(f"dog {number}")
        eventually(lambda n=number: bench.published.reports[-1].revision == n)
        assert bench.published.reports[-1].state is State.STALE_INPUT


def test_a_window_full_before_the_sentence_is_answered_without_another_frame(
    start: Any, eventually: Eventually
) -> None:
    bench = start(stride_frames=5)
    stamps = bench.feed(3)
    bench.command("the dog")
    eventually(bench.answers)
    assert bench.answers()[0].answers["q1"].stamp_ns == stamps[-1]


def test_a_new_sentence_does_not_wait_for_the_stride(start: Any, eventually: Eventually) -> None:
    bench = start(stride_frames=5)
    bench.command("the dog")
    stamps = bench.feed(4)  # the third, which fills the window, is answered
    bench.command("the cat")
    eventually(lambda: len(bench.answers()) == 2)
    answer = bench.answers()[1]
    assert answer.queries[0].sentence.text == "the cat"
    assert answer.answers["q2"].stamp_ns == stamps[3]


def test_about_a_frame_that_was_answered_a_new_sentence_waits_for_the_next_one(
    start: Any, eventually: Eventually
) -> None:
    bench = start(stride_frames=5)
    bench.command("the dog")
    bench.feed(3)
    eventually(bench.answers)
    bench.command("the cat")
    eventually(lambda: bench.published.reports[-1].revision == 2)
    (stamp,) = bench.feed(1)
    eventually(lambda: len(bench.answers()) == 2)
    assert bench.answers()[1].answers["q2"].stamp_ns == stamp


def test_a_new_sentence_is_not_answered_about_old_frames_and_that_is_no_overload(
    start: Any, eventually: Eventually
) -> None:
    bench = start(stride_frames=5)
    bench.feed(3)
    bench.task._now_ns = lambda: time.time_ns() + 100 * 10**9  # 60 s are allowed
    bench.command("the dog")
    eventually(lambda: bench.published.reports[-1].revision == 1)
    beats = len(bench.published.beats)
    eventually(lambda: len(bench.published.beats) > beats + 2)
    assert not bench.answers()
    assert bench.published.state is State.WARMING_UP
    assert bench.published.faults == []


def test_a_new_sentence_does_not_hide_that_frames_cannot_be_used(
    start: Any, eventually: Eventually
) -> None:
    bench = start(stride_frames=5)
    bench.feed(3)
    bench.task.offer(bench.message(picture=None))
    eventually(lambda: bench.published.state is State.BAD_INPUT)
    bench.command("the dog")
    eventually(lambda: bench.published.reports[-1].revision == 1)
    beats = len(bench.published.beats)
    eventually(lambda: len(bench.published.beats) > beats + 2)
    assert bench.published.state is State.BAD_INPUT
    bench.feed(1)
    eventually(lambda: bench.published.state is State.FOUND)


def test_no_mask_of_an_older_revision_follows_a_change(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("a dog")
    bench.feed(3)
    with bench.held() as at_work:
        bench.task.offer(bench.message())
        assert at_work.wait(PATIENCE_S)
        bench.command("the cat")
        published_before = len(bench.published.reports)
    bench.feed(2)
    eventually(
        lambda: bench.published.reports[-1].answers and bench.published.reports[-1].revision == 2
    )
    later = bench.published.reports[published_before:]
    assert later and {report.revision for report in later} == {2}
    assert {query.sentence.text for report in later for query in report.queries} == {"the cat"}


def test_a_flood_of_commands_is_answered_by_its_last(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.feed(3)
    for number in range(500):
        bench.command(f"dog {number}")
    eventually(lambda: bench.published.reports[-1].revision == 500)
    bench.feed(1)
    eventually(bench.answers)
    assert bench.answers()[-1].queries[0].sentence.text == "dog 499"


def test_with_a_stride_every_third_frame_is_answered(start: Any, eventually: Eventually) -> None:
    bench = start(stride_frames=3)
    bench.command("the dog")
    stamps = bench.feed(9)
    eventually(lambda: len(bench.answers()) == 3)
    answered = [report.answers["q1"].stamp_ns for report in bench.answers()]
    assert answered == [stamps[2], stamps[5], stamps[8]]


def test_one_thread_does_everything(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("the dog")
    bench.feed(3)
    eventually(bench.answers)
    assert len(bench.published.threads) == 1
    assert threading.get_ident() not in bench.published.threads


def test_the_overlay_gets_the_very_frame_that_the_mask_belongs_to(
    engine: Any, start: Any, eventually: Eventually
) -> None:
    engine.delay_frames = 2
    bench = start()
    bench.published.overlay = True
    bench.command("the dog")
    for value in (10, 20, 30, 40):
        bench.feed(picture=np.full((8, 12, 3), value, np.uint8))
    eventually(lambda: len(bench.answers()) == 2)
    shown = [report.image for report in bench.answers()]
    assert [image[0, 0, 0] for image in shown if image is not None] == [10, 20]


def test_without_a_sentence_the_overlay_shows_the_plain_camera(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.published.overlay = True
    stamps = bench.feed(2)
    eventually(lambda: [frame.stamp_ns for frame in bench.published.pictures] == stamps)


def test_a_sentence_ends_by_itself_when_its_life_is_over(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.feed(1)
    now_ns = [1_000]
    bench.task._now_ns = lambda: now_ns[0]
    bench.queries.add("the dog", 200, 1_000)
    bench.task.queries_changed()
    eventually(lambda: bench.published.beats and bench.published.beats[-1][1].query_ids == ("q1",))
    now_ns[0] = 1_200
    eventually(lambda: bench.published.state is State.IDLE)
    assert bench.published.reports[-1].revision == 2


def test_limits_change_between_two_frames(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("the dog")
    bench.feed(3)
    eventually(bench.answers)
    config = StreamConfig(stride_frames=3, stale_after_s=60.0, max_age_s=60.0, queue_frames=9)
    bench.task.reconfigure(config)
    eventually(lambda: bench.engine.config is config)
    before = len(bench.answers())
    stamps = bench.feed(3)
    eventually(lambda: len(bench.answers()) == before + 1)
    assert bench.answers()[-1].answers["q1"].stamp_ns == stamps[-1]


def test_an_engine_that_moves_masks_is_asked_after_every_frame(
    start: Any, engine: Any, eventually: Eventually
) -> None:
    engine.answers_every_frame = True
    bench = start(stride_frames=3)
    bench.command("the dog")
    stamps = bench.feed(6)
    eventually(lambda: len(bench.answers()) == 4)
    assert [item.answers["q1"].stamp_ns for item in bench.answers()] == stamps[2:]


def two_that_wait(bench: Any) -> list[Any]:
    """Two messages that came while the worker was busy with one, after a window of two."""
    bench.feed(2)
    with bench.held() as at_work:
        bench.task.offer(bench.message())
        assert at_work.wait(PATIENCE_S)
        waiting = [bench.message() for _ in range(2)]
        for item in waiting:
            bench.task.offer(item)
    return waiting


def test_an_engine_that_answers_cheaply_answers_each_frame_that_it_takes_in(
    start: Any, engine: Any, eventually: Eventually
) -> None:
    engine.answers_cost_little = True
    bench = start(queue_frames=3)
    bench.command("the dog")
    waiting = two_that_wait(bench)
    eventually(lambda: len(bench.answers()) == 3)
    found = [item.answers["q1"].stamp_ns for item in bench.answers()]
    assert found[1:] == [item.stamp_ns for item in waiting]


def test_an_engine_that_answers_cheaply_goes_on_with_the_newest_of_a_full_queue(
    start: Any, engine: Any, eventually: Eventually
) -> None:
    engine.answers_cost_little = True
    bench = start(queue_frames=2)
    bench.command("the dog")
    waiting = two_that_wait(bench)
    eventually(lambda: len(bench.answers()) == 2)
    assert bench.answers()[-1].answers["q1"].stamp_ns == waiting[-1].stamp_ns
    assert bench.task.frames.dropped == 1


def test_when_the_engine_has_no_answer_any_more_the_state_is_none(
    start: Any, engine: Any, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = start()
    bench.command("the dog")
    bench.feed(3)
    eventually(lambda: bench.published.state is State.FOUND)
    monkeypatch.setattr(engine, "answer", dict)
    bench.feed(1)
    eventually(lambda: bench.published.state is State.WARMING_UP)
    assert not bench.published.reports[-1].answers
