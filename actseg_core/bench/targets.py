"""What the engine was built to reach on two cores, judged by one report."""

from dataclasses import dataclass

from actseg_core.bench.report import Report
from actseg_core.bench.streams import StreamCase

CAMERA_HZ = 30.0
TIMES_NAIVE = 40.0
SIXTEEN_BY_ONE = 1.5
NEW_SENTENCE_MS = 1e3 / CAMERA_HZ + 20.0
SHARE_OF_EAGER = 0.55
PAPER_MASKS_HZ = 15.0
SHARE_OF_MATRIX = 0.70
GROWTH_MB = 5.0
SOAK_FRAMES = 20_000


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        what: What it is about.
        wanted: The limit.
        measured: What came out.
        met: Whether it was reached in this run.
    """

    what: str
    wanted: str
    measured: str
    met: bool


def targets(report: Report) -> list[Target]:
    """All targets that the report has figures for."""
    found = [
        _rate(report, 320, 1),
        _rate(report, 256, 4),
        *(_times_naive(report, item.size) for item in report.naive),
        *(_sixteen(report, size) for size in report.settings.sizes),
        *(_new_sentence(item.size, item.time.p95_ms) for item in report.new_sentence),
        *_paper(report),
        _soak(report),
    ]
    return [item for item in found if item is not None]


def best(report: Report, size: int, sentences: int) -> StreamCase | None:
    """The faster way of the engine."""
    cases = [item for item in report.streams if (item.size, item.sentences) == (size, sentences)]
    return max(cases, key=lambda item: item.rate_hz, default=None)


def _rate(report: Report, size: int, sentences: int) -> Target | None:
    case = best(report, size, sentences)
    if case is None:
        return None
    return Target(
        f"lite, {size} px, {sentences} sentence(s), newest frame",
        f"{CAMERA_HZ:g} frames/s",
        f"{case.rate_hz:.1f} ({case.low_hz:.1f} to {case.high_hz:.1f}), {case.way}",
        case.rate_hz >= CAMERA_HZ,
    )


def _times_naive(report: Report, size: int) -> Target | None:
    case = best(report, size, 1)
    naive = next(item.frame.median_ms for item in report.naive if item.size == size)
    if case is None:
        return None
    times = case.rate_hz * naive / 1e3
    return Target(
        f"lite, {size} px, against the naive version",
        f"{TIMES_NAIVE:g} times its rate",
        f"{times:.1f} times",
        times >= TIMES_NAIVE,
    )


def _sixteen(report: Report, size: int) -> Target | None:
    one, sixteen = best(report, size, 1), best(report, size, 16)
    if one is None or sixteen is None:
        return None
    ratio = one.rate_hz / sixteen.rate_hz
    return Target(
        f"lite, {size} px, 16 sentences against one",
        f"at most {SIXTEEN_BY_ONE:g} times the time",
        f"{ratio:.2f} times",
        ratio <= SIXTEEN_BY_ONE,
    )


def _new_sentence(size: int, p95_ms: float) -> Target:
    return Target(
        f"lite, {size} px, new sentence to its first mask",
        f"one frame period and 20 ms, {NEW_SENTENCE_MS:.0f} ms",
        f"{p95_ms:.0f} ms (p95)",
        p95_ms <= NEW_SENTENCE_MS,
    )


def _paper(report: Report) -> list[Target]:
    found = []
    if one := report.paper_window:
        found += [
            Target(
                f"paper's network, {one.size} px, one window",
                f"at most {100 * SHARE_OF_EAGER:.0f} % of PyTorch eager",
                f"{100 * one.share_of_eager:.0f} % on {one.runtime}",
                one.share_of_eager <= SHARE_OF_EAGER,
            ),
            Target(
                f"paper's network, {one.size} px, rate of encoding",
                f"{100 * SHARE_OF_MATRIX:.0f} % of the matrix product",
                f"{100 * one.share_of_matrix:.0f} %",
                one.share_of_matrix >= SHARE_OF_MATRIX,
            ),
        ]
    if between := report.paper_stream:
        found.append(
            Target(
                f"paper's network, {between.size} px, masks through moving",
                f"{PAPER_MASKS_HZ:g} frames/s",
                f"{between.masks_hz:.1f}",
                between.masks_hz >= PAPER_MASKS_HZ,
            )
        )
    return found


def _soak(report: Report) -> Target | None:
    if report.soak is None:
        return None
    return Target(
        f"memory over {report.soak.frames} frames",
        f"growth under {GROWTH_MB:g} MB in {SOAK_FRAMES}",
        f"{report.soak.growth_mb:+.1f} MB",
        report.soak.growth_mb < GROWTH_MB and report.soak.frames >= SOAK_FRAMES,
    )
