"""`actseg segment`: a video file and sentences to overlays, masks and a list of answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TextIO, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typing_extensions import Self

from actseg_core.cli.progress import progress
from actseg_core.cli.stopping import stop_signals, until
from actseg_core.config import Runtime, RuntimeConfig, StreamConfig
from actseg_core.errors import ActSegError, VideoError
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.window import NANOSECONDS
from actseg_core.types import Frame, MaskResult
from actseg_core.video import VideoWriter, probe, read_video
from actseg_core.video.writer import MAX_RATE
from actseg_core.visualize import overlay, save_png

RUNTIMES = get_args(Runtime)
MIN_GAP_S = 60.0
GAP_INTERVALS = 10.0  # a longer pause is a break: the recording was stopped


@dataclass
class Tally:
    """Answers to one sentence.

    Attributes:
        answered: Frames that were answered.
        found: Those in which the actor was found.
        confidences: One per answered frame, in [0, 1].
    """

    answered: int = 0
    found: int = 0
    confidences: list[float] = field(default_factory=list)

    def add(self, result: MaskResult) -> None:
        """Count one answer."""
        self.answered += 1
        self.found += result.found
        self.confidences.append(result.confidence)


def segment(
    video: Annotated[Path, typer.Argument(help="Video file or folder of images.")],
    sentences: Annotated[list[str], typer.Argument(help="One or more sentences.")],
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("out/segment"),
    model: Annotated[
        str, typer.Option(help="Preset with weights, or a .safetensors file.")
    ] = "lite",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")] = "cpu",
    masks: Annotated[bool, typer.Option(help="Also write one PNG per mask.")] = False,
    runtime: Annotated[str, typer.Option(help=f"What runs it: {', '.join(RUNTIMES)}.")] = "auto",
    threads: Annotated[int, typer.Option(help="Of the network on a CPU; 0: all cores.")] = 0,
    half: Annotated[bool, typer.Option("--half", help="Compute in 16 bits; not exact.")] = False,
) -> None:
    """Segment what the sentences describe; writes overlay.mp4 and answers.jsonl.

    Each answer is on disk at once. Where the video breaks off the exit code is 2, after Ctrl-C
    130, and what was answered before stays.
    """
    settings = RuntimeConfig.from_mapping({"runtime": runtime, "threads": threads, "half": half})
    predictor = Predictor.load(model, device, settings)
    queries = [(str(index), predictor.read(text)) for index, text in enumerate(sentences)]
    info = probe(video)
    # A file has no gaps but those that are long by its own measure, however slow it is.
    gap_s = max(MIN_GAP_S, GAP_INTERVALS * info.interval_s)
    engine = StreamingEngine(predictor, StreamConfig(max_gap_s=gap_s))
    engine.set_queries(queries)
    texts = dict(zip((name for name, _ in queries), sentences, strict=True))
    broken: ActSegError | None = None
    read = 0
    with stop_signals() as stop, Answers(output, info.fps, texts, masks) as answers:
        waiting: list[Frame] = []
        try:
            with progress(read_video(video), "frames", info.frames or None) as frames:
                for item in until(stop, frames):
                    frame = Frame(
                        item.image, round(item.time_s * NANOSECONDS), sequence=item.index
                    )
                    read += 1
                    waiting.append(frame)
                    engine.push(frame)
                    results = engine.answer()
                    if results:
                        stamp_ns = next(iter(results.values())).stamp_ns
                        answers.add(_take(waiting, stamp_ns), results)
        except ActSegError as error:
            broken = error
    if answers.frames:
        Console().print(_table(texts, answers.tallies))
    kept = f"the {answers.frames} frames answered before are in {output}"
    if broken is not None:
        raise VideoError(f"{broken}; {kept}" if answers.frames else str(broken)) from broken
    if stop.number:
        typer.echo(f"actseg: ended by {stop.name} after {read} frames; {kept}", err=True)
        raise typer.Exit(stop.exit_code)
    _explain(video, read, answers.frames, engine)


class Answers:
    """overlay.mp4, answers.jsonl and the masks; complete whatever ends the work.

    Args:
        folder: Made if missing.
        fps: Nominal rate of the overlay; its frames are at the video's own times.
        texts: Sentences by their names.
        masks: Whether to write masks.

    Attributes:
        frames: Answered frames.
        tallies: By the sentences' names.

    Raises:
        VideoError: If a file cannot be written.
    """

    def __init__(self, folder: Path, fps: float, texts: dict[str, str], masks: bool) -> None:
        self.frames = 0
        self.tallies = {name: Tally() for name in texts}
        self._folder, self._texts, self._masks = folder, texts, masks
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._overlay = VideoWriter(folder / "overlay.mp4", min(fps, MAX_RATE), keep=True)
        self._lines: TextIO | None = None
        self._first_ns = 0

    def add(self, frame: Frame, results: dict[str, MaskResult]) -> None:
        """Write the answers about a frame, by the sentences' names."""
        path = self._folder / "answers.jsonl"
        with _writing(path):
            if self._lines is None:
                self._lines = path.open("w", encoding="utf-8", buffering=1)  # line by line
                self._first_ns = frame.stamp_ns
            for name, result in results.items():
                self._lines.write(json.dumps(_record(frame, self._texts[name], result)) + "\n")
        self.frames += 1
        for name, result in results.items():
            self.tallies[name].add(result)
            if self._masks:
                save_png(self._folder / f"mask_{name}_{frame.sequence:06d}.png", result.mask)
        shown = [(self._texts[name], result) for name, result in results.items()]
        time_s = (frame.stamp_ns - self._first_ns) / NANOSECONDS
        self._overlay.write(overlay(frame.image, shown), time_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lines is None:
            return
        with _writing(self._folder / "answers.jsonl"):
            self._lines.close()
        self._overlay.close()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VideoError(
            f"cannot write {path}: {error.strerror}; is the disk full or read-only?"
        ) from error


def _explain(video: Path, read: int, answered: int, engine: StreamingEngine) -> None:
    """Say why frames at the beginning of a window have no answer.

    Raises:
        VideoError: If none has one.
    """
    window = engine.predictor.config.frames
    breaks = engine.resets
    if breaks and answered:
        typer.echo(
            f"actseg: {breaks} breaks in {video}, the last: {engine.last_reset}; the first "
            f"{window - 1} frames after each are not answered",
            err=True,
        )
    if answered:
        return
    why = f"has {read} frames, fewer than the {window} of one window"
    if breaks:
        why = f"never shows {window} frames without a break (the last: {engine.last_reset})"
    raise VideoError(f"{video} {why}; nothing can be answered")


def _take(waiting: list[Frame], stamp_ns: int) -> Frame:
    """The frame of a stamp; older ones are forgotten."""
    while waiting[0].stamp_ns != stamp_ns:
        waiting.pop(0)
    return waiting[0]


def _record(frame: Frame, sentence: str, result: MaskResult) -> dict[str, Any]:
    return {
        "frame": frame.sequence,
        "time_s": frame.stamp_ns / NANOSECONDS,
        "sentence": sentence,
        "found": result.found,
        "confidence": round(result.confidence, 4),
        "area_px": int((result.mask > 0).sum()),
        "actors": [
            {
                "track_id": actor.track_id,
                "confidence": round(actor.confidence, 4),
                "box_px": [round(side, 1) for side in actor.box],
                "evidence": [item.as_json() for item in actor.evidence],
            }
            for actor in result.actors
        ],
        "unused_words": list(result.unused),
        "unknown_words": list(result.unknown),
    }


def _table(texts: dict[str, str], tallies: dict[str, Tally]) -> Table:
    table = Table("sentence", "frames answered", "found in", "mean confidence")
    for name, text in texts.items():
        tally = tallies[name]
        mean = sum(tally.confidences) / max(1, tally.answered)
        table.add_row(escape(text), str(tally.answered), str(tally.found), f"{mean:.2f}")
    return table
