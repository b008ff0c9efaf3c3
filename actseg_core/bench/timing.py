"""Repeated measurements and what is told of them."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from actseg_core.config import Config

WARM_UP_CALLS = 2


class Spread(Config):
    """How long something took, over several calls."""

    calls: int
    """Calls measured."""
    median_ms: float
    """Median wall time [ms]."""
    low_ms: float
    """5th percentile [ms]."""
    p95_ms: float
    """95th percentile [ms]."""
    p99_ms: float
    """99th percentile [ms]; with fewer than 100 calls near the slowest."""
    cpu_ms: float
    """CPU time of the whole process per call, mean [ms]."""


def spread(wall_s: Sequence[float], cpu_s: float) -> Spread:
    """Summarise wall times of calls and the CPU time of all of them together [s]."""
    low, median, high, highest = np.percentile(np.asarray(wall_s) * 1e3, (5, 50, 95, 99))
    return Spread(
        calls=len(wall_s),
        median_ms=float(median),
        low_ms=float(low),
        p95_ms=float(high),
        p99_ms=float(highest),
        cpu_ms=1e3 * cpu_s / len(wall_s),
    )


def measure(function: Callable[[], object], calls: int, warm_up: int = WARM_UP_CALLS) -> Spread:
    """Time a function; the calls of the warm-up do not count."""
    return measure_in_turn([function], calls, warm_up)[0]


def measure_in_turn(
    functions: Sequence[Callable[[], object]], calls: int, warm_up: int = WARM_UP_CALLS
) -> list[Spread]:
    """Time functions that are to be compared, one call of each in turn.

    What else runs on the machine then disturbs all of them alike.
    """
    for function in functions:
        for _ in range(warm_up):
            function()
    wall_s: list[list[float]] = [[] for _ in functions]
    cpu_s = [0.0 for _ in functions]
    for _ in range(calls):
        for index, function in enumerate(functions):
            start_s, cpu_start_s = time.perf_counter(), time.process_time()
            function()
            wall_s[index].append(time.perf_counter() - start_s)
            cpu_s[index] += time.process_time() - cpu_start_s
    return [spread(walls, total) for walls, total in zip(wall_s, cpu_s, strict=True)]
