"""The files of a run as a whole: table, figures, verdicts, plots."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from actseg_core.evaluation.plots import save_figure
from actseg_core.evaluation.report_files import write_json, write_text
from actseg_core.evaluation.summary import mask_values
from actseg_core.experiments import report
from actseg_core.experiments.constant_baseline import Floor
from actseg_core.experiments.findings import JudgedFinding, judge
from actseg_core.experiments.plan import Plan
from actseg_core.experiments.store import Store
from actseg_core.experiments.summary import (
    SetTable,
    samples_by_row,
    summarise_cells,
    tables_csv,
    tables_markdown,
)
from actseg_core.training.logs import METRICS_FILE

TABLE_FILE = "ablation.md"
PLOTS = ("bars.png", "curves.png")


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
    findings = judge(samples_by_row(plan.cells, store))
    text = tables_markdown(tables, findings, floors)
    write_text(store.root / TABLE_FILE, text)
    write_text(store.root / "ablation.csv", tables_csv(tables))
    write_json(store.root / "ablation.json", _document(tables, findings, floors))
    save_figure(report.bars(tables), store.root / PLOTS[0])
    if losses := _losses(plan, store):
        save_figure(report.curves(losses), store.root / PLOTS[1])
    return text


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
