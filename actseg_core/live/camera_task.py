"""What the worker does for one camera: frames and sentences in, reports and heartbeats out."""

import math
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import StreamConfig
from actseg_core.errors import ActSegError
from actseg_core.live.frame_checks import NANOSECONDS, StampGate, StampRefused, stamp_to_ns
from actseg_core.live.frame_queue import Arrival, FrameQueue
from actseg_core.live.pace import Pace
from actseg_core.live.queries import Query, QuerySet, QueryState
from actseg_core.live.reports import Engine, Health, Report, ReportPublisher
from actseg_core.live.seen_frames import SeenFrame, SeenFrames
from actseg_core.live.states import State
from actseg_core.live.stats import Latency, Stages
from actseg_core.types import Frame, MaskResult

HEARTBEAT_S = 0.1
ERROR_PAUSE_S = 0.1
FRAME_PROBLEMS = (State.BAD_INPUT, State.BAD_TIME)


class CameraTask:
    """Answers the newest frames of one camera, a turn at a time; a Worker gives the turns.

    Args:
        engine: Used by the worker's thread alone while that runs.
        queries: The active sentences.
        publisher: Publishes reports and heartbeats.
        decode: Image message to (H, W, 3) uint8 RGB; raises ActSegError with the reason.
        config: Limits and stride.
        gate: Which stamps are believed.
        now_ns: The node's clock [ns].
        check_clock: Whether a mask's age includes its stamp's distance to the node's clock.
        missing: What to say of a camera that sends nothing.
        idle: What to say while there is no sentence.
    """

    def __init__(
        self,
        engine: Engine,
        queries: QuerySet,
        publisher: ReportPublisher,
        decode: Callable[[Any], NDArray[np.uint8]],
        config: StreamConfig,
        gate: StampGate,
        now_ns: Callable[[], int],
        check_clock: bool = True,
        missing: Callable[[], str] = lambda: "is the camera running, on this topic?",
        idle: str = "no sentence; publish one on the command topic",
    ) -> None:
        self.frames = FrameQueue(config.queue_frames, self._wake)
        self._pace = Pace(self.frames, engine)
        self._engine, self._queries, self._publisher = engine, queries, publisher
        self._decode, self._gate = decode, gate
        self._config = self._wanted = config
        self._now_ns, self._check_clock = now_ns, check_clock
        self._missing, self._idle = missing, idle
        self._stopping = threading.Event()
        self._woken, self._jumped = threading.Event(), threading.Event()
        self._wake_worker: Callable[[], None] = lambda: None
        self._beat_all: Callable[[], None] = self.beat
        self._asked = False
        self._seen = SeenFrames(engine.delay_frames + 1)
        self._latency, self._stages = Latency(), Stages()
        self._revision = -1
        self._active: tuple[Query, ...] = ()
        self._problem: tuple[State, str] | None = None
        self._problems, self._last_problem, self._last_problem_s = 0, "", math.nan
        self._answer_state: State | None = None
        self._told_result: State | None = None
        self._told_status: State | None = None
        self._processed = self._rejected = self._since_answer = self._sequence = 0
        self._frame_id = ""
        self._mask_stamp_ns = 0
        self._heartbeat_due_s = self._paused_until_s = 0.0

    # ------------------------------------------------------------- called by other threads
    def attach(
        self, stopping: threading.Event, wake: Callable[[], None], beat_all: Callable[[], None]
    ) -> None:
        """Belong to a worker.

        Args:
            stopping: Set when its thread is to end.
            wake: Called when there is something to do before `due_s`; returns at once.
            beat_all: Sends the heartbeats that are due, of all its cameras.
        """
        self._stopping, self._wake_worker, self._beat_all = stopping, wake, beat_all

    def offer(self, message: Any) -> None:
        """Hand over an image message; returns at once."""
        self.frames.put(Arrival(message, time.monotonic(), self._now_ns()))

    def queries_changed(self) -> None:
        """Let the worker take over a changed sentence set now."""
        self._wake()

    def reconfigure(self, config: StreamConfig) -> None:
        """Go on with other limits from the next frame on."""
        self._wanted = config
        self._wake()

    def clock_jumped(self) -> None:
        """The node's clock was set: frames from before it do not go with those after it."""
        self._jumped.set()
        self._wake()

    def _wake(self) -> None:
        self._woken.set()
        self._wake_worker()

    # ------------------------------------------------------------------ the worker's thread
    def due_s(self) -> float:
        """When the next turn is due, by time.monotonic() [s]; in the past: now."""
        due_s = 0.0 if self._woken.is_set() or len(self.frames) else self._heartbeat_due_s
        return max(due_s, self._paused_until_s)

    def turn(self) -> None:
        """Take over what has changed, take in one frame, answer if that is due; never raises."""
        self._woken.clear()
        try:
            self._step()
        except Exception as error:
            self.survive(error)

    def _step(self) -> None:
        if self._jumped.is_set():
            self._jumped.clear()
            self._gate.forget()
            self._forget_frames("the node's clock was set")
            self._forget_stamps()
        if self._wanted is not self._config:
            self._take_over_config()
        self._queries.expire(self._now_ns())
        self._take_over_queries()
        if self._asked and self._can_answer_now():
            self._answer_if_due()
        arrival = self.frames.get(0.0, skip=self._engine.answers_cost_little)
        if arrival is not None and self._push(arrival):
            try:
                self._beat_all()
                self._answer_if_due()
            finally:
                self._processed += 1  # not before: a lossless replay then sends the next frame
        self._tell()

    def _take_over_config(self) -> None:
        self._config = config = self._wanted
        self._gate.allow_age(config.max_age_s)
        self.frames.resize(config.queue_frames)
        self._engine.reconfigure(config)

    def _take_over_queries(self) -> None:
        revision, queries = self._queries.snapshot()
        if revision == self._revision:
            return
        self._engine.set_queries([(query.id, query.sentence) for query in queries])
        self._revision, self._active = revision, queries
        self._answer_state = None
        self._asked = bool(queries)
        self._told_result = None  # the next report acknowledges the revision, whatever the state
        if self._problem is not None and self._problem[0] not in FRAME_PROBLEMS:
            self._problem = None
        self._tell()

    def _push(self, arrival: Arrival) -> bool:
        """Whether the frame is in the window now."""
        header = arrival.message.header
        self._stages.add("waiting", time.monotonic() - arrival.received_s)
        try:
            stamp_ns = stamp_to_ns(header.stamp.sec, header.stamp.nanosec)
            resets = self._gate.resets
            self._gate.check(stamp_ns, arrival.received_ns)
            if self._gate.resets != resets:
                self._forget_stamps()
            self._sequence += 1
            with self._stages.timed("decoding"):
                image = self._decode(arrival.message)
            self._beat_all()
            frame = Frame(image, stamp_ns, header.frame_id, self._sequence)
            with self._stages.timed("window"):
                self._engine.push(frame)
        except StampRefused as error:
            return self._reject(State.BAD_TIME, str(error))
        except ActSegError as error:
            return self._reject(State.BAD_INPUT, str(error))
        except Exception:
            self._rejected += 1
            raise
        self._since_answer += 1
        self._frame_id = frame.frame_id
        if self._problem is not None and (self._problem[0] in FRAME_PROBLEMS or not self._active):
            self._problem = None
        wanted = self._publisher.wants_image()
        self._seen.add(SeenFrame(stamp_ns, arrival.received_s, image if wanted else None))
        if not self._active and not self._stopping.is_set():
            self._publisher.idle_image(frame)
        return True

    def _reject(self, state: State, reason: str) -> bool:
        self._rejected += 1
        self._note_problem(state, reason)
        self._publisher.fault(state, reason)
        return False

    def _note_problem(self, state: State, reason: str) -> None:
        self._problem = (state, reason)
        self._problems += 1
        self._last_problem, self._last_problem_s = f"{state.name}: {reason}", time.monotonic()

    def _can_answer_now(self) -> bool:
        """Whether a new sentence need not wait: the newest frames are neither answered nor old."""
        oldest = self._seen.oldest
        if not (self._engine.ready and self._since_answer and oldest) or self._problem:
            return False
        return self._age_s(oldest.stamp_ns, oldest) < self._config.max_age_s

    def _answer_if_due(self) -> None:
        if not self._engine.ready:
            self._answer_state = None
            return
        at_once = self._asked or self._engine.answers_every_frame
        if not self._active or self._since_answer < (1 if at_once else self._config.stride_frames):
            return
        behind = len(self.frames) and not self._engine.answers_cost_little
        if behind and self._since_answer < self._config.queue_frames:
            return  # newer frames wait: take them in first, their answer is worth more
        self._since_answer, self._asked = 0, False
        with self._stages.timed("network"):
            answers = self._engine.answer()
        if not answers:  # not encoded yet, or too long ago to be moved to this frame
            self._answer_state = None
            return
        self._check_finite(answers)
        self._beat_all()
        self._publish_answers(answers)

    def _check_finite(self, answers: dict[str, MaskResult]) -> None:
        for result in answers.values():
            if not math.isfinite(result.confidence):
                raise FloatingPointError(
                    "the model gave a confidence that is not finite; are its weights damaged?"
                )

    def _publish_answers(self, answers: dict[str, MaskResult]) -> None:
        stamp_ns = max(result.stamp_ns for result in answers.values())
        if stamp_ns == self._mask_stamp_ns:
            return
        seen = self._seen.at(stamp_ns)
        age_s = self._age_s(stamp_ns, seen)
        if age_s > self._config.max_age_s:
            self._overloaded(age_s)
            return
        found = any(result.found for result in answers.values())
        state = State.FOUND if found else State.NOT_FOUND
        image = seen.image if seen else None
        report = Report(state, self._revision, self._active, answers, image)
        with self._stages.timed("publishing"):
            publish = self._publisher.prepare(report)
            with self._queries.holding(self._revision) as in_force:
                if not in_force or self._stopping.is_set():
                    return  # the sentences changed meanwhile: these masks are nobody's any more
                publish()
        self._note_answers(state, stamp_ns, seen, answers)

    def _note_answers(
        self, state: State, stamp_ns: int, seen: SeenFrame | None, answers: dict[str, MaskResult]
    ) -> None:
        self._answer_state = state
        self._told_result = state
        self._mask_stamp_ns = stamp_ns
        self._problem = None
        if seen is not None:
            self._latency.add(time.monotonic() - seen.received_s)
        states = {
            name: QueryState(State.FOUND if item.found else State.NOT_FOUND, item.confidence)
            for name, item in answers.items()
        }
        self._queries.report(states)

    def _overloaded(self, age_s: float) -> None:
        text = self._pace.too_old(age_s, self._config)
        self._note_problem(State.OVERLOADED, text)
        self._answer_state = None
        self._publisher.fault(State.OVERLOADED, text)

    def survive(self, error: Exception) -> None:
        """After an unexpected error: say so, empty the window, go on with the next frames.

        The other cameras need not wait for the pause that follows.
        """
        self._paused_until_s = time.monotonic() + ERROR_PAUSE_S
        text = "".join(traceback.format_exception(error, limit=-4))
        try:
            self._publisher.fault(State.MODEL_ERROR, text)
            self._forget_frames("the model failed")
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            self._note_problem(State.MODEL_ERROR, f"{reason}; trying again with the next frames")
            self._tell()
        except Exception:
            traceback.print_exc()  # nothing can be published: stderr is what is left

    # ------------------------------------------------------------------------ state and status
    def beat(self) -> None:
        """A heartbeat before a stage that may take long; half a period early rather than late."""
        if self._heartbeat_due_s - time.monotonic() < HEARTBEAT_S / 2:
            self._heartbeat_due_s = 0.0
            self._tell()

    def _tell(self) -> None:
        """A heartbeat when due, and both topics at once when the state has changed."""
        if self._stopping.is_set():
            return  # whoever stops it speaks now
        now_s = time.monotonic()
        state, detail = self._state(now_s)
        if state is State.STALE_INPUT and self._told_status is not state:
            self._forget_frames("the camera is silent")
        if state is not self._told_result and not state.is_answer:
            self._publish_without_answer(state, detail)
        if state is not self._told_status or now_s >= self._heartbeat_due_s:
            self._told_status = state
            self._heartbeat_due_s = now_s + HEARTBEAT_S
            self._publisher.health(self._health(state, detail, now_s))

    def _state(self, now_s: float) -> tuple[State, str]:
        silence = self._pace.silence(self._config, now_s)
        if silence:
            return State.STALE_INPUT, f"{silence}; {self._missing()}"
        if self._problem is not None:
            return self._problem
        if not self._active:
            return State.IDLE, self._idle
        if self._answer_state is None and self._engine.ready:
            return State.WARMING_UP, "the next frames are answered"
        if self._answer_state is None or not self._engine.ready:
            return State.WARMING_UP, self._pace.warming_up()
        return self._answer_state, ""

    def _publish_without_answer(self, state: State, detail: str) -> None:
        self._queries.report({})
        report = Report(state, self._revision, self._active, {}, None, detail)
        publish = self._publisher.prepare(report)
        with self._queries.holding(self._revision) as in_force:
            if in_force:
                publish()
                self._told_result = state

    def _health(self, state: State, detail: str, now_s: float) -> Health:
        middle_ms, high_ms = self._latency.percentiles_ms()
        return Health(
            state=state,
            revision=self._revision,
            query_ids=tuple(query.id for query in self._active),
            frame_id=self._frame_id,
            mask_stamp_ns=self._mask_stamp_ns,
            received=self.frames.received,
            processed=self._processed,
            dropped=self.frames.dropped,
            rejected=self._rejected,
            input_rate_hz=self.frames.rate_hz(now_s),
            latency_p50_ms=middle_ms,
            latency_p95_ms=high_ms,
            detail=detail,
            clock_resets=self._gate.resets,
            window=self._pace.window(),
            pace=self._pace.hint(self._config, now_s),
            stale_after_s=self._pace.stale_after_s(self._config),
            stages_ms=self._stages.percentiles_ms(),
            problems=self._problems,
            last_problem=self._last_problem,
            last_problem_s=self._last_problem_s,
        )

    def _age_s(self, stamp_ns: int, seen: SeenFrame | None) -> float:
        waited_s = time.monotonic() - seen.received_s if seen else 0.0
        by_clock_s = (self._now_ns() - stamp_ns) / NANOSECONDS if self._check_clock else 0.0
        return max(waited_s, by_clock_s)

    def _forget_stamps(self) -> None:
        """Stamps may begin anew: a recording starts over, a clock was set."""
        self._mask_stamp_ns = 0
        self._publisher.forget_stamps()

    def _forget_frames(self, reason: str) -> None:
        self._engine.reset(reason)
        self._seen.clear()
        self._answer_state = None
        self._since_answer = 0
