"""One table out of all cells: mean and spread over the seeds beside the paper's figures."""

import csv
import io
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actseg_core.evaluation.masks import PAPER_THRESHOLDS
from actseg_core.evaluation.paper_tables import (
    ABLATION,
    OVERLAP_COLUMNS,
    PAIR_COLUMNS,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TITLES,
    PaperTable,
)
from actseg_core.evaluation.report import percent, table
from actseg_core.evaluation.tables import (
    NOT_MEASURED,
    Measurement,
    measured_values,
    read_measurement,
)
from actseg_core.experiments.constant_baseline import Floor
from actseg_core.experiments.findings import JudgedFinding
from actseg_core.experiments.plan import SETS, Cell, Row
from actseg_core.experiments.store import Store

PAPER_TABLE: dict[str, PaperTable] = {
    **dict.fromkeys(("frames", "text", "resolution", "streams"), ABLATION),
    "baselines": TABLE_1,
    "transfer": TABLE_2,
    "pairs": TABLE_3,
}


PEER_SETS = ("baselines", "transfer")


@dataclass(frozen=True)
class Value:
    """A figure over several seeds.

    Attributes:
        mean: Percent.
        spread: Sample standard deviation [percentage points]; None with one seed.
    """

    mean: float
    spread: float | None

    def __str__(self) -> str:
        return f"{self.mean:.1f}" + ("" if self.spread is None else f" ± {self.spread:.1f}")


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes:
        row: Its preset, label and queries.
        paper: Percent, in the order of the columns; None where the paper prints none.
        ours: What was measured; None where nothing was.
        peers: The same as later papers count; empty for the pairs.
        seeds: That were measured.
        data: What it was measured on.
        notes: How the network differs from the paper's row.
        failures: Why seeds are missing.
    """

    row: Row
    paper: tuple[float | None, ...]
    ours: tuple[Value | None, ...]
    peers: tuple[Value | None, ...]
    seeds: tuple[int, ...]
    data: str
    notes: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True)
class SetTable:
    """A set with its lines."""

    name: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def summarise_cells(cells: Iterable[Cell], store: Store) -> list[SetTable]:
    """Tables of the sets that have a cell in a plan.

    Raises:
        DatasetError: If a metrics.json is damaged.
    """
    by_row: dict[Row, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_row[cell.row].append(cell)
    tables = []
    for name, rows in SETS.items():
        wanted = [row for row in rows if row in by_row]
        if wanted:
            paper = PAPER_TABLE[name]
            columns = PAIR_COLUMNS if paper is TABLE_3 else OVERLAP_COLUMNS
            lines = tuple(_line(row, by_row[row], paper, columns, store) for row in wanted)
            tables.append(SetTable(name, paper.title, columns, lines))
    return tables


def _line(
    row: Row, cells: Sequence[Cell], paper: PaperTable, columns: tuple[str, ...], store: Store
) -> Line:
    measured = {
        cell.seed: read_measurement(store.metrics(cell))
        for cell in cells
        if store.is_measured(cell)
    }
    peers = [
        read_measurement(store.peers_metrics(cell)) for cell in cells if store.is_measured(cell)
    ]
    failures = [message for cell in cells if (message := store.failure(cell))]
    first = next(iter(measured.values()), None)
    return Line(
        row=row,
        paper=_papers(row, paper, columns),
        ours=_values(list(measured.values()), paper, len(columns)),
        peers=() if paper is TABLE_3 else _peers(peers),
        seeds=tuple(measured),
        data=_data(first),
        notes=first.provenance.notes[1:] if first else (),
        failures=tuple(dict.fromkeys(failures)),
    )


def _data(measurement: Measurement | None) -> str:
    """The mark of the data without the notes, which differ from row to row."""
    return measurement.provenance.mark.split("; trained at")[0] if measurement else ""


def _papers(row: Row, paper: PaperTable, columns: tuple[str, ...]) -> tuple[float | None, ...]:
    """The paper's figures; only its own setting, the classifier's picks, is in Table 3."""
    printed = [item.values for item in paper.rows if row.preset in item.presets]
    if not printed or row.queries in ("all", "given"):
        return (None,) * len(columns)
    values = dict(zip(paper.columns, printed[0], strict=True))
    return tuple(values.get(column) for column in columns)


def _values(
    measurements: Sequence[Measurement], paper: PaperTable, count: int
) -> tuple[Value | None, ...]:
    source = TABLE_3 if paper is TABLE_3 else TABLE_1
    lists = [measured_values(source, item.scores) for item in measurements]
    return tuple(_value([values[place] for values in lists]) for place in range(count))


def _peers(measurements: Sequence[Measurement]) -> tuple[Value | None, ...]:
    """P@K that counts IoU > K, COCO's average precision, overall and mean IoU."""
    lists = [_peer_figures(item.scores) for item in measurements]
    return tuple(
        _value([figures[place] for figures in lists]) for place in range(len(OVERLAP_COLUMNS))
    )


def _peer_figures(scores: Mapping[str, Any]) -> list[float | None]:
    masks = scores["masks"]
    shares = [masks["precision_strict"][f"{at:.2f}"] for at in PAPER_THRESHOLDS]
    shares += [scores["coco_ap"]["average"], masks["overall_iou"], masks["mean_iou"]]
    return [None if share is None else 100 * float(share) for share in shares]


def _value(figures: Sequence[float | None]) -> Value | None:
    known = [figure for figure in figures if figure is not None]
    if not known:
        return None
    spread = statistics.stdev(known) if len(known) > 1 else None
    return Value(statistics.fmean(known), spread)


def tables_markdown(
    tables: Sequence[SetTable],
    findings: Sequence[JudgedFinding],
    floors: Sequence[Floor] = (),
    *,
    notes: bool = True,
) -> str:
    """The verdicts, the fixed region and all tables for people.

    Args:
        tables: As `summarise_cells` gives them.
        findings: As `judge` gives them.
        floors: Scores of the fixed region.
        notes: Say below each table how its networks differ from the paper's.
    """
    parts = [findings_markdown(findings), *(_table_markdown(item, notes) for item in tables)]
    if peers := _peers_markdown(tables):
        parts.append(peers)
    if floors:
        parts.insert(1, _floors_markdown(floors))
    return "\n\n".join(parts) + "\n"


def _peers_markdown(tables: Sequence[SetTable]) -> str:
    """Tables 1 and 2 as the papers after this one count."""
    rows = []
    for item in tables:
        if item.name in PEER_SETS:
            for line in item.lines:
                figures = (NOT_MEASURED if it is None else str(it) for it in line.peers)
                rows.append([TITLES[PAPER_TABLE[item.name].kind], line.row.label, *figures])
    if not rows:
        return ""
    columns = [name.replace("mAP 0.5:0.95", "AP, COCO's") for name in OVERLAP_COLUMNS]
    return (
        "### As later papers count\n\nP@K counts IoU > K, and the average precision is COCO's, "
        "over all answers sorted by confidence (the paper's is the mean of P@K). On J-HMDB "
        "Sentences they ask about three random frames of each video, from a published list; the "
        "paper about three evenly spaced ones.\n\n" + table(["on", "row", *columns], rows, texts=2)
    )


def _floors_markdown(floors: Sequence[Floor]) -> str:
    rows = [
        [TITLES[floor.kind], percent(floor.scores.overall_iou), percent(floor.scores.mean_iou)]
        for floor in floors
    ]
    return (
        "### What knowing nothing is worth\n\nOne region for every sentence, the one that fits "
        "the training masks best:\n\n" + table(["layout", "overall IoU", "mean IoU"], rows)
    )


def findings_markdown(findings: Sequence[JudgedFinding]) -> str:
    """One line per claim: difference, interval and verdict; the finding's own verdict first."""
    rows = []
    for finding in findings:
        rows.append([f"**{finding.finding.text}**", "", "", "", "", f"**{finding.verdict}**"])
        for item in finding.claims:
            claim, found = item.claim, item.difference
            gap = f"{found.mean:+.1f}" if found else NOT_MEASURED
            ends = f"{found.low:+.1f} to {found.high:+.1f}" if found else NOT_MEASURED
            wide = " (wide)" if found and item.effect is not None and not item.is_narrow else ""
            effect = NOT_MEASURED if item.effect is None else f"{item.effect:+.1f}"
            name = f"`{claim.better}` over `{claim.worse}`"
            rows.append([name, claim.measure, effect, gap, ends + wide, item.verdict])
    heading = ["finding", "by", "the paper", "here", "95 % interval", "verdict"]
    return (
        "### Findings\n\n"
        + table(heading, rows, texts=2)
        + "\n\n(wide): not narrower than half of the difference that the paper reports."
    )


def _table_markdown(item: SetTable, notes: bool) -> str:
    rows = []
    for line in item.lines:
        if any(value is not None for value in line.paper):
            figures = (NOT_MEASURED if value is None else f"{value:.1f}" for value in line.paper)
            rows.append([line.row.label, "the paper", "", *figures])
        ours = (NOT_MEASURED if value is None else str(value) for value in line.ours)
        rows.append([line.row.label, "here", str(len(line.seeds)), *ours])
    heading = ["row", "by", "seeds", *item.columns]
    parts = [f"### `{item.name}`: {item.title}", table(heading, rows, texts=2)]
    parts += [f"Here on: {data}." for data in dict.fromkeys(it.data for it in item.lines) if data]
    if notes:
        parts.append(_notes_markdown(item.lines))
    parts += [
        f"Not finished, {line.row.label}: {why}" for line in item.lines for why in line.failures
    ]
    return "\n\n".join(dict.fromkeys(part for part in parts if part))


def _notes_markdown(lines: Sequence[Line]) -> str:
    """How the networks differ from the paper's rows, what all of them share said once."""
    measured = [line for line in lines if line.seeds]
    if not measured:
        return ""
    shared = [note for note in measured[0].notes if all(note in it.notes for it in measured)]
    texts = [f"Instead of the paper's row: {'; '.join(shared)}."] if shared else []
    for line in measured:
        if own := [note for note in line.notes if note not in shared]:
            texts.append(f"{line.row.label}: {'; '.join(own)}.")
    return " ".join(texts)


def tables_csv(tables: Sequence[SetTable]) -> str:
    """One line per figure: set, row, preset, queries, column, paper, mean, spread, seeds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["set", "row", "preset", "queries", "column", "paper", "mean", "spread", "seeds"]
    )
    for item in tables:
        for line in item.lines:
            facts = [item.name, line.row.label, line.row.preset, line.row.queries]
            for column, paper, ours in zip(item.columns, line.paper, line.ours, strict=True):
                figures = [paper, ours and ours.mean, ours and ours.spread]
                writer.writerow([*facts, column, *figures, len(line.seeds)])
    return text.getvalue()


def samples_by_row(cells: Iterable[Cell], store: Store) -> dict[str, dict[int, Path]]:
    """samples.jsonl of every measured cell about sentences, by preset and seed."""
    found: dict[str, dict[int, Path]] = defaultdict(dict)
    for cell in cells:
        if cell.kind != "a2d-pairs" and store.is_measured(cell):
            found[cell.row.preset][cell.seed] = store.samples(cell)
    return dict(found)
