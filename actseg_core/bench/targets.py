"""What the engine was built to reach on two cores, judged by one report."""

from dataclasses import dataclass

from actseg_core.bench.report import Report
from actseg_core.bench.streams import StreamCase

CAMERA_HZ = 30.0
TIMES_NAIVE = 40.0
SHARE_OF_ONE = {4: 0.99, 16: 0.85}
"""Rate with so many sentences by that with one."""
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
        _rate(report),
        _times_naive(report),
        *(_several(report, count) for count in SHARE_OF_ONE),
        _new_sentence(report),
        *_paper(report),
        _soak(report),
    ]
    return [item for item in found if item is not None]


def times_naive(report: Report, case: StreamCase) -> float:
    """How many times the naive version's rate a case has; 0 if that was not measured."""
    if report.naive is None:
        return 0.0
    return case.rate_hz * report.naive.frame.median_ms * case.sentences / 1e3


def _rate(report: Report) -> Target | None:
    case = report.stream(1, "in turn")
    if case is None:
        return None
    return Target(
        "default model, 1 sentence, in turn",
        f"{CAMERA_HZ:g} frames/s",
        f"{case.rate_hz:.1f} ({case.low_hz:.1f} to {case.high_hz:.1f})",
        case.rate_hz >= CAMERA_HZ,
    )


def _times_naive(report: Report) -> Target | None:
    case = report.stream(1, "in turn")
    if case is None or report.naive is None:
        return None
    times = times_naive(report, case)
    return Target(
        "the same against the naive version",
        f"{TIMES_NAIVE:g} times its rate",
        f"{times:.1f} times",
        times >= TIMES_NAIVE,
    )


def _several(report: Report, count: int) -> Target | None:
    one, several = report.stream(1, "in turn"), report.stream(count, "in turn")
    if one is None or several is None:
        return None
    share = several.rate_hz / one.rate_hz
    return Target(
        f"rate with {count} sentences by that with one",
        f"{SHARE_OF_ONE[count]:g}",
        f"{share:.2f}",
        share >= SHARE_OF_ONE[count],
    )


def _new_sentence(report: Report) -> Target | None:
    if report.new_sentence is None:
        return None
    p95_ms = report.new_sentence.time.p95_ms
    return Target(
        "new sentence to its first mask",
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
