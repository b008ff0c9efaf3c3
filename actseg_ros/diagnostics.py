"""/diagnostics: one status with a level that a supervisor can act on, and the counters."""

import time
from collections.abc import Mapping, Sequence

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from actseg_core.live.queries import Query, QueryState
from actseg_core.live.reports import Health
from actseg_core.live.states import State
from actseg_ros.messages import time_message

LEVELS = {
    State.UNCONFIGURED: DiagnosticStatus.STALE,
    State.INACTIVE: DiagnosticStatus.STALE,
    State.STALE_INPUT: DiagnosticStatus.ERROR,
    State.MODEL_ERROR: DiagnosticStatus.ERROR,
    State.BAD_INPUT: DiagnosticStatus.WARN,
    State.BAD_TIME: DiagnosticStatus.WARN,
    State.OVERLOADED: DiagnosticStatus.WARN,
}


class NewProblems:
    """Tells of problems that came and went between two diagnostics."""

    def __init__(self) -> None:
        self._reported = 0

    def hint(self, health: Health) -> str:
        """How many there were since the call before, and the newest; empty if there were none."""
        new = health.problems - self._reported
        self._reported = health.problems
        if new < 0:  # after an activation they are counted anew
            new = health.problems
        is_told_already = health.state.is_fault and health.detail in health.last_problem
        if new == 0 or is_told_already:
            return ""
        return f"{new} problems since the last report, the newest: {health.last_problem}"


def diagnostics_message(statuses: Sequence[DiagnosticStatus], now_ns: int) -> DiagnosticArray:
    """The array with the node's statuses.

    Args:
        statuses: One per camera.
        now_ns: Node's clock [ns].
    """
    array = DiagnosticArray(status=list(statuses))
    array.header.stamp = time_message(now_ns)
    return array


def camera_status(
    name: str, hardware_id: str, health: Health, facts: Mapping[str, str], hint: str
) -> DiagnosticStatus:
    """What is to be said of one camera.

    Args:
        name: Full name of the node, with that of the camera.
        hardware_id: The camera's frame_id or topic.
        health: Newest of the worker.
        facts: More key-value pairs: model, runtime, sentences.
        hint: A problem that the worker's state does not tell; empty if there is none.
    """
    level = LEVELS.get(health.state, DiagnosticStatus.OK)
    if hint and level == DiagnosticStatus.OK:
        level = DiagnosticStatus.WARN
    text = "; ".join(part for part in (health.state.name, hint, health.detail) if part)
    return DiagnosticStatus(
        level=level,
        name=f"{name.removeprefix('/')}: segmentation",
        message=text,
        hardware_id=hardware_id,
        values=[
            KeyValue(key=key, value=value) for key, value in [*_values(health), *facts.items()]
        ],
    )


def sentence_facts(answered: Sequence[tuple[Query, QueryState]]) -> dict[str, str]:
    """One line per active sentence: its state, confidence and text."""
    return {
        f"sentence {query.id}": f"{now.state.name} {now.confidence:.2f} {query.sentence.text!r}"
        for query, now in answered
    }


def _values(health: Health) -> list[tuple[str, str]]:
    return [
        ("state", health.state.name),
        ("frames received", str(health.received)),
        ("frames processed", str(health.processed)),
        ("frames dropped", str(health.dropped)),
        ("frames rejected", str(health.rejected)),
        ("input rate [Hz]", f"{health.input_rate_hz:.2f}"),
        ("camera missed after [s]", f"{health.stale_after_s:.3g}"),
        ("window", health.window),
        ("latency p50 [ms]", f"{health.latency_p50_ms:.1f}"),
        ("latency p95 [ms]", f"{health.latency_p95_ms:.1f}"),
        *(
            (f"{stage} p50 / p95 [ms]", f"{middle:.1f} / {high:.1f}")
            for stage, (middle, high) in health.stages_ms.items()
        ),
        ("camera clock resets", str(health.clock_resets)),
        ("active sentences", str(len(health.query_ids))),
        ("sentence revision", str(max(0, health.revision))),
        ("problems", str(health.problems)),
        ("last problem", _last_problem(health)),
    ]


def _last_problem(health: Health) -> str:
    if not health.last_problem:
        return ""
    return f"{time.monotonic() - health.last_problem_s:.0f} s ago, {health.last_problem}"
