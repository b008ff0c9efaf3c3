"""Pictures of a report: plots, and a contact sheet of the best, middle and worst answers."""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.evaluation.masks import THRESHOLDS, MaskScores, decode
from actseg_core.evaluation.presence import CalibrationBin
from actseg_core.evaluation.run import Row
from actseg_core.evaluation.summary import replaced

# Okabe and Ito's palette, as in visualize.py: told apart by colour-blind people as well.
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#e69f00", "#009e73", "#888888"
COLUMNS = 5
MAGENTA, WHITE, BLACK = (255, 0, 255), (255, 255, 255), (0, 0, 0)  # few things are magenta
FILL_OPACITY = 0.45
COLUMN_IN, TITLE_IN, TITLE_WIDTH = 2.6, 0.6, 34  # inches, inches, characters
ImageOf = Callable[[Row], NDArray[np.uint8]]


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


def choose(rows: Sequence[Row], count: int = COLUMNS) -> dict[str, list[Row]]:
    """At most `count` rows for each line of the sheet, no row twice.

    Lines are "best", "median" and "worst", out of the upper, middle and lower third by IoU of the
    questions with a target, and "not there, but marked", by marked share, out of those without.
    Within a line, other sentences come before another frame of one already shown. Empty lines are
    left out.
    """
    targets = sorted(
        (row for row in rows if row.has_target), key=lambda row: (-row.iou, row.sample_id)
    )
    third = max(1, len(targets) // 3)
    middle = targets[third:-third] if len(targets) > 2 else []
    centre = (len(middle) - 1) / 2
    from_centre = sorted(range(len(middle)), key=lambda place: abs(place - centre))
    alarms = [row for row in rows if not row.has_target and row.marked]
    lines = {
        "best": targets[:third],
        "median": [middle[place] for place in from_centre],
        "worst": targets[max(third, len(targets) - third) :][::-1],
        "not there, but marked": sorted(alarms, key=lambda row: (-row.marked, row.sample_id)),
    }
    return {name: _varied(line, count) for name, line in lines.items() if line}


def _varied(rows: Sequence[Row], count: int) -> list[Row]:
    """The first rows, those of one video and sentence (or false alarm's video) only in need."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        first.setdefault((row.video_id, row.sentence if row.has_target else ""), row)
    chosen = list(first.values())
    shown = {row.sample_id for row in chosen}
    return [*chosen, *(row for row in rows if row.sample_id not in shown)][:count]


def contact_sheet(rows: Sequence[Row], image_of: ImageOf, count: int = COLUMNS) -> Figure | None:
    """The predicted mask in magenta and the outline of the truth in white, over the frames.

    Args:
        rows: Of a run.
        image_of: Gives the frame of a row, (H, W, 3) uint8 RGB; called only for those shown.
        count: Pictures per line.

    Returns:
        None if there is nothing to show.

    Raises:
        ShapeError: If an image has another size than the masks.
    """
    lines = choose(rows, count)
    if not lines:
        return None
    columns = max(len(chosen) for chosen in lines.values())
    masks = [row.truth for chosen in lines.values() for row in chosen]
    aspect = max(mask.height / mask.width for mask in masks)
    figure = new_figure(COLUMN_IN * columns + 0.4, (COLUMN_IN * aspect + TITLE_IN) * len(lines))
    grid = figure.subplots(len(lines), columns, squeeze=False)
    for (name, chosen), axes_row in zip(lines.items(), grid, strict=True):
        axes_row[0].set_ylabel(name)
        for axes, row in zip(axes_row, [*chosen, *[None] * (columns - len(chosen))], strict=True):
            _show(axes, row, image_of)
    return figure


def draw(image: NDArray[np.uint8], row: Row) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: the image with predicted mask and outline of the truth.

    Raises:
        ShapeError: If the image has another size than the masks.
    """
    truth, predicted = decode(row.truth), decode(row.predicted)
    if image.shape != (*truth.shape, 3):
        raise ShapeError(
            f"the frame of {row.sample_id} must be {(*truth.shape, 3)} like its mask, "
            f"got {image.shape}"
        )
    canvas = image.copy()
    blend = canvas[predicted] * (1 - FILL_OPACITY) + np.array(MAGENTA) * FILL_OPACITY
    canvas[predicted] = blend.astype(np.uint8)
    width = max(1, canvas.shape[0] // 160)
    for mask, colour, thickness in (
        (predicted, MAGENTA, width),
        (truth, BLACK, 3 * width),  # so that the white line shows on snow, too
        (truth, WHITE, width),
    ):
        lines, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        cv2.drawContours(canvas, lines, -1, colour, thickness)
    return canvas


def _show(axes: Axes, row: Row | None, image_of: ImageOf) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if row is None:
        return
    axes.imshow(draw(image_of(row), row))
    title = textwrap.wrap(row.sentence, TITLE_WIDTH)[:2]
    value = (
        f"IoU {100 * row.iou:.0f} %, "
        if row.has_target
        else f"{(row.swapped or 'absent').replace('_', ' ')}, "
    )
    axes.set_title("\n".join([*title, f"{value}confidence {row.confidence:.2f}"]), fontsize=7)
