"""A report with figures worked out by hand."""

import pytest

from actseg_core.bench.hardware import MatrixRate, Spread, describe, spread
from actseg_core.bench.report import Report
from actseg_core.bench.setup import BenchConfig
from actseg_core.bench.soak import SEE, Stage
from actseg_core.bench.streams import NaiveCase, StreamCase, Way


def took(milliseconds: float) -> Spread:
    return spread([milliseconds / 1e3] * 4, 0.0)


def case(sentences: int, rate_hz: float, way: Way = "in turn") -> StreamCase:
    return StreamCase(
        sentences=sentences,
        way=way,
        runtime="torch",
        threads=2,
        rate_hz=rate_hz,
        low_hz=rate_hz - 1,
        high_hz=rate_hz + 1,
        latency=took(20),
        cpu_ms=50,
    )


@pytest.fixture
def report() -> Report:
    return Report(
        taken="2026-01-02T03:04:05+00:00",
        camera="generated, 640x480",
        settings=BenchConfig(),
        hardware=describe(),
        matrix=(MatrixRate(threads=1, gflops=50, low_gflops=40, high_gflops=60),),
        streams=(
            case(1, 32.0),
            case(4, 31.9),
            case(16, 16.0),
            case(1, 50.0, "overlapped"),
        ),
        naive=NaiveCase(frame=took(1000.0)),
        stages=(
            Stage(name=SEE, threads=1, time=took(30.0)),
            Stage(name=SEE, threads=2, time=took(20.0)),
            Stage(name="masks of 4", threads=2, time=took(1.0)),
        ),
    )
