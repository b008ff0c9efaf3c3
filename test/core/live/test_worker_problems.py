"""Silence, damage, wrong stamps, a failing model, too much load: told, counted, survived."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE_S

from actseg_core.live.camera_task import HEARTBEAT_S
from actseg_core.live.frame_checks import StampGate
from actseg_core.live.states import State

Eventually = Callable[..., None]


def test_before_any_frame_the_camera_is_missed(start: Any, eventually: Eventually) -> None:
    bench = start()
    eventually(lambda: bench.published.state is State.STALE_INPUT)
    assert "no image since activation" in bench.published.beats[-1][1].detail
    assert [report.state for report in bench.published.reports] == [State.STALE_INPUT]


def test_silence_is_stale_and_old_frames_are_forgotten(start: Any, eventually: Eventually) -> None:
    bench = start(stale_after_s=0.2)
    bench.command("the dog")
    bench.feed(3)
    eventually(bench.answers)
    eventually(lambda: bench.published.state is State.STALE_INPUT)
    assert bench.published.reports[-1].state is State.STALE_INPUT
    assert bench.engine.last_reset == "the camera is silent"
    assert bench.engine.filled == 0


def test_a_silent_camera_never_brings_an_old_mask_back(start: Any, eventually: Eventually) -> None:
    bench = start(stale_after_s=0.2)
    bench.command("the dog")
    bench.feed(3)
    eventually(lambda: bench.published.state is State.STALE_INPUT)
    count = len(bench.answers())
    stamps = bench.feed(3)
    eventually(lambda: len(bench.answers()) == count + 1)
    assert bench.answers()[-1].answers["q1"].window_start_ns == stamps[0]


def test_an_unusable_frame_is_counted_named_and_survived(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("the dog")
    bench.feed(3)
    bench.task.offer(bench.message(picture=None))
    eventually(lambda: bench.published.state is State.BAD_INPUT)
    assert "encoding 'what' is not known" in bench.published.beats[-1][1].detail
    count = len(bench.answers())
    bench.feed(1)
    eventually(lambda: bench.published.state is State.FOUND)
    assert len(bench.answers()) == count + 1
    assert bench.published.beats[-1][1].rejected == 1


def test_a_frame_the_engine_refuses_is_bad_input(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.task.offer(bench.message(picture=np.zeros((1001, 4, 3), np.uint8)))
    eventually(lambda: bench.published.state is State.BAD_INPUT)


@pytest.mark.parametrize("offset_ns", [-3600 * 10**9, 10 * 10**9])
def test_a_stamp_far_from_now_is_bad_time(
    start: Any, eventually: Eventually, offset_ns: int
) -> None:
    bench = start()
    bench.task.offer(bench.message(time.time_ns() + offset_ns))
    eventually(lambda: bench.published.state is State.BAD_TIME)


def test_repeated_stamps_are_bad_time_and_give_no_second_mask(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("the dog")
    stamps = bench.feed(3)
    eventually(bench.answers)
    bench.task.offer(bench.message(stamps[-1]))
    eventually(lambda: bench.published.state is State.BAD_TIME)
    assert len(bench.answers()) == 1


def test_a_failing_model_is_told_and_tried_again(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("boom")
    bench.feed(3)
    eventually(lambda: bench.published.state is State.MODEL_ERROR)
    assert "RuntimeError: the network fell over" in bench.published.beats[-1][1].detail
    assert any("Traceback" in text for _, text in bench.published.faults)
    bench.command("the dog")
    bench.feed(3)
    eventually(lambda: bench.published.state is State.FOUND)


def test_a_confidence_that_is_not_a_number_is_a_model_error(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("nan")
    bench.feed(3)
    eventually(lambda: bench.published.state is State.MODEL_ERROR)
    assert not bench.answers()


def test_a_failing_publisher_does_not_end_the_worker(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.feed(3)
    bench.published.fail = True
    bench.command("the dog")
    eventually(lambda: bench.published.faults)
    bench.published.fail = False
    bench.feed(6)
    eventually(bench.answers)


def test_a_mask_that_is_too_old_is_withheld(start: Any, eventually: Eventually) -> None:
    bench = start(max_age_s=0.03)
    bench.gate = bench.task._gate = StampGate(60.0, 0.2)
    bench.command("slow dog")
    bench.feed(4)
    eventually(lambda: State.OVERLOADED in [health.state for _, health in bench.published.beats])
    assert not bench.answers()
    assert "stream.max_age_s allows 0.03 s" in bench.published.faults[0][1]


def test_under_load_the_newest_frame_wins_and_drops_are_counted(
    start: Any, eventually: Eventually
) -> None:
    bench = start(queue_frames=2)
    bench.command("a dog")
    bench.feed(2)
    with bench.held() as at_work:
        bench.task.offer(bench.message())
        assert at_work.wait(PATIENCE_S)
        for _ in range(40):
            last = bench.message()
            bench.task.offer(last)
    eventually(
        lambda: bench.answers() and bench.answers()[-1].answers["q1"].stamp_ns == last.stamp_ns
    )

    def all_counted() -> bool:
        health = bench.published.beats[-1][1]
        return health.processed + health.dropped + health.rejected == health.received == 43

    eventually(all_counted)
    assert bench.published.beats[-1][1].dropped == 38


def test_the_heartbeat_goes_on_while_nothing_happens(start: Any, eventually: Eventually) -> None:
    bench = start()
    eventually(lambda: len(bench.published.beats) >= 6)
    gaps = np.diff([at for at, _ in bench.published.beats[:6]])
    assert np.median(gaps) > HEARTBEAT_S / 2, "one beat a period, however late"


def test_the_heartbeat_does_not_wait_for_the_answer_to_a_frame_that_took_long(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = start()
    bench.command("the dog")
    push, answer = bench.engine.push, bench.engine.answer
    pushed, answered = [], []

    def slow_push(frame: Any) -> None:
        push(frame)
        time.sleep(1.2 * HEARTBEAT_S)
        pushed.append(len(bench.published.beats))

    def slow_answer() -> Any:
        answered.append(len(bench.published.beats))
        time.sleep(1.2 * HEARTBEAT_S)
        return answer()

    monkeypatch.setattr(bench.engine, "push", slow_push)
    monkeypatch.setattr(bench.engine, "answer", slow_answer)
    bench.feed(5)
    assert len(answered) == 3  # the window of three frames is full with the third
    for before, after in zip(pushed[2:], answered, strict=True):
        assert after > before, "a heartbeat between the stages of one frame"


def test_a_jump_of_the_clock_empties_the_window(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("the dog")
    bench.feed(3)
    eventually(bench.answers)
    bench.task.clock_jumped()
    eventually(lambda: bench.published.state is State.WARMING_UP)
    assert bench.engine.last_reset == "the node's clock was set"


def test_after_a_jump_of_the_clock_stamps_may_come_again(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("the dog")
    stamps = bench.feed(3)
    eventually(bench.answers)
    bench.task.clock_jumped()
    eventually(lambda: bench.published.state is State.WARMING_UP)
    assert bench.published.forgotten == 1
    for stamp_ns in stamps:
        bench.offer(bench.message(stamp_ns))
    eventually(lambda: len(bench.answers()) == 2)
    assert [item.answers["q1"].stamp_ns for item in bench.answers()] == [stamps[2], stamps[2]]


def test_a_camera_whose_clock_was_set_back_lets_stamps_begin_anew(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.feed(1)
    first_ns = time.time_ns() - 10 * 10**9
    for number in range(5):
        assert bench.published.forgotten == 0
        bench.offer(bench.message(first_ns + number))
    eventually(lambda: bench.published.forgotten == 1)


def test_stop_ends_the_thread_and_counts_what_waited(start: Any) -> None:
    bench = start()
    assert bench.worker.stop(PATIENCE_S)
    bench.task.offer(bench.message())
    reports = len(bench.published.reports)
    time.sleep(0.05)
    assert len(bench.published.reports) == reports


def test_a_worker_that_was_stopped_while_it_hung_says_nothing_any_more(
    start: Any, engine: Any, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = start()
    bench.command("the dog")
    bench.feed(2)
    held, go_on = threading.Event(), threading.Event()
    answer = engine.answer

    def hang() -> Any:
        held.set()
        go_on.wait(PATIENCE_S)
        return answer()

    monkeypatch.setattr(engine, "answer", hang)
    bench.task.offer(bench.message())
    assert held.wait(PATIENCE_S)
    assert not bench.worker.stop(0.1)
    said = len(bench.published.reports), len(bench.published.beats)
    go_on.set()
    assert bench.worker.stop(PATIENCE_S)
    assert (len(bench.published.reports), len(bench.published.beats)) == said


def test_problems_are_counted_and_the_last_is_kept(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.feed(1)
    for _ in range(2):
        bench.task.offer(bench.message(picture=None))
        eventually(lambda: bench.done == bench.task.frames.received)
    bench.feed(1)
    eventually(lambda: bench.published.beats[-1][1].processed == 2)
    health = bench.published.beats[-1][1]
    assert (health.state, health.problems) == (State.IDLE, 2)
    assert health.last_problem.startswith("BAD_INPUT: encoding 'what' is not known")
    assert health.window.startswith("2 of 3 frames")
    assert set(health.stages_ms) >= {"waiting", "decoding", "window", "network", "publishing"}
