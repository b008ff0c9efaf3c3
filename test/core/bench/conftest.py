"""A report with figures worked out by hand."""

import pytest

from actseg_core.bench.hardware import MatrixRate, Spread, describe, spread
from actseg_core.bench.report import Report
from actseg_core.bench.setup import BenchConfig
from actseg_core.bench.streams import NaiveCase, StreamCase, Way


def took(milliseconds: float) -> Spread:
    return spread([milliseconds / 1e3] * 4, 0.0)


def case(size: int, sentences: int, rate_hz: float, way: Way = "in turn") -> StreamCase:
    return StreamCase(
        size=size,
        sentences=sentences,
        way=way,
        runtime="torch",
        threads=2,
        rate_hz=rate_hz,
        low_hz=rate_hz - 1,
        high_hz=rate_hz + 1,
        latency=took(20),
        cpu_ms=50,
        memory_mb=400,
    )


@pytest.fixture
def report() -> Report:
    return Report(
        taken="2026-01-02T03:04:05+00:00",
        camera="generated, 640x480",
        settings=BenchConfig(sizes=(320,)),
        hardware=describe(),
        matrix=(MatrixRate(threads=1, gflops=50, low_gflops=40, high_gflops=60),),
        streams=(
            case(320, 1, 20.0),
            case(320, 1, 32.0, "overlapped"),
            case(320, 16, 16.0, "overlapped"),
        ),
        naive=(NaiveCase(size=320, frame=took(1000.0)),),
    )
