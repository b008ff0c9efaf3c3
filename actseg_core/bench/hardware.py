"""Times of calls, the machine, and how fast it multiplies matrices: what speeds compare with."""

import os
import platform
import resource
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from actseg_core.config import Config

WARM_UP_CALLS = 2
MATRIX_SIDE = 1024
PACKAGES = ("torch", "opencv-python-headless", "onnxruntime", "openvino", "numpy")


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


class MatrixRate(Config):
    """Rate of a float32 matrix product in PyTorch."""

    threads: int
    """Threads it ran on."""
    gflops: float
    """Median rate [10^9 floating-point operations per second]."""
    low_gflops: float
    """Rate of a slow run (95th percentile of the times)."""
    high_gflops: float
    """Rate of a fast run (5th percentile of the times)."""


class Hardware(Config):
    """Where the figures were taken."""

    processor: str
    """As the system names it."""
    cores: int
    """Logical processors that this process may use."""
    memory_gb: float
    """Installed memory [GB]."""
    accelerator: str
    """Name of the GPU; empty without one."""
    system: str
    """Operating system and Python."""
    packages: dict[str, str]
    """Versions of what computes."""
    load_before: float
    """Processes that wanted a core in the minute before: above 0.5 others disturbed the run."""


def cores() -> int:
    """Logical processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resident_mb() -> float:
    """Resident memory of this process now [MB]; Linux, elsewhere the highest so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def describe() -> Hardware:
    """This machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Hardware(
        processor=_processor(),
        cores=cores(),
        memory_gb=round(memory / 1e9, 1),
        accelerator=torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        packages={name: _version(name) for name in PACKAGES},
        load_before=round(os.getloadavg()[0], 2),
    )


def matrix_rate(threads: int, calls: int = 15, side: int = MATRIX_SIDE) -> MatrixRate:
    """Multiply two square matrices; leaves PyTorch with `threads` threads."""
    torch.set_num_threads(threads)
    time = measure(matrix_product(side), calls)
    return MatrixRate(
        threads=threads,
        gflops=product_gflop(side) / time.median_ms * 1e3,
        low_gflops=product_gflop(side) / time.p95_ms * 1e3,
        high_gflops=product_gflop(side) / time.low_ms * 1e3,
    )


def matrix_product(side: int = MATRIX_SIDE) -> Callable[[], object]:
    """One product of two square float32 matrices, on as many threads as PyTorch is set to."""
    first, second, out = torch.rand(side, side), torch.rand(side, side), torch.empty(side, side)
    return lambda: torch.mm(first, second, out=out)


def product_gflop(side: int = MATRIX_SIDE) -> float:
    """Operations of one product [10^9]."""
    return 2 * side**3 / 1e9


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    best = next((flag for flag in ("amx_tile", "avx512f", "avx2") if flag in flags), "")
    return f"{names[0] if names else platform.machine()} {best}".strip()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
