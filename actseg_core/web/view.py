"""What the page shows: the newest frame and state, handed over by the worker in no time."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from actseg_core.live.queries import QuerySet
from actseg_core.live.reports import Health, Report
from actseg_core.live.states import State
from actseg_core.live.stats import Rate
from actseg_core.types import Frame
from actseg_core.web.advice import ADVICE, TITLES
from actseg_core.web.pictures import Shown, colour_of

DISTANCE_KEPT_S = 1.5


class View:
    """A `live.reports.ReportPublisher` for the page; the newest of everything, and nothing else.

    The worker's thread writes, the server's reads. Nothing is encoded or drawn here.

    Args:
        queries: The active sentences.
        name: What is shown: the node's name, or the camera's.

    Attributes:
        watchers: Browsers that look; the server counts them.
        hint: What seems to be wrong although answers come; empty if nothing.
        changed: Called after each change, from any thread; must return at once.
    """

    def __init__(self, queries: QuerySet, name: str) -> None:
        self.name = name
        self.watchers = 0
        self.hint = ""
        self.changed: Callable[[], None] = lambda: None
        self._queries = queries
        self._lock = threading.Lock()
        self._shown: Shown | None = None
        self._count = 0
        self._health = Health(State.UNCONFIGURED)
        self._answers = Rate()
        self._distances: dict[int, tuple[float, float]] = {}

    @property
    def newest(self) -> Shown | None:
        """The newest frame; None before the first."""
        return self._shown

    # ------------------------------------------------------------------ ReportPublisher
    def wants_image(self) -> bool:
        """Whether anybody looks."""
        return self.watchers > 0

    def prepare(self, report: Report) -> Callable[[], None]:
        """Nothing is to be built; the returned function hands the report over."""

        def publish() -> None:
            now_s = time.monotonic()
            if not report.answers:
                return
            with self._lock:
                self._answers.tick(now_s)
            if report.image is not None:
                stamp_ns = max(answer.stamp_ns for answer in report.answers.values())
                self._show(Shown(0, report.image, stamp_ns, now_s, report))

        return publish

    def idle_image(self, frame: Frame) -> None:
        """Show a frame about which nothing is asked."""
        if self.wants_image():
            self._show(Shown(0, frame.image, frame.stamp_ns, time.monotonic()))

    def forget_stamps(self) -> None:
        """Frames are shown as they come, whatever their stamps."""

    def health(self, health: Health) -> None:
        """Keep the newest state."""
        before, self._health = self._health, health
        if (before.state, before.revision) != (health.state, health.revision):
            self.changed()

    def fault(self, state: State, text: str) -> None:
        """The state says it; logging is the node's."""

    # --------------------------------------------------------------------------- besides
    def distances(self, metres: Mapping[int, float]) -> None:
        """How far the actors are [m], by their sentences' numbers."""
        now_s = time.monotonic()
        with self._lock:
            self._distances = {number: (value, now_s) for number, value in metres.items()}

    def status(self) -> dict[str, Any]:
        """Everything but the picture, for JSON: state, advice, sentences, rates."""
        health, now_s = self._health, time.monotonic()
        with self._lock:
            answer_hz, distances = self._answers.hz(now_s), dict(self._distances)
        revision, queries = self._queries.snapshot()
        sentences = []
        for query in queries:
            told = self._queries.state_of(query.id, health.state)
            metres, since_s = distances.get(query.number, (math.nan, -math.inf))
            is_fresh = told.state is State.FOUND and now_s - since_s < DISTANCE_KEPT_S
            sentences.append(
                {
                    "id": query.id,
                    "text": query.sentence.text,
                    "colour": colour_of(query.number),
                    "state": told.state.name,
                    "title": TITLES[told.state],
                    "confidence": round(told.confidence, 4),
                    "unknown": list(query.sentence.unknown),
                    "shortened": query.sentence.shortened,
                    "distance_m": round(metres, 2) if is_fresh else None,
                }
            )
        return {
            "kind": "status",
            "state": health.state.name,
            "title": TITLES[health.state],
            "detail": health.detail,
            "advice": ADVICE.get(health.state, ""),
            "hint": self.hint,
            "is_answer": health.state.is_answer,
            "is_fault": health.state.is_fault,
            "revision": revision,
            "sentences": sentences,
            "camera_hz": round(health.input_rate_hz, 1),
            "answer_hz": round(answer_hz, 1),
            "latency_ms": [_number(health.latency_p50_ms), _number(health.latency_p95_ms)],
            "received": health.received,
            "dropped": health.dropped,
            "rejected": health.rejected,
        }

    def _show(self, shown: Shown) -> None:
        with self._lock:
            self._count += 1
            self._shown = replace(shown, number=self._count)
        self.changed()


def _number(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return round(value, 1) if math.isfinite(value) else None
