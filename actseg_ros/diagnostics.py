"""/diagnostics: one status with a level that a supervisor can act on, and the counters."""

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from actseg_ros.messages import time_message
from actseg_ros.reports import Health
from actseg_ros.states import State

LEVELS = {
    State.UNCONFIGURED: DiagnosticStatus.STALE,
    State.INACTIVE: DiagnosticStatus.STALE,
    State.STALE_INPUT: DiagnosticStatus.ERROR,
    State.MODEL_ERROR: DiagnosticStatus.ERROR,
    State.BAD_INPUT: DiagnosticStatus.WARN,
    State.BAD_TIME: DiagnosticStatus.WARN,
    State.OVERLOADED: DiagnosticStatus.WARN,
}


def diagnostics_message(
    name: str, hardware_id: str, health: Health, facts: Mapping[str, str], hint: str, now_ns: int
) -> DiagnosticArray:
    """The array with this node's one status.

    Args:
        name: Full name of the node.
        hardware_id: The camera's frame_id or topic.
        health: Newest of the worker.
        facts: More key-value pairs: model, device, converter.
        hint: A problem that the worker cannot see; empty if there is none.
        now_ns: Node's clock [ns].
    """
    level = LEVELS.get(health.state, DiagnosticStatus.OK)
    if hint and level == DiagnosticStatus.OK:
        level = DiagnosticStatus.WARN
    text = "; ".join(part for part in (health.state.name, hint, health.detail) if part)
    status = DiagnosticStatus(
        level=level,
        name=f"{name.removeprefix('/')}: segmentation",
        message=text,
        hardware_id=hardware_id,
        values=[KeyValue(key=key, value=value) for key, value in _values(health, facts)],
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = time_message(now_ns)
    return array


def _values(health: Health, facts: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        ("state", health.state.name),
        ("frames received", str(health.received)),
        ("frames processed", str(health.processed)),
        ("frames dropped", str(health.dropped)),
        ("frames rejected", str(health.rejected)),
        ("input rate [Hz]", f"{health.input_rate_hz:.2f}"),
        ("latency p50 [ms]", f"{health.latency_p50_ms:.1f}"),
        ("latency p95 [ms]", f"{health.latency_p95_ms:.1f}"),
        ("camera clock resets", str(health.clock_resets)),
        ("active sentences", str(len(health.query_ids))),
        ("sentence revision", str(max(0, health.revision))),
        *facts.items(),
    ]
