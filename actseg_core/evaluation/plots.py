"""Plots of a run, with matplotlib's Agg canvas: nothing is shown, nothing global is touched."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from actseg_core.evaluation.masks import THRESHOLDS, MaskScores
from actseg_core.evaluation.presence import CalibrationBin
from actseg_core.evaluation.report_files import replaced

# Okabe and Ito's palette, as in visualize.py: told apart by colour-blind people as well.
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#e69f00", "#009e73", "#888888"


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own [inches], without pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path, dpi: int = 110) -> None:
    """Write a PNG, whole or not at all.

    Raises:
        DatasetError: If it cannot be written.
    """
    with replaced(path) as partial:
        figure.savefig(partial, dpi=dpi, format="png")


def iou_histogram(scores: MaskScores) -> Figure:
    """Number of samples per twentieth of IoU, with the mean."""
    figure = new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    width = 1 / len(scores.histogram)
    lefts = [index * width for index in range(len(scores.histogram))]
    axes.bar(lefts, scores.histogram, width, align="edge", color=BLUE, edgecolor="white")
    axes.axvline(scores.mean_iou, color=ORANGE, label=f"mean IoU {100 * scores.mean_iou:.1f} %")
    axes.set(xlim=(0, 1), xlabel="IoU", ylabel="samples", title=f"{scores.samples} samples")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    _bare(axes)
    return figure


def precision_curve(scores: MaskScores) -> Figure:
    """Precision over the IoU thresholds .50:.05:.95; the paper's mAP is its mean."""
    figure = new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    percent = [100 * value for value in scores.precision]
    axes.plot(THRESHOLDS, percent, "o-", color=BLUE, label="samples with IoU ≥ K")
    mean = 100 * scores.map_mean_precision
    axes.axhline(mean, color=ORANGE, linestyle="--", label=f"their mean, mAP {mean:.1f} %")
    axes.set(xlabel="K", ylabel="P@K [%]", ylim=(0, max(100.0, *percent) * 1.02))
    axes.set_xticks(THRESHOLDS)
    axes.legend(frameon=False)
    _bare(axes)
    return figure


def pair_bars(by_pair: dict[str, MaskScores]) -> Figure:
    """Overall and mean IoU of every actor-action pair, most samples first."""
    names = sorted(by_pair, key=lambda name: -by_pair[name].samples)
    figure = new_figure(6.4, 1.2 + 0.3 * len(names))
    axes = figure.add_subplot()
    places = range(len(names))
    for shift, colour, label, values in (
        (-0.2, BLUE, "mean IoU", [by_pair[name].mean_iou for name in names]),
        (0.2, ORANGE, "overall IoU", [by_pair[name].overall_iou for name in names]),
    ):
        heights = [place + shift for place in places]
        axes.barh(heights, [100 * value for value in values], 0.38, color=colour, label=label)
    axes.set_yticks(places, [f"{name} ({by_pair[name].samples})" for name in names])
    limits = (len(names) - 0.5, -0.5)  # the first pair on top
    axes.set(xlim=(0, 100), ylim=limits, xlabel="IoU [%] (samples in brackets)")
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    _bare(axes)
    return figure


def calibration_plot(bins: Sequence[CalibrationBin]) -> Figure:
    """How often the actor is there at each level of confidence; the diagonal is right."""
    figure = new_figure(4.4, 4.4)
    axes = figure.add_subplot()
    used = [item for item in bins if item.samples]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="calibrated")
    confidences, shares = [item.confidence for item in used], [item.present for item in used]
    axes.plot(confidences, shares, "o-", color=GREEN, label="measured (samples)")
    for item in used:
        axes.annotate(
            str(item.samples),
            (item.confidence, item.present),
            textcoords="offset points",
            xytext=(0, 6),
            ha="center",
            fontsize=8,
        )
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.06), xlabel="confidence", ylabel="share really there")
    axes.legend(frameon=False)
    _bare(axes)
    return figure


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(alpha=0.25)
