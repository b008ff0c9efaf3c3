"""Bars with error bars per set, and learning curves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from actseg_core.evaluation.plots import BLUE, ORANGE, new_figure
from actseg_core.experiments.summary import SetTable
from actseg_core.training.logs import read_rows

COLUMN = "overall IoU"
PAIR_COLUMN = "actor and action: mean IoU"
SMOOTHED_OVER = 9  # logged values
CURVES_PER_ROW = 3


def bars(tables: Sequence[SetTable]) -> Figure:
    """One panel per set: what was measured with its spread, and the paper's figures as marks."""
    columns = min(len(tables), 4)
    lines = -(-len(tables) // columns)
    figure = new_figure(3.4 * columns, 3.2 * lines)
    for place, item in enumerate(tables, 1):
        _bars(figure.add_subplot(lines, columns, place), item)
    figure.suptitle("bars: here, on generated data; diamonds: the paper, on its data", fontsize=9)
    return figure


def _bars(axes: Axes, item: SetTable) -> None:
    name = COLUMN if COLUMN in item.columns else PAIR_COLUMN
    column = item.columns.index(name)
    for place, line in enumerate(item.lines):
        if value := line.ours[column]:
            axes.bar(place, value.mean, 0.7, yerr=value.spread, color=BLUE, capsize=4)
        paper = line.paper[column]
        if paper is not None:
            axes.plot(place, paper, "D", color=ORANGE, markersize=5)
    axes.set_xticks(range(len(item.lines)), [line.row.label for line in item.lines])
    axes.tick_params(axis="x", labelrotation=20, labelsize=7)
    axes.set_title(f"{item.name}: {name} [%]", fontsize=9)
    axes.set(xlim=(-0.6, len(item.lines) - 0.4))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)


def read_losses(path: Path) -> NDArray[np.float64]:
    """(N, 2) float64 of step and training loss out of the metrics.csv of a training."""
    rows = [(row["step"], row["loss"]) for row in read_rows(path) if "loss" in row]
    return np.array(rows, np.float64).reshape(-1, 2)


def curves(losses: Mapping[str, Sequence[NDArray[np.float64]]]) -> Figure:
    """Training loss over the steps, a panel per kind of network, a line per training.

    Args:
        losses: By "PANEL/LINE", as `read_losses` gives them, one per seed.
    """
    panels: dict[str, dict[str, Sequence[NDArray[np.float64]]]] = defaultdict(dict)
    for name, seeds in losses.items():
        panel, _, line = name.rpartition("/")
        panels[panel][line] = seeds
    columns = min(len(panels), CURVES_PER_ROW)
    lines = -(-len(panels) // columns)
    figure = new_figure(4.2 * columns, 3.2 * lines)
    for place, (panel, items) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(lines, columns, place)
        for number, (line, seeds) in enumerate(items.items()):
            for seed, values in enumerate(seeds):
                label = line if seed == 0 else None
                steps, smooth = smoothed(values)
                axes.plot(steps, smooth, color=f"C{number}", alpha=0.8, lw=1.0, label=label)
        axes.set(title=panel, xlabel="step", ylabel="training loss")
        axes.legend(frameon=False, fontsize=7)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def smoothed(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps and losses, each loss the mean of up to SMOOTHED_OVER values around it."""
    half = SMOOTHED_OVER // 2
    sums = np.concatenate([[0.0], np.cumsum(values[:, 1])])
    places = np.arange(len(values))
    low, high = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    return values[:, 0], (sums[high] - sums[low]) / (high - low)
