"""`actseg tables`: the paper's tables, its figures beside what was measured here."""

from dataclasses import asdict
from pathlib import Path
from string import ascii_lowercase
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from actseg_core.evaluation.summary import write_json, write_text
from actseg_core.evaluation.tables import (
    NOT_MEASURED,
    FilledTable,
    Measurement,
    fill,
    find_measurements,
    tables_markdown,
)

DEFAULT_FOLDER = Path("out/evaluate")


def tables(
    results: Annotated[
        Path | None,
        typer.Argument(help="Folder with reports of `actseg evaluate`; out/evaluate if left out."),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder to write tables.md and .json to.")] = Path(
        "out/tables"
    ),
) -> None:
    """Fill the paper's tables with what was measured, each figure marked with its data."""
    measurements: list[Measurement] = []
    if results is not None or DEFAULT_FOLDER.is_dir():
        measurements = find_measurements(results or DEFAULT_FOLDER)
    filled = fill(measurements)
    write_text(output / "tables.md", tables_markdown(filled))
    write_json(output / "tables.json", [asdict(item) for item in filled])
    console = Console()
    sources: dict[tuple[str, str], str] = {}
    for item in filled:
        console.print(_shown(item, sources))
    for (source, data), letter in sources.items():
        console.print(f"({letter}) {source}; {data}", markup=False, soft_wrap=True)
    written = f"{len(measurements)} reports; written to {output / 'tables.md'}"
    console.print(written, markup=False, soft_wrap=True)


def _shown(filled: FilledTable, sources: dict[tuple[str, str], str]) -> Table:
    """A narrow table; what was measured on what is said below, under a letter of its own."""
    table = Table(title=filled.title, box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("method")
    for column in filled.columns:
        table.add_column(
            column.replace(": ", " ").replace("-", " ").replace(" ", "\n"), justify="right"
        )
    for line in filled.lines:
        label = line.label if line.is_papers else "  ours"
        if line.data and not line.is_papers:
            letter = sources.setdefault((line.source, line.data), _letter(len(sources)))
            label = f"{label} ({letter})"
        cells = (NOT_MEASURED if value is None else f"{value:.1f}" for value in line.values)
        table.add_row(label, *cells)
    return table


def _letter(number: int) -> str:
    """a to z, then aa, ab, ..."""
    first, last = divmod(number, len(ascii_lowercase))
    return (_letter(first - 1) if first else "") + ascii_lowercase[last]
