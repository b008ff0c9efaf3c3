"""A report as a picture."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from actseg_core.bench.report import Report
from actseg_core.bench.soak import LOOK, MOTION, PARTS, RESIZE, SEE
from actseg_core.bench.targets import CAMERA_HZ
from actseg_core.evaluation.pictures import BLUE, GREEN, GREY, ORANGE, new_figure

STACK = (BLUE, ORANGE, GREEN, "#56b4e9", "#cc79a7", "#f0e442", "#d55e00", GREY)


def plot(report: Report) -> Figure:
    """Rates by sentences, parts of a frame's work, memory over a long run."""
    panels = 3 if report.soak else 2
    figure = new_figure(6.4 * panels, 4.2)
    axes = figure.subplots(1, panels)
    _rates(axes[0], report)
    _parts(axes[1], report)
    if report.soak:
        _memory(axes[2], report.soak.samples_mb)
    for item in axes:
        item.spines[["top", "right"]].set_visible(False)
    return figure


def _rates(axes: Axes, report: Report) -> None:
    counts = list(dict.fromkeys(item.sentences for item in report.streams))
    places = range(len(counts))
    for offset, way, colour in ((-0.2, "in turn", ORANGE), (0.2, "overlapped", BLUE)):
        cases = [report.stream(count, way) for count in counts]  # type: ignore[arg-type]
        rates = [item.rate_hz if item else 0.0 for item in cases]
        below = [item.rate_hz - item.low_hz if item else 0.0 for item in cases]
        above = [item.high_hz - item.rate_hz if item else 0.0 for item in cases]
        axes.bar(
            [place + offset for place in places],
            rates,
            0.4,
            yerr=([max(0.0, value) for value in below], [max(0.0, value) for value in above]),
            color=colour,
            ecolor=GREY,
            label=way,
        )
    axes.axhline(CAMERA_HZ, color=GREEN, linestyle="--", label=f"camera, {CAMERA_HZ:g} Hz")
    axes.set_xticks(list(places), [str(count) for count in counts])
    axes.set(xlabel="sentences", ylabel="frames/s", title="Engine at full speed")
    axes.legend(frameon=False)


def _parts(axes: Axes, report: Report) -> None:
    threads = sorted({item.threads for item in report.stages})
    count = report.settings.sentences[0]
    shown = (RESIZE, SEE, LOOK, MOTION, *PARTS, f"respond to {count}", f"masks of {count}")
    times = {(item.name, item.threads): item.time.median_ms for item in report.stages}
    bottom = [0.0] * len(threads)
    for name, colour in zip(shown, STACK, strict=True):
        heights = [_alone(name, number, times) for number in threads]
        axes.bar([str(item) for item in threads], heights, 0.5, bottom, color=colour, label=name)
        bottom = [low + high for low, high in zip(bottom, heights, strict=True)]
    axes.set(xlabel="threads", ylabel="ms", title="One frame's work")
    axes.set_xlim(-0.6, len(threads) - 0.4)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(  # in the order of the stack, beside it
        handles[::-1], labels[::-1], frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5)
    )


def _alone(name: str, threads: int, times: dict[tuple[str, int], float]) -> float:
    """Milliseconds of a part without the parts that it is made of."""
    parts = sum(times.get((part, threads), 0.0) for part in PARTS.get(name, ()))
    return max(0.0, times.get((name, threads), 0.0) - parts)


def _memory(axes: Axes, samples_mb: tuple[float, ...]) -> None:
    frames = [100 * index for index in range(len(samples_mb))]
    axes.plot(frames, samples_mb, color=BLUE)
    axes.set(xlabel="frames", ylabel="resident memory [MB]", title="Long run", ylim=(0, None))
