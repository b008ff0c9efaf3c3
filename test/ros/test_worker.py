"""The worker's promises, on a small engine: states, revisions, counters, survival."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actseg_core.config import StreamConfig
from actseg_core.errors import ShapeError
from actseg_core.types import Frame
from actseg_ros.queries import QuerySet
from actseg_ros.reports import Health, Report
from actseg_ros.stamps import StampGate
from actseg_ros.states import State
from actseg_ros.worker import Worker

Eventually = Callable[..., None]
PICTURE = np.zeros((8, 12, 3), np.uint8)


def message(stamp_ns: int | None = None, picture: NDArray[np.uint8] | None = PICTURE) -> Any:
    stamp_ns = time.time_ns() if stamp_ns is None else stamp_ns
    stamp = SimpleNamespace(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=stamp, frame_id="cam"), picture=picture, stamp_ns=stamp_ns
    )


def decode(item: Any) -> NDArray[np.uint8]:
    if item.picture is None:
        raise ShapeError("encoding 'what' is not known; accepted are rgb8")
    picture: NDArray[np.uint8] = item.picture
    return picture


@dataclass
class ListSink:
    """Keeps what would be published, with the thread that did it."""

    reports: list[Report] = field(default_factory=list)
    beats: list[tuple[float, Health]] = field(default_factory=list)
    faults: list[tuple[State, str]] = field(default_factory=list)
    pictures: list[Frame] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    overlay: bool = False
    fail: bool = False

    def wants_image(self) -> bool:
        return self.overlay

    def prepare(self, report: Report) -> Callable[[], None]:
        self.threads.add(threading.get_ident())
        if self.fail:
            raise OSError("the middleware is out of memory")
        return lambda: self.reports.append(report)

    def idle_image(self, frame: Frame) -> None:
        self.pictures.append(frame)

    def health(self, health: Health) -> None:
        self.threads.add(threading.get_ident())
        self.beats.append((time.monotonic(), health))

    def fault(self, state: State, text: str) -> None:
        self.faults.append((state, text))

    @property
    def state(self) -> State | None:
        return self.beats[-1][1].state if self.beats else None


class Bench:
    """A worker with its surroundings."""

    def __init__(self, engine: Any, read: Any, **settings: Any) -> None:
        self.engine, self.sink = engine, ListSink()
        self.config = StreamConfig(**{"stale_after_s": 60.0, "max_age_s": 60.0, **settings})
        self.queries = QuerySet(4, 100)
        self.queries.attach(read)
        self.gate = StampGate(self.config.max_age_s, 0.2)
        self.worker = Worker(
            engine, self.queries, self.sink, decode, self.config, self.gate, time.time_ns
        )

        self.done = 0
        self._count_frames_done()

    def _count_frames_done(self) -> None:
        """The worker asks for the next frame when it is through with the one before."""
        get, in_hand = self.worker.frames.get, [False]

        def counting(timeout_s: float) -> Any:
            self.done += in_hand[0]
            in_hand[0] = False
            arrival = get(timeout_s)
            in_hand[0] = arrival is not None
            return arrival

        self.worker.frames.get = counting  # type: ignore[method-assign]

    def command(self, text: str) -> int:
        self.queries.command(text, 0)
        self.worker.queries_changed()
        return self.queries.snapshot()[0]

    def answers(self) -> list[Report]:
        return [report for report in self.sink.reports if report.answers]


@pytest.fixture
def start(engine: Any, read: Any) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**settings: Any) -> Bench:
        bench = Bench(engine, read, **settings)
        made.append(bench)
        bench.worker.start()
        return bench

    yield make
    for bench in made:
        assert bench.worker.stop(10.0)


def feed(
    bench: Bench, eventually: Eventually, count: int = 1, picture: NDArray[np.uint8] = PICTURE
) -> list[int]:
    """Offer frames one by one, each taken before the next; their stamps."""
    stamps, frames = [], bench.worker.frames
    for _ in range(count):
        item = message(picture=picture)
        stamps.append(item.stamp_ns)
        bench.worker.offer(item)
        eventually(lambda: bench.done + frames.dropped == frames.received)
    return stamps


def test_before_any_frame_the_camera_is_missed(start: Any, eventually: Eventually) -> None:
    bench = start()
    eventually(lambda: bench.sink.state is State.STALE_INPUT)
    assert "no image since activation" in bench.sink.beats[-1][1].detail
    assert [report.state for report in bench.sink.reports] == [State.STALE_INPUT]


def test_frames_without_a_sentence_are_idle(start: Any, eventually: Eventually) -> None:
    bench = start()
    feed(bench, eventually)
    eventually(lambda: bench.sink.state is State.IDLE)


def test_a_sentence_warms_up_and_is_then_answered_with_the_frames_own_stamps(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("the dog")
    stamps = feed(bench, eventually, 5)
    eventually(lambda: len(bench.answers()) == 3)
    assert State.WARMING_UP in [report.state for report in bench.sink.reports]
    results = [report.answers["q1"] for report in bench.answers()]
    assert [result.stamp_ns for result in results] == stamps[2:]
    assert {result.frame_id for result in results} == {"cam"}
    assert {report.state for report in bench.answers()} == {State.FOUND}


def test_not_found_is_an_answer(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("the absent dog")
    feed(bench, eventually, 3)
    eventually(bench.answers)
    assert bench.answers()[0].state is State.NOT_FOUND
    assert not bench.answers()[0].answers["q1"].mask.any()


def test_every_change_is_acknowledged_with_its_revision(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    feed(bench, eventually, 3)
    for text, state in (("the dog", State.WARMING_UP), ("", State.IDLE)):
        revision = bench.command(text)
        eventually(lambda n=revision: bench.sink.reports[-1].revision == n)
        assert bench.sink.reports[-1].state is state


def test_a_change_is_acknowledged_even_if_the_state_stays_the_same(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    eventually(lambda: bench.sink.state is State.STALE_INPUT)
    for number in (1, 2, 3):
        bench.command(f"dog {number}")
        eventually(lambda n=number: bench.sink.reports[-1].revision == n)
        assert bench.sink.reports[-1].state is State.STALE_INPUT


def test_a_window_full_before_the_sentence_is_answered_with_the_next_frame(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    feed(bench, eventually, 3)
    bench.command("the dog")
    eventually(lambda: bench.sink.reports[-1].revision == 1)
    stamps = feed(bench, eventually, 1)
    eventually(bench.answers)
    assert bench.answers()[0].answers["q1"].stamp_ns == stamps[0]


def test_no_mask_of_an_older_revision_follows_a_change(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("slow dog")
    feed(bench, eventually, 3)
    bench.worker.offer(message())
    time.sleep(0.02)  # now the engine is at work on the old sentence
    bench.command("the cat")
    published_before = len(bench.sink.reports)
    feed(bench, eventually, 2)
    eventually(lambda: bench.sink.reports[-1].answers and bench.sink.reports[-1].revision == 2)
    later = bench.sink.reports[published_before:]
    assert later and {report.revision for report in later} == {2}
    assert {query.sentence.text for report in later for query in report.queries} == {"the cat"}


def test_a_flood_of_commands_is_answered_by_its_last(start: Any, eventually: Eventually) -> None:
    bench = start()
    feed(bench, eventually, 3)
    for number in range(500):
        bench.command(f"dog {number}")
    eventually(lambda: bench.sink.reports[-1].revision == 500)
    feed(bench, eventually, 1)
    eventually(bench.answers)
    assert bench.answers()[-1].queries[0].sentence.text == "dog 499"


def test_silence_is_stale_and_old_frames_are_forgotten(start: Any, eventually: Eventually) -> None:
    bench = start(stale_after_s=0.2)
    bench.command("the dog")
    feed(bench, eventually, 3)
    eventually(bench.answers)
    last = time.monotonic()
    eventually(lambda: bench.sink.state is State.STALE_INPUT)
    assert time.monotonic() - last < 5.0
    assert bench.sink.reports[-1].state is State.STALE_INPUT
    assert bench.engine.last_reset == "the camera is silent"
    assert bench.engine.filled == 0


def test_a_silent_camera_never_brings_an_old_mask_back(start: Any, eventually: Eventually) -> None:
    bench = start(stale_after_s=0.2)
    bench.command("the dog")
    feed(bench, eventually, 3)
    eventually(lambda: bench.sink.state is State.STALE_INPUT)
    count = len(bench.answers())
    stamps = feed(bench, eventually, 3)
    eventually(lambda: len(bench.answers()) == count + 1)
    assert bench.answers()[-1].answers["q1"].window_start_ns == stamps[0]


def test_an_unusable_frame_is_counted_named_and_survived(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("the dog")
    feed(bench, eventually, 3)
    bench.worker.offer(message(picture=None))
    eventually(lambda: bench.sink.state is State.BAD_INPUT)
    assert "encoding 'what' is not known" in bench.sink.beats[-1][1].detail
    count = len(bench.answers())
    feed(bench, eventually, 1)
    eventually(lambda: bench.sink.state is State.FOUND)
    assert len(bench.answers()) == count + 1
    assert bench.sink.beats[-1][1].rejected == 1


def test_a_frame_the_engine_refuses_is_bad_input(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.worker.offer(message(picture=np.zeros((1001, 4, 3), np.uint8)))
    eventually(lambda: bench.sink.state is State.BAD_INPUT)


@pytest.mark.parametrize("offset_ns", [-3600 * 10**9, 10 * 10**9])
def test_a_stamp_far_from_now_is_bad_time(
    start: Any, eventually: Eventually, offset_ns: int
) -> None:
    bench = start()
    bench.worker.offer(message(time.time_ns() + offset_ns))
    eventually(lambda: bench.sink.state is State.BAD_TIME)


def test_repeated_stamps_are_bad_time_and_give_no_second_mask(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("the dog")
    stamps = feed(bench, eventually, 3)
    eventually(bench.answers)
    bench.worker.offer(message(stamps[-1]))
    eventually(lambda: bench.sink.state is State.BAD_TIME)
    assert len(bench.answers()) == 1


def test_a_failing_model_is_told_and_tried_again(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("boom")
    feed(bench, eventually, 3)
    eventually(lambda: bench.sink.state is State.MODEL_ERROR)
    assert "RuntimeError: the network fell over" in bench.sink.beats[-1][1].detail
    assert any("Traceback" in text for _, text in bench.sink.faults)
    bench.command("the dog")
    feed(bench, eventually, 3)
    eventually(lambda: bench.sink.state is State.FOUND)


def test_a_confidence_that_is_not_a_number_is_a_model_error(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.command("nan")
    feed(bench, eventually, 3)
    eventually(lambda: bench.sink.state is State.MODEL_ERROR)
    assert not bench.answers()


def test_a_failing_publisher_does_not_end_the_worker(start: Any, eventually: Eventually) -> None:
    bench = start()
    feed(bench, eventually, 3)
    bench.sink.fail = True
    bench.command("the dog")
    eventually(lambda: bench.sink.faults)
    bench.sink.fail = False
    feed(bench, eventually, 6)
    eventually(bench.answers)


def test_a_mask_that_is_too_old_is_withheld(start: Any, eventually: Eventually) -> None:
    bench = start(max_age_s=0.03)
    bench.gate = bench.worker._gate = StampGate(60.0, 0.2)
    bench.command("slow dog")
    feed(bench, eventually, 4)
    eventually(lambda: State.OVERLOADED in [health.state for _, health in bench.sink.beats])
    assert not bench.answers()
    assert "stream.max_age_s allows 0.03 s" in bench.sink.faults[0][1]


def test_under_load_the_newest_frame_wins_and_drops_are_counted(
    start: Any, eventually: Eventually
) -> None:
    bench = start(queue_frames=2)
    bench.command("slow dog")
    feed(bench, eventually, 3)
    for _ in range(40):
        last = message()
        bench.worker.offer(last)
        time.sleep(0.002)
    eventually(lambda: bench.answers()[-1].answers["q1"].stamp_ns == last.stamp_ns)

    def all_counted() -> bool:
        health = bench.sink.beats[-1][1]
        return health.processed + health.dropped + health.rejected == health.received == 43

    eventually(all_counted)
    assert bench.sink.beats[-1][1].dropped > 0


def test_with_a_stride_every_third_frame_is_answered(start: Any, eventually: Eventually) -> None:
    bench = start(stride_frames=3)
    bench.command("the dog")
    stamps = feed(bench, eventually, 9)
    eventually(lambda: len(bench.answers()) == 3)
    answered = [report.answers["q1"].stamp_ns for report in bench.answers()]
    assert answered == [stamps[2], stamps[5], stamps[8]]


def test_the_heartbeat_goes_on_while_nothing_happens(start: Any, eventually: Eventually) -> None:
    bench = start()
    eventually(lambda: len(bench.sink.beats) >= 6)
    gaps = np.diff([at for at, _ in bench.sink.beats[:6]])
    assert 0.05 < np.median(gaps) < 1.0


def test_one_thread_does_everything(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("the dog")
    feed(bench, eventually, 3)
    eventually(bench.answers)
    assert len(bench.sink.threads) == 1
    assert threading.get_ident() not in bench.sink.threads


def test_the_overlay_gets_the_very_frame_that_the_mask_belongs_to(
    engine: Any, start: Any, eventually: Eventually
) -> None:
    engine.delay_frames = 2
    bench = start()
    bench.sink.overlay = True
    bench.command("the dog")
    for value in (10, 20, 30, 40):
        feed(bench, eventually, picture=np.full((8, 12, 3), value, np.uint8))
    eventually(lambda: len(bench.answers()) == 2)
    shown = [report.image for report in bench.answers()]
    assert [image[0, 0, 0] for image in shown if image is not None] == [10, 20]


def test_without_a_sentence_the_overlay_shows_the_plain_camera(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    bench.sink.overlay = True
    stamps = feed(bench, eventually, 2)
    eventually(lambda: [frame.stamp_ns for frame in bench.sink.pictures] == stamps)


def test_a_sentence_ends_by_itself_when_its_life_is_over(
    start: Any, eventually: Eventually
) -> None:
    bench = start()
    feed(bench, eventually, 1)
    bench.queries.add("the dog", 200_000_000, time.time_ns())
    bench.worker.queries_changed()
    eventually(lambda: bench.sink.beats and bench.sink.beats[-1][1].query_ids == ("q1",))
    eventually(lambda: bench.sink.state is State.IDLE)
    assert bench.sink.reports[-1].revision == 2


def test_a_jump_of_the_clock_empties_the_window(start: Any, eventually: Eventually) -> None:
    bench = start()
    bench.command("the dog")
    feed(bench, eventually, 3)
    eventually(bench.answers)
    bench.worker.clock_jumped()
    eventually(lambda: bench.sink.state is State.WARMING_UP)
    assert bench.engine.last_reset == "the node's clock was set"


def test_stop_ends_the_thread_and_counts_what_waited(engine: Any, read: Any) -> None:
    bench = Bench(engine, read)
    bench.worker.start()
    assert bench.worker.stop(10.0)
    bench.worker.offer(message())
    reports = len(bench.sink.reports)
    time.sleep(0.05)
    assert len(bench.sink.reports) == reports
