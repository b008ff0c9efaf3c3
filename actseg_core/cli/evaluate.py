"""`actseg evaluate`: a data set and a network to figures, plots and a contact sheet."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typing_extensions import Self

from actseg_core.checkpoints.stored import checkpoint_path
from actseg_core.cli.progress import progress
from actseg_core.cli.segment import RUNTIMES
from actseg_core.cli.stopping import stop_signals, until
from actseg_core.config import RuntimeConfig
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.a2d_sentences import A2DSentences
from actseg_core.datasets.samples import BadData, SentenceDataset
from actseg_core.errors import ActSegError, ConfigError, DatasetError
from actseg_core.evaluation.clip_questions import ClipAnswerer, ClipQuestion, ClipQuestions
from actseg_core.evaluation.datasets import (
    check_kind,
    open_pairs,
    open_sentences,
    origin_of,
    row_of,
    weights_mark,
)
from actseg_core.evaluation.measured import measure_pairs, measure_sentences
from actseg_core.evaluation.pair_frames import (
    QUERIES,
    Proposals,
    classifier_proposals,
    known_proposals,
)
from actseg_core.evaluation.paper_tables import Kind, Provenance
from actseg_core.evaluation.report import REPORT_FILE, percent
from actseg_core.evaluation.run import Evaluation, Row
from actseg_core.evaluation.run import evaluate as ask
from actseg_core.evaluation.summary import row_values
from actseg_core.evaluation.swaps import Swapper, describe, shown_pairs
from actseg_core.predictor import NetworkPredictor, Predictor

SHOWN_PROBLEMS = 20
PART_FILE = "samples.part.jsonl"


@dataclass(frozen=True)
class Run:
    """What is measured, and where the report goes.

    Attributes:
        kind: Layout of the data set.
        path: Its folder.
        split: Empty: all of it.
        limit: Most samples; 0: all.
        skip_bad: Whether to leave damaged items out.
        model: Preset with weights, or a .safetensors file.
        row: Row of the paper's tables; empty: found by the network's name.
        output: Where to write; None: a folder named after network and data.
        device: Where the network runs.
        runtime: What runs it.
    """

    kind: Kind
    path: Path
    split: str
    limit: int
    skip_bad: bool
    model: str
    row: str
    output: Path | None
    device: str
    runtime: RuntimeConfig

    def load(self) -> Predictor:
        """The network, ready to be asked."""
        return Predictor.load(self.model, self.device, self.runtime)

    def folder(self, predictor: Predictor) -> Path:
        """Where the report goes."""
        return self.output or Path("out/evaluate") / f"{predictor.config.name}_{self.kind}"

    def provenance(
        self, predictor: Predictor, bad: BadData, asked: int, available: int, notes: list[str]
    ) -> Provenance:
        """The mark of the figures."""
        row, differences = row_of(predictor.config, self.kind, self.row)
        return Provenance(
            kind=self.kind,
            origin=origin_of(self.kind, self.path),
            folder=self.path.resolve().name,
            split=self.split,
            asked=asked,
            available=available,
            left_out=len(bad),
            model=predictor.config.name,
            weights=weights_mark(checkpoint_path(self.model)),
            row=row,
            notes=(*differences, *notes, *self._runtime_note()),
            problems=tuple(bad.messages[:SHOWN_PROBLEMS]),
        )

    def _runtime_note(self) -> list[str]:
        if self.runtime == RuntimeConfig():
            return []
        return [f"runtime {self.runtime.runtime}" + ", 16 bits" * self.runtime.half]


def evaluate(
    kind: Annotated[
        str, typer.Argument(help="a2d-sentences, jhmdb-sentences, a2d-pairs or custom.")
    ],
    path: Annotated[Path, typer.Argument(help="Folder of the data set.")],
    model: Annotated[
        str, typer.Option(help="Preset with weights, or a .safetensors file.")
    ] = "lite",
    row: Annotated[
        str,
        typer.Option(
            help="Row of the paper's tables that the network stands for (table1_rgb, ...); "
            "found by its name if left out."
        ),
    ] = "",
    output: Annotated[
        Path | None, typer.Option(help="Folder to write; out/evaluate/MODEL_KIND if left out.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="train or test for A2D (test), any name for custom data (all).")
    ] = "",
    limit: Annotated[
        int, typer.Option(min=0, help="Ask about so many samples, evenly spread; 0: all.")
    ] = 0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave damaged items out and count them.")
    ] = False,
    swaps: Annotated[
        bool, typer.Option(help="Also ask false sentences (a2d-sentences only).")
    ] = True,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Show one frame over and over: no motion.")
    ] = False,
    following: Annotated[
        bool, typer.Option("--following", help="Also answer the next frame: consistency.")
    ] = False,
    queries: Annotated[
        str,
        typer.Option(help="Pairs to ask for (a2d-pairs only): given, all, or by --classifier."),
    ] = "",
    classifier: Annotated[
        Path | None,
        typer.Option(help="Ask for this classifier's picks, from `actseg train-classifier`."),
    ] = None,
    frame_list: Annotated[
        Path | None, typer.Option(help="Published list of frames (jhmdb-sentences only).")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")] = "cpu",
    runtime: Annotated[str, typer.Option(help=f"What runs it: {', '.join(RUNTIMES)}.")] = "auto",
    half: Annotated[bool, typer.Option("--half", help="Compute in 16 bits; not exact.")] = False,
) -> None:
    """Measure a network on a data set; writes metrics.json, report.md, samples.jsonl, plots."""
    known = check_kind(kind)
    split = split or ("test" if known in ("a2d-sentences", "a2d-pairs") else "")
    settings = RuntimeConfig.from_mapping({"runtime": runtime, "half": half})
    what = Run(known, path, split, limit, skip_bad, model, row, output, device, settings)
    if known != "a2d-pairs":
        if queries or classifier is not None:
            raise ConfigError("--queries and --classifier are for a2d-pairs, not for sentences")
        dataset = open_sentences(known, path, split, frame_list=frame_list, skip_bad=skip_bad)
        _evaluate_sentences(what, dataset, swaps, frozen, following)
        return
    if frozen or following or frame_list is not None:
        raise ConfigError("--frozen, --following and --frame-list are for sentences, not pairs")
    if queries and (queries not in QUERIES or classifier is not None):
        raise ConfigError(
            f"--queries must be {' or '.join(QUERIES)}, without --classifier, got {queries!r}"
        )
    dataset = open_pairs(path, split, skip_bad=skip_bad)
    if classifier is None:
        _evaluate_pairs(what, dataset, known_proposals(dataset, queries or "given"))
    else:
        _evaluate_pairs(what, dataset, classifier_proposals(dataset, classifier, device))


def _evaluate_sentences(
    what: Run, dataset: SentenceDataset, swaps: bool, frozen: bool, following: bool
) -> None:
    predictor = what.load()
    notes = ["frozen clips"] if frozen else []
    what.provenance(predictor, dataset.bad, 0, 0, notes)  # a wrong row is said before the work
    described, swapper = {}, None
    if swaps and isinstance(dataset, A2DSentences):
        described = describe(dataset, dataset.layout, skip_bad=what.skip_bad)
        labels = open_pairs(what.path, what.split, skip_bad=what.skip_bad).video_labels
        swapper = Swapper(described.values(), shown_pairs(labels))
    questions = ClipQuestions(
        dataset,
        predictor.config,
        predictor.read,
        limit=what.limit,
        described=described,
        swapper=swapper,
        frozen=frozen,
        following=following,
    )
    console = Console()
    folder = what.folder(predictor)

    def mark(asked: int, available: int) -> Provenance:
        return what.provenance(predictor, dataset.bad, asked, available, notes)

    with AnsweredRows(folder / PART_FILE) as rows:

        def ask_all(asked: Iterable[ClipQuestion], answer: ClipAnswerer) -> Evaluation:
            with progress(asked, "sentences", len(questions), console) as shown:
                return _ask(shown, answer, rows, dataset.bad)

        provenance, evaluation = measure_sentences(predictor, questions, folder, mark, ask_all)
        rows.remove()
    masks, presence = evaluation.masks, evaluation.presence
    values = {
        "overall IoU": masks.overall_iou,
        "mean IoU": masks.mean_iou,
        "P@0.5": masks.precision_at(0.5),
        "mAP 0.5:0.95": masks.map_mean_precision,
        "found where there": presence.target_accuracy,
        "not found where absent": presence.absent.accuracy,
    }
    _show(console, provenance, values, folder)


class AnsweredRows:
    """The lines of samples.jsonl while a run goes on: what is left of one that breaks off.

    Args:
        path: Of the file.

    Attributes:
        count: Lines so far.
        path: As given.

    Raises:
        DatasetError: If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: TextIO | None = None

    def add(self, row: Row) -> None:
        """Write one line at once."""
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8", buffering=1)
            self._file.write(json.dumps(row_values(row), allow_nan=False) + "\n")
        except OSError as error:
            raise DatasetError(
                f"cannot write {self.path}: {error.strerror}; give another output folder"
            ) from error
        self.count += 1

    def remove(self) -> None:
        """Its content is in the report now."""
        self.path.unlink(missing_ok=True)

    def __str__(self) -> str:
        return f"the {self.count} samples answered before are in {self.path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _ask(
    questions: Iterable[ClipQuestion], answer: ClipAnswerer, rows: AnsweredRows, bad: BadData
) -> Evaluation:
    """Ask all; say what is kept where a sample is damaged or a signal comes.

    Raises:
        DatasetError: If a sample cannot be read, or none is left.
        Exit: After a signal.
    """
    with stop_signals() as stop:
        try:
            evaluation = ask(until(stop, questions), answer, rows.add)
        except ActSegError as error:
            if not stop.number:
                raise DatasetError(_where_it_broke(error, rows, bad)) from error
    if stop.number:
        typer.echo(f"actseg: ended by {stop.name}; {rows}", err=True)
        raise typer.Exit(stop.exit_code)
    return evaluation


def _where_it_broke(error: ActSegError, rows: AnsweredRows, bad: BadData) -> str:
    text = str(error)
    if bad and not rows.count:
        text += f"; {len(bad)} damaged items were left out, the first: {bad.messages[0]}"
    elif not bad.skip:
        text += "; --skip-bad leaves damaged items out"
    return f"{text}; {rows}" if rows.count else text


def _evaluate_pairs(what: Run, dataset: A2DPairs, proposals: Proposals) -> None:
    predictor = what.load()
    if not predictor.config.has_response_maps:
        raise ConfigError(
            f"{what.model} has no response maps of the 43 pairs; give a network that was trained "
            "on their names, like preset table3_pairs"
        )
    assert isinstance(predictor, NetworkPredictor)
    notes = [proposals.note]
    what.provenance(predictor, dataset.bad, 0, 0, notes)
    console, folder = Console(), what.folder(predictor)
    provenance, semantic, classified = measure_pairs(
        predictor,
        dataset,
        proposals,
        folder,
        lambda asked, available: what.provenance(predictor, dataset.bad, asked, available, notes),
        limit=what.limit,
        watch=lambda frames: progress(frames, "frames", len(frames), console),
        classifying=lambda: console.status("classifying all videos of the split"),
    )
    tasks = {"actor": semantic.actor, "action": semantic.action, "joint": semantic.joint}
    values = {f"{name}, mean IoU": scores.mean_iou for name, scores in tasks.items()}
    if classified is not None:
        values["classifier, mAP"] = classified.mean_average_precision
    _show(console, provenance, values, folder)


def _show(
    console: Console, provenance: Provenance, values: dict[str, float], folder: Path
) -> None:
    table = Table("measure", "%", title=escape(f"{provenance.model} on {provenance.mark}"))
    for name, value in values.items():
        table.add_row(name, percent(value))
    console.print(table)
    if provenance.left_out:
        console.print(f"{provenance.left_out} damaged items were left out")
    console.print(f"written to {folder / REPORT_FILE}", markup=False, soft_wrap=True)
