"""The paper's tables, its figures beside ours; a cell nobody measured holds "-"."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from actseg_core.errors import DatasetError
from actseg_core.evaluation.masks import PAPER_THRESHOLDS
from actseg_core.evaluation.paper_tables import (
    ABLATION,
    CLASSIFICATION,
    OVERLAP_COLUMNS,
    PAPER_TABLES,
    TABLE_3,
    PaperRow,
    PaperTable,
    Provenance,
)
from actseg_core.evaluation.report import FORMAT, METRICS_FILE, VERSION, table

NOT_MEASURED = "-"
THE_PAPER = "the paper"
FILE_LIMIT_BYTES = 50_000_000
OWN_TABLE = PaperTable("Own data", "custom", OVERLAP_COLUMNS, ())


@dataclass(frozen=True)
class Measurement:
    """A run's metrics.json.

    Attributes:
        path: Of the file.
        provenance: What was measured, on what.
        scores: As `summary` writes them.
    """

    path: Path
    provenance: Provenance
    scores: dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One line of a filled table.

    Attributes:
        label: Method; empty where it is that of the line above.
        source: THE_PAPER, or the model that was measured; empty if nothing was measured.
        data: What it was measured on, and whether that is the paper's data.
        values: Percent, in the order of the columns; None where there is no figure.
    """

    label: str
    source: str
    data: str
    values: tuple[float | None, ...]

    @property
    def is_papers(self) -> bool:
        """Whether the paper prints it."""
        return self.source == THE_PAPER


@dataclass(frozen=True)
class FilledTable:
    """A table with our lines below the paper's."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def find_measurements(folder: Path) -> list[Measurement]:
    """All runs below a folder, by path.

    Raises:
        DatasetError: If there is no such folder, or a metrics.json in it is damaged.
    """
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}; write one with `actseg evaluate`")
    return [read_measurement(path) for path in sorted(folder.rglob(METRICS_FILE))]


def read_measurement(path: Path) -> Measurement:
    """Read a run's metrics.json.

    Raises:
        DatasetError: If it is damaged, of another program or of a newer version.
    """
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise DatasetError(f"{path} is larger than {FILE_LIMIT_BYTES} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] > VERSION:
            raise DatasetError(
                f"{path} is of {content['format']!r} version {content['version']}, wanted "
                f"{FORMAT!r} up to version {VERSION}; update actseg or evaluate again"
            )
        provenance = TypeAdapter(Provenance).validate_python(content["provenance"])
        measurement = Measurement(path, provenance, dict(content["scores"]))
        for paper_table in (*PAPER_TABLES, OWN_TABLE):
            if paper_table.kind == measurement.provenance.kind:
                measured_values(paper_table, measurement.scores)
        return measurement
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(
            f"{path} is no report of `actseg evaluate` ({type(error).__name__}: {error}); "
            "delete it or evaluate again"
        ) from error


def fill(measurements: Sequence[Measurement]) -> list[FilledTable]:
    """The paper's tables with every measurement in its place, and one for own data if any."""
    tables = [_fill(paper_table, measurements) for paper_table in PAPER_TABLES]
    own = _fill(OWN_TABLE, measurements)
    return [*tables, own] if own.lines else tables


def _fill(paper_table: PaperTable, measurements: Sequence[Measurement]) -> FilledTable:
    fitting = [item for item in measurements if item.provenance.kind == paper_table.kind]
    lines: list[Line] = []
    for row in paper_table.rows:
        lines.append(Line(row.label, THE_PAPER, "the paper's data", row.values))
        lines += _our_lines(paper_table, row, fitting)
    if paper_table not in (ABLATION, CLASSIFICATION):
        placed = {preset for row in paper_table.rows for preset in row.presets}
        lines += [
            _line(paper_table, item, "not in the paper")
            for item in fitting
            if item.provenance.row not in placed
        ]
    return FilledTable(paper_table.title, paper_table.columns, tuple(lines))


def _our_lines(
    paper_table: PaperTable, row: PaperRow, fitting: Sequence[Measurement]
) -> list[Line]:
    lines = [_line(paper_table, item) for item in fitting if item.provenance.row in row.presets]
    ours = [line for line in lines if any(value is not None for value in line.values)]
    empty = (None,) * len(paper_table.columns)
    return ours or ([Line("", "", "", empty)] if row.presets else [])


def _line(paper_table: PaperTable, item: Measurement, label: str = "") -> Line:
    there = item.provenance
    comparable = "the paper's data: " if there.is_papers_data else "not comparable: "
    return Line(
        label,
        f"{there.model} ({there.weights})",
        comparable + there.mark,
        measured_values(paper_table, item.scores),
    )


def measured_values(paper_table: PaperTable, scores: dict[str, Any]) -> tuple[float | None, ...]:
    """Percent for the columns of a table, from the scores of a fitting run.

    Raises:
        KeyError, TypeError: If the scores are not as `summary` writes them.
    """
    if paper_table is TABLE_3:
        tasks = [scores["semantic"][task] for task in ("actor", "action", "joint")]
        kinds = ("class_average", "global_accuracy", "mean_iou")
        return tuple(_percent(task[kind]) for task in tasks for kind in kinds)
    if paper_table is CLASSIFICATION:
        classified = scores["classification"]
        return (_percent(classified["mean_average_precision"]) if classified else None,)
    masks = scores["masks"]
    if paper_table is ABLATION:
        return (_percent(masks["overall_iou"]),)
    precisions = [masks["precision"][f"{at:.2f}"] for at in PAPER_THRESHOLDS]
    means = [masks[name] for name in ("map_mean_precision", "overall_iou", "mean_iou")]
    return tuple(_percent(value) for value in (*precisions, *means))


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * float(value)


def tables_markdown(tables: Sequence[FilledTable]) -> str:
    """All tables for people; percent with one decimal."""
    parts = [
        "# The paper's tables, side by side with what was measured here",
        "Percent. mAP is the mean of P@.50:.05:.95, as in the paper. Our P@K counts IoU >= K; the "
        "paper does not say whether it counts IoU = K. "
        '"-": the paper prints no figure, or nobody has measured it here. A line that is not '
        "comparable was measured on other data than the paper's, or not as the paper did.",
    ]
    for item in tables:
        rows = [
            [
                *(line.label, line.source or "ours", line.data or NOT_MEASURED),
                *(NOT_MEASURED if value is None else f"{value:.1f}" for value in line.values),
            ]
            for line in item.lines
        ]
        parts.append(
            f"## {item.title}\n\n" + table(["method", "by", "on", *item.columns], rows, texts=3)
        )
    return "\n\n".join(parts) + "\n"
