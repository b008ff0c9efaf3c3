"""What the worker takes in and gives out, free of ROS types."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actseg_core.config import StreamConfig
from actseg_core.live.queries import Query, Reader
from actseg_core.live.states import State
from actseg_core.types import Frame, MaskResult, Sentence


class Engine(Protocol):
    """What the worker needs of actseg_core.streaming.engine.StreamingEngine."""

    last_reset: str
    resets: int

    @property
    def ready(self) -> bool: ...
    @property
    def filled(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def interval_s(self) -> float: ...
    @property
    def delay_frames(self) -> int: ...
    @property
    def answers_every_frame(self) -> bool: ...
    @property
    def answers_cost_little(self) -> bool: ...
    def reconfigure(self, config: StreamConfig) -> None: ...
    def set_queries(self, queries: Sequence[tuple[str, Sentence]]) -> None: ...
    def push(self, frame: Frame) -> None: ...
    def answer(self) -> dict[str, MaskResult]: ...
    def reset(self, reason: str) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class LoadedModel:
    """What the node needs of a model.

    Attributes:
        engines: Fresh ones, one per camera.
        read: Text to Sentence.
        name: Of the preset or checkpoint.
        runtime: What runs it.
        threshold: Confidence [0, 1] below which nobody is found, by its own rule.
    """

    engines: tuple[Engine, ...]
    read: Reader
    name: str
    runtime: str = "torch"
    threshold: float = 0.5


@dataclass(frozen=True)
class Report:
    """What goes out on `result` (and, with masks, on `mask` and `overlay`).

    Attributes:
        state: FOUND if any sentence is found, else NOT_FOUND or what prevents an answer.
        revision: Of the sentence set that was answered.
        queries: The sentences, in the order in which they were added.
        answers: By query id; empty when there is no answer.
        image: (H, W, 3) uint8 RGB of the frame answered, if it was asked for.
        detail: Why there is no answer and what to do; empty when all is well.
    """

    state: State
    revision: int
    queries: tuple[Query, ...]
    answers: dict[str, MaskResult]
    image: NDArray[np.uint8] | None = None
    detail: str = ""


@dataclass(frozen=True)
class Health:
    """What goes out on `status`, fields as in msg/SegmentationStatus.msg, and on /diagnostics.

    Attributes:
        window: How full the window is, how far apart its frames are, what emptied it last.
        pace: Why the camera's rate and the limits do not go together; empty if they do.
        stale_after_s: Silence of the camera that is allowed now [s].
        stages_ms: Median and 95th percentile [ms] of each stage of actseg_core.live.stats.STAGES.
        problems: Frames refused, masks withheld, and failures of the model so far.
        last_problem: The newest of them.
        last_problem_s: When it was, by time.monotonic() [s].
    """

    state: State
    revision: int = 0
    query_ids: tuple[str, ...] = ()
    frame_id: str = ""
    mask_stamp_ns: int = 0
    received: int = 0
    processed: int = 0
    dropped: int = 0
    rejected: int = 0
    input_rate_hz: float = 0.0
    latency_p50_ms: float = math.nan
    latency_p95_ms: float = math.nan
    detail: str = ""
    clock_resets: int = 0
    window: str = ""
    pace: str = ""
    stale_after_s: float = math.nan
    stages_ms: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    problems: int = 0
    last_problem: str = ""
    last_problem_s: float = math.nan


class ReportPublisher(Protocol):
    """Where the worker's reports go; called from the worker's thread only."""

    def wants_image(self) -> bool:
        """Whether anybody looks at the overlay."""

    def prepare(self, report: Report) -> Callable[[], None]:
        """Build the messages; the returned function publishes them and is quick."""

    def idle_image(self, frame: Frame) -> None:
        """Show a frame about which nothing is asked."""

    def forget_stamps(self) -> None:
        """Let stamps begin anew: the next frame may be older than those before."""

    def health(self, health: Health) -> None:
        """Publish a heartbeat."""

    def fault(self, state: State, text: str) -> None:
        """Log a problem; floods are kept away."""


class FanOut:
    """A ReportPublisher that hands everything to several, in their order.

    Args:
        publishers: The others; what one of them raises keeps it from those behind it.
    """

    def __init__(self, *publishers: ReportPublisher) -> None:
        self._publishers = publishers

    def wants_image(self) -> bool:
        """Whether any of them does."""
        return any(one.wants_image() for one in self._publishers)

    def prepare(self, report: Report) -> Callable[[], None]:
        """Let all build their messages; the returned function lets all publish them."""
        prepared = [one.prepare(report) for one in self._publishers]

        def publish() -> None:
            for one in prepared:
                one()

        return publish

    def idle_image(self, frame: Frame) -> None:
        """Show a frame about which nothing is asked."""
        for one in self._publishers:
            one.idle_image(frame)

    def forget_stamps(self) -> None:
        """Let stamps begin anew."""
        for one in self._publishers:
            one.forget_stamps()

    def health(self, health: Health) -> None:
        """Publish a heartbeat."""
        for one in self._publishers:
            one.health(health)

    def fault(self, state: State, text: str) -> None:
        """Log a problem."""
        for one in self._publishers:
            one.fault(state, text)
