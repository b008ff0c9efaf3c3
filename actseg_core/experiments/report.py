"""Results of the experiments as files: tables, bars, learning curves, and a page of the docs."""

import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from actseg_core.errors import ConfigError, DatasetError
from actseg_core.evaluation.pictures import BLUE, ORANGE, new_figure, save_figure
from actseg_core.evaluation.summary import mask_values, replaced, write_json, write_text
from actseg_core.experiments import report
from actseg_core.experiments.constant_baseline import Floor
from actseg_core.experiments.finding_figures import finding_figures, finding_file
from actseg_core.experiments.findings import FINDINGS, JudgedFinding, judge
from actseg_core.experiments.plan import Plan
from actseg_core.experiments.scale import AblationScale, scale_markdown
from actseg_core.experiments.store import Store
from actseg_core.experiments.summary import (
    SetTable,
    samples_by_row,
    summarise_cells,
    tables_csv,
    tables_markdown,
)
from actseg_core.training.logs import METRICS_FILE, read_rows

COLUMN = "overall IoU"
PAIR_COLUMN = "actor and action: mean IoU"
SMOOTHED_OVER = 9  # logged values
CURVES_PER_ROW = 3
BEGIN = "<!-- written by actseg ablate: begin -->"
END = "<!-- written by actseg ablate: end -->"
TABLE_FILE = "ablation.md"
PLOTS = ("bars.png", "curves.png")
CONTACT_SHEET = "contact_sheet.png"
FUSED = "ablation_stream_rgb_flow"


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


def fill_page(page: Path, content: str, pictures: Sequence[Path] = ()) -> None:
    """Replace what is between the two marks of a page.

    Args:
        page: Markdown.
        content: What to put there.
        pictures: Files shown below it, copied to images/ beside the page as ablation_NAME.

    Raises:
        ConfigError: If the page lacks the marks.
        DatasetError: If it cannot be read or written.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {page}: {error}") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(
            f"{page} needs the lines {BEGIN!r} and {END!r} around the generated part"
        )
    shown = [f"![{path.stem}](images/{_copied(path, page)})" for path in pictures]
    inside = "\n\n".join([content.strip(), *shown])
    write_text(page, f"{before}{BEGIN}\n\n{inside}\n\n{END}{after}")


def _copied(picture: Path, page: Path) -> str:
    name = f"ablation_{picture.name}"
    with replaced(page.parent / "images" / name) as partial:
        shutil.copyfile(picture, partial)
    return name


def write_results(plan: Plan, store: Store, floors: Sequence[Floor] = ()) -> str:
    """Write ablation.md, .csv and .json, bars.png and curves.png from what is measured so far.

    Args:
        plan: What is wanted.
        store: The run folder.
        floors: Scores of the fixed region, for comparison.

    Returns:
        The content of ablation.md.

    Raises:
        DatasetError: If a result is damaged, or a file cannot be written.
    """
    tables = summarise_cells(plan.cells, store)
    samples = samples_by_row(plan.cells, store)
    findings = judge(samples)
    text = tables_markdown(tables, findings, floors)
    for item, figure in finding_figures(findings, samples):
        save_figure(figure, store.root / finding_file(item))
    write_text(store.root / TABLE_FILE, text)
    write_text(store.root / "ablation.csv", tables_csv(tables))
    write_json(store.root / "ablation.json", _document(tables, findings, floors))
    save_figure(report.bars(tables), store.root / PLOTS[0])
    if losses := _losses(plan, store):
        save_figure(report.curves(losses), store.root / PLOTS[1])
    return text


def page_content(plan: Plan, store: Store, floors: Sequence[Floor], scale: AblationScale) -> str:
    """What a page shows: the scale once, in place of the notes below each table of ablation.md."""
    tables = summarise_cells(plan.cells, store)
    findings = judge(samples_by_row(plan.cells, store))
    text = tables_markdown(tables, findings, floors, notes=False)
    return f"{scale_markdown(scale)}\n\n{text}"


def shown_files(plan: Plan, store: Store) -> list[Path]:
    """The pictures of a page that exist: one per finding, the curves, the fused network's answers.

    They are those of the first seed of RGB and flow together.
    """
    named = [store.root / finding_file(finding) for finding in FINDINGS]
    named += [store.root / name for name in PLOTS[1:]]
    if fused := [cell for cell in plan.cells if cell.row.preset == FUSED]:
        named.append(store.cell(fused[0]) / CONTACT_SHEET)
    return [path for path in named if path.is_file()]


def _document(
    tables: Sequence[SetTable], findings: Sequence[JudgedFinding], floors: Sequence[Floor]
) -> dict[str, object]:
    verdicts = [
        asdict(item)
        | {"verdict": item.verdict, "verdicts": [claim.verdict for claim in item.claims]}
        for item in findings
    ]
    fixed = {floor.kind: mask_values(floor.scores) for floor in floors}
    sets = [asdict(item) for item in tables]
    return {"sets": sets, "findings": verdicts, "fixed_region": fixed}


def _losses(plan: Plan, store: Store) -> dict[str, list[NDArray[np.float64]]]:
    """Curves by panel, network and stage, a seed each; nothing of trainings without a log."""
    found: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for training in plan.trainings:
        for path in sorted(store.training(training).rglob(METRICS_FILE)):
            values = report.read_losses(path)
            stage = f" {path.parent.name}" if len(training.experiment.stages) > 1 else ""
            if len(values):
                found[f"{_panel(training.title)}/{training.title}{stage}"].append(values)
    return dict(found)


def _panel(title: str) -> str:
    """Networks whose losses can be compared: the same maps, weighed in the same way."""
    if title.startswith(("rgb", "flow")):
        return "one resolution" if "single" in title else "three resolutions"
    return "image baselines"
