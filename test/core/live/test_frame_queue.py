"""The newest frames win, and nothing is lost without being counted."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S

from actseg_core.live.frame_queue import Arrival, FrameQueue


def arrival(number: int) -> Arrival:
    return Arrival(number, float(number), number)


def test_a_full_queue_drops_the_oldest() -> None:
    queue = FrameQueue(2)
    for number in range(5):
        queue.put(arrival(number))
    assert [queue.get(0).message, queue.get(0).message] == [3, 4]
    assert queue.get(0) is None
    assert (queue.received, queue.dropped) == (5, 3)


def test_whoever_skips_gets_the_newest_frame_of_a_full_queue() -> None:
    queue = FrameQueue(3)
    for number in range(2):
        queue.put(arrival(number))
    assert queue.get(0, skip=True).message == 0
    for number in range(2, 4):
        queue.put(arrival(number))
    assert queue.get(0, skip=True).message == 3
    assert (queue.received, queue.dropped, len(queue)) == (4, 2, 0)


def test_wake_ends_a_wait_without_a_frame() -> None:
    queue = FrameQueue(1)
    got: list[Arrival | None] = []
    thread = threading.Thread(target=lambda: got.append(queue.get(1e6)), daemon=True)
    thread.start()
    time.sleep(0.05)
    queue.wake()
    thread.join(PATIENCE_S)
    assert got == [None]


def test_a_wake_before_the_wait_is_not_lost() -> None:
    queue = FrameQueue(1)
    queue.wake()
    thread = threading.Thread(target=queue.get, args=(1e6,), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_whoever_takes_the_frames_is_told_of_each() -> None:
    lengths: list[int] = []
    queue = FrameQueue(2, lambda: lengths.append(len(queue)))
    for number in range(3):
        queue.put(arrival(number))
    assert lengths == [1, 2, 2]


def test_the_rate_counts_dropped_frames_too() -> None:
    queue = FrameQueue(1)
    for number in range(11):
        queue.put(Arrival(None, number * 0.1, 0))
    assert round(queue.rate_hz(1.0), 6) == 10.0
    assert queue.last_received_s == 1.0


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 5))
def test_received_is_taken_plus_dropped_plus_waiting(puts: list[bool], capacity: int) -> None:
    queue, taken = FrameQueue(capacity), []
    for number, is_put in enumerate(puts):
        if is_put:
            queue.put(arrival(number))
        elif (item := queue.get(0)) is not None:
            taken.append(item.message)
        assert len(queue) <= capacity
        assert queue.received == len(taken) + queue.dropped + len(queue)
    assert taken == sorted(taken)
    queue.drop_all()
    assert queue.received == len(taken) + queue.dropped


def test_a_queue_made_smaller_drops_the_oldest_and_counts_them() -> None:
    queue = FrameQueue(4)
    for number in range(4):
        queue.put(arrival(number))
    queue.resize(1)
    assert (len(queue), queue.dropped, queue.get(0).message) == (1, 3, 3)
    queue.resize(2)
    for number in range(4, 7):
        queue.put(arrival(number))
    assert [queue.get(0).message, queue.get(0).message] == [5, 6]
