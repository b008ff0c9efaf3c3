"""A contact sheet: the best, the median and the worst answers, and the worst false alarms."""

import textwrap
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.evaluation.coco import decode
from actseg_core.evaluation.plots import new_figure
from actseg_core.evaluation.run import Row

COLUMNS = 5
MAGENTA, WHITE, BLACK = (255, 0, 255), (255, 255, 255), (0, 0, 0)  # few things are magenta
FILL_OPACITY = 0.45
COLUMN_IN, TITLE_IN, TITLE_WIDTH = 2.6, 0.6, 34  # inches, inches, characters
ImageOf = Callable[[Row], NDArray[np.uint8]]


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
