"""`actseg ablate`: the paper's ablations and comparisons, trained, measured and judged."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actseg_core.cli.generate import with_settings
from actseg_core.experiment_config import merged
from actseg_core.experiments.constant_baseline import measure_floors
from actseg_core.experiments.estimate import training_seconds
from actseg_core.experiments.plan import Plan, make_plan
from actseg_core.experiments.report import (
    TABLE_FILE,
    fill_page,
    page_content,
    shown_files,
    write_results,
)
from actseg_core.experiments.run import Runner, make_data, make_train
from actseg_core.experiments.scale import AblationScale, load_scale
from actseg_core.experiments.store import Store

FAILED_EXIT = 1


def ablate(
    sets: Annotated[
        list[str] | None,
        typer.Argument(
            help="frames, text, resolution, streams, baselines, transfer, pairs; all if left out."
        ),
    ] = None,
    data: Annotated[
        Path, typer.Option(help="Folder with a2d and jhmdb; what is missing is generated.")
    ] = Path("data/ablate"),
    run: Annotated[
        Path, typer.Option(help="Folder of the run; an unfinished one goes on.")
    ] = Path("runs/ablate"),
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of every network.")] = 3,
    scale: Annotated[
        str, typer.Option(help="cpu, paper, or a YAML file: what replaces the paper's sizes.")
    ] = "cpu",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE of the scale (stage.iterations=500); repeatable."),
    ] = None,
    only: Annotated[
        str, typer.Option(help="Only rows whose preset or label contains this text.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what is left to do, with an estimate of time.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Only write the table of what is measured already.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option(help="Page whose marked part is replaced by the table.")
    ] = None,
) -> int:
    """Train and measure the paper's ablations; writes ablation.md, .csv, .json and plots.

    Interrupted at any moment, the same command goes on. One failed row does not stop the others.
    """
    chosen = _scale(scale, settings or [])
    plan = _only(make_plan(chosen, sets or [], seeds), only)
    console = Console()
    if dry_run:
        console.print(_listing(plan, run))
        return 0
    store = Store(run)
    start = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - start:7.0f} s  {text}", markup=False, soft_wrap=True)

    store.claim(chosen)
    make_data(data, chosen, say)
    floors = measure_floors(data, chosen.limit)

    def write() -> None:
        write_results(plan, store, floors)

    failed = 0
    if not report:
        train = make_train(chosen, data, run)
        failed = Runner(plan, chosen, data, run, train, announce=say, after=write).run()
    content = write_results(plan, store, floors)
    if page is not None:
        shown = page_content(plan, store, floors, chosen)
        fill_page(page, shown, shown_files(plan, store))
    console.print(content, markup=False, highlight=False, soft_wrap=True)
    written = f"{failed} cells failed; written to {run / TABLE_FILE}"
    console.print(written, markup=False, soft_wrap=True)
    return FAILED_EXIT if failed else 0


def _scale(name: str, settings: list[str]) -> AblationScale:
    changes: dict[str, Any] = with_settings({}, settings)
    mapping = merged(load_scale(name).model_dump(mode="json"), changes)
    return AblationScale.from_mapping(mapping)


def _only(plan: Plan, text: str) -> Plan:
    fitting = [cell for cell in plan.cells if text in cell.row.preset or text in cell.row.label]
    return Plan(tuple(fitting))


def _listing(plan: Plan, run: Path) -> Table:
    """Every cell with its state, and minutes for the trainings that it is the first to need."""
    store, left = Store(run), training_seconds(plan.trainings, run)
    table = Table("row", "seed", "trainings", "state", "minutes of training")
    total = sum(left.values()) / 60
    for cell in plan.cells:
        seconds = sum(left.pop(item.name, 0.0) for item in cell.trainings)
        state = "measured" if store.is_measured(cell) else escape(store.failure(cell)) or "to do"
        names = ", ".join(item.title for item in cell.trainings)
        minutes = f"{seconds / 60:.1f}" if seconds else ""
        table.add_row(
            f"{cell.row.preset} {cell.row.queries}", str(cell.seed), names, state, minutes
        )
    table.caption = (
        f"{total:.0f} minutes of training are left on this machine, measurements not counted"
    )
    return table
