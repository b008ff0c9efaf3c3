"""The machine, and how fast it multiplies matrices: what every other speed is compared with."""

import os
import platform
import resource
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import torch

from actseg_core.bench.timing import measure
from actseg_core.config import Config

MATRIX_SIDE = 1024
PACKAGES = ("torch", "opencv-python-headless", "onnxruntime", "openvino", "numpy")


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
