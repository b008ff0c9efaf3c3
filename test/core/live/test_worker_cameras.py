"""Several cameras on one worker: turns are fair, and what befalls one stays with it."""

import threading
from collections.abc import Callable
from typing import Any

from patience import PATIENCE_S

from actseg_core.live.states import State

Eventually = Callable[..., None]


def test_frames_that_wait_are_taken_in_turns(
    work: Any, order: list[str], eventually: Eventually
) -> None:
    front, rear = work("front", "rear", begin=False)
    front.send(4)
    rear.send(2)
    front.worker.start()
    eventually(lambda: len(order) == 6)
    assert order == ["front", "rear", "front", "rear", "front", "front"]


def test_a_flood_of_one_camera_keeps_no_frame_of_another_from_its_turn(
    work: Any, order: list[str], eventually: Eventually
) -> None:
    front, rear = work("front", "rear")
    front.command("the slow dog")
    ended = threading.Event()

    def flood() -> None:
        while not ended.wait(0.002):
            front.send(1)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        eventually(lambda: len(front.answers()) > 2)
        for number in range(5):
            rear.send(1)
            sent = len(order)  # or a little less, if this thread was held up
            eventually(lambda number=number: order.count("rear") == number + 1)
            taken = [turn for turn, name in enumerate(order) if name == "rear"][-1]
            # One turn of the other may have begun, and in it one frame was taken.
            assert taken - sent <= 2, order[sent:]
    finally:
        ended.set()
        thread.join(PATIENCE_S)


def test_each_camera_answers_its_own_sentences_about_its_own_frames(
    work: Any, eventually: Eventually
) -> None:
    front, rear = work("front", "rear")
    front.command("the dog")
    rear.command("nobody, absent")
    front.send(3)
    rear.send(3)
    eventually(lambda: front.answers() and rear.answers())
    assert front.published.state is State.FOUND
    assert rear.published.state is State.NOT_FOUND
    stamps = {item.stamp_ns for item in front.engine.window}
    assert {item.stamp_ns for item in front.answers()[-1].answers.values()} <= stamps
    assert not stamps & {item.stamp_ns for item in rear.engine.window}


def test_a_camera_that_falls_silent_is_told_and_the_other_goes_on(
    work: Any, eventually: Eventually
) -> None:
    front, rear = work("front", "rear", stale_after_s=0.3, slow_camera_intervals=0.0)
    front.command("the dog")
    rear.command("the dog")
    front.send(3)
    eventually(front.answers)

    def go_on_until(holds: Callable[[], bool]) -> None:
        def sent() -> bool:
            rear.send(1)
            return holds()

        eventually(sent)

    go_on_until(lambda: front.published.state is State.STALE_INPUT)
    answered = len(rear.answers())
    go_on_until(lambda: len(rear.answers()) > answered + 3)
    assert front.published.state is State.STALE_INPUT
    assert rear.published.state is State.FOUND


def test_a_model_that_fails_for_one_camera_pauses_that_one_alone(
    work: Any, eventually: Eventually
) -> None:
    front, rear = work("front", "rear")
    front.command("boom")
    rear.command("the dog")
    front.send(3)
    eventually(lambda: front.published.faults)
    rear.send(3)
    eventually(rear.answers)
    assert [state for state, _ in rear.published.faults] == []
    assert front.published.faults[0][0] is State.MODEL_ERROR
    assert front.published.state is State.MODEL_ERROR


def test_a_publisher_that_fails_in_anothers_turn_is_its_own_cameras_fault(
    work: Any, eventually: Eventually
) -> None:
    front, rear = work("front", "rear")
    rear.command("the dog")

    def broken(_health: Any) -> None:
        raise OSError("no memory")

    front.published.health = broken
    rear.send(3)
    eventually(rear.answers)
    assert rear.published.faults == []
    eventually(lambda: front.published.faults)
    assert "no memory" in front.published.faults[0][1]


def test_heartbeats_of_all_cameras_go_on_between_the_stages_of_one(
    work: Any, eventually: Eventually
) -> None:
    front, rear = work("front", "rear", begin=False)
    push, told = front.engine.push, []

    def slow_push(frame: Any) -> None:
        told.append(len(rear.published.beats))
        push(frame)

    front.engine.push = slow_push
    front.send(1)
    front.worker.start()
    eventually(lambda: told)
    assert told == [1]  # after the picture was decoded, although the other had no turn yet


def test_a_worker_that_was_stopped_has_counted_what_waited_at_every_camera(work: Any) -> None:
    front, rear = work("front", "rear", begin=False)
    front.send(2)
    rear.send(3)
    front.worker._stopping.set()
    front.worker.start()
    assert front.worker.stop(PATIENCE_S)
    assert (front.task.frames.dropped, rear.task.frames.dropped) == (2, 3)
