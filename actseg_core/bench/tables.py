"""A report as Markdown tables, and their place in docs/performance.md."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from actseg_core.bench.report import Report
from actseg_core.bench.soak import BOUND_BY
from actseg_core.bench.targets import targets, times_naive
from actseg_core.errors import ConfigError
from actseg_core.evaluation.summary import write_text

END = "<!-- end -->"


def machine(report: Report) -> str:
    """Where and how the figures were taken."""
    hardware = report.hardware
    rates = "; ".join(
        f"{item.threads} thread(s) {item.gflops:.0f} ({item.low_gflops:.0f} to "
        f"{item.high_gflops:.0f})"
        for item in report.matrix
    )
    packages = ", ".join(f"{name} {version}" for name, version in hardware.packages.items())
    return _table(
        ("what", "value"),
        [
            ("taken", f"{report.taken}, {report.settings.frames} frames per case"),
            ("camera", report.camera),
            ("processor", f"{hardware.processor}, {hardware.cores} cores"),
            ("memory", f"{hardware.memory_gb:g} GB"),
            ("accelerator", hardware.accelerator or "none"),
            ("software", f"{hardware.system}; {packages}"),
            ("load average before, after", f"{hardware.load_before:g}, {report.load_after:g}"),
            ("matrix product, GFLOP/s, before and after", rates),
        ],
    )


def streams(report: Report) -> str:
    """The engine at full speed, and the naive version."""
    rows = []
    for item in report.streams:
        times = times_naive(report, item)
        rows.append(
            (
                *(str(item.sentences), f"{item.way}, {item.threads} thread(s)"),
                f"{item.rate_hz:.1f} ({item.low_hz:.1f} to {item.high_hz:.1f})",
                f"{item.latency.median_ms:.0f} / {item.latency.p95_ms:.0f} / "
                f"{item.latency.p99_ms:.0f}",
                *(f"{item.cpu_ms:.0f}", f"{times:.0f}x" if times else "", item.runtime),
            )
        )
    if report.naive:
        time = report.naive.frame
        rows.append(
            (
                *("1", "naive"),
                f"{1e3 / time.median_ms:.2f} ({1e3 / time.p95_ms:.2f} to {1e3 / time.low_ms:.2f})",
                f"{time.median_ms:.0f} / {time.p95_ms:.0f} / {time.p99_ms:.0f}",
                *(f"{time.cpu_ms:.0f}", "1x", "torch, eager"),
            )
        )
    heads = (
        *("sentences", "how", "frames/s (slowest to fastest fifth)"),
        *("latency p50 / p95 / p99, ms", "CPU ms per frame", "times naive", "runtime"),
    )
    return _table(heads, rows)


def stages(report: Report) -> str:
    """The parts of the work, a column per number of threads, and what bounds each."""
    counts = sorted({item.threads for item in report.stages})
    names = list(dict.fromkeys(item.name for item in report.stages))
    times = {(item.name, item.threads): item.time for item in report.stages}
    rows = []
    for name in names:
        cells = []
        for threads in counts:
            time = times.get((name, threads))
            cells.append(
                f"{time.median_ms:.2f} ({time.low_ms:.2f} to {time.p95_ms:.2f})" if time else ""
            )
        rows.append((name, *cells, BOUND_BY.get(name, "sentences times objects")))
    heads = (f"{threads} thread(s)" for threads in counts)
    return _table(("ms, median (5 to 95 %)", *heads, "bound by"), rows)


def paper(report: Report) -> str:
    """The paper's network."""
    rows = []
    if one := report.paper_window:
        rows += [
            (
                f"one window at {one.size} px, PyTorch eager",
                f"{one.eager.median_ms:.0f} ms ({one.eager.low_ms:.0f} to {one.eager.p95_ms:.0f})",
            ),
            (
                f"the same on {one.runtime}",
                f"{one.fast.median_ms:.0f} ms ({one.fast.low_ms:.0f} to {one.fast.p95_ms:.0f}), "
                f"{100 * one.share_of_eager:.0f} % of eager",
            ),
            (
                "encoding it",
                f"{one.gflop:.1f} GFLOP at {one.gflops:.0f} GFLOP/s, "
                f"{100 * one.share_of_matrix:.0f} % of the matrix product's "
                f"{one.matrix_gflops:.0f}",
            ),
        ]
    if between := report.paper_stream:
        rows.append(
            (
                f"masks moved to every frame of a {between.camera_hz:g} Hz camera",
                f"{between.masks_hz:.1f} frames/s from {between.windows_hz:.1f} windows/s, moved "
                f"by {between.moved_ms:.0f} ms (at most {between.longest_moved_ms:.0f})",
            )
        )
    return _table(("paper's network, both streams", "measured"), rows)


def aims(report: Report) -> str:
    """The issue's targets beside what was measured."""
    rows = [
        (item.what, item.wanted, item.measured, "yes" if item.met else "no")
        for item in targets(report)
    ]
    return _table(("target", "wanted", "measured", "met in this run"), rows)


TABLES: dict[str, Callable[[Report], str]] = {
    "machine": machine,
    "targets": aims,
    "streams": streams,
    "stages": stages,
    "paper": paper,
}


def markdown(report: Report) -> str:
    """All tables, one after the other."""
    return "\n".join(make(report) for make in TABLES.values())


def update_page(path: Path, report: Report) -> None:
    """Replace the tables between the page's `<!-- bench NAME -->` marks; see `fill_page`."""
    fill_page(path, {name: make(report) for name, make in TABLES.items()})


def fill_page(path: Path, tables: Mapping[str, str]) -> None:
    """Replace what stands between `<!-- bench NAME -->` and the end mark, for each name.

    Raises:
        ConfigError: If the page cannot be read, or a mark is missing.
        DatasetError: If it cannot be written.
    """
    try:
        page = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the page {path}: {error}") from error
    for name, table in tables.items():
        start = f"<!-- bench {name} -->\n"
        before, found, rest = page.partition(start)
        _, ended, after = rest.partition(END)
        if not found or not ended:
            raise ConfigError(
                f"{path} has no place for the table {name!r}: put {start.strip()} and {END} on "
                "lines of their own"
            )
        page = before + start + table + END + after
    write_text(path, page)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
