"""`actseg segment`: a video file and sentences to overlays, masks and a list of answers."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from actseg_core.config import Runtime, RuntimeConfig, StreamConfig
from actseg_core.errors import VideoError
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.window import NANOSECONDS
from actseg_core.types import Frame, MaskResult
from actseg_core.video import VideoWriter, probe, read_video
from actseg_core.visualize import overlay, save_png

RUNTIMES = get_args(Runtime)


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
    """Segment what the sentences describe; writes overlay.mp4 and answers.jsonl."""
    settings = RuntimeConfig.from_mapping({"runtime": runtime, "threads": threads, "half": half})
    predictor = Predictor.load(model, device, settings)
    queries = [(str(index), predictor.read(text)) for index, text in enumerate(sentences)]
    info = probe(video)
    # Files have no gaps: only their own time stamps count, however slow the file is.
    engine = StreamingEngine(predictor, StreamConfig(max_gap_s=60.0))
    engine.set_queries(queries)
    texts = dict(zip((name for name, _ in queries), sentences, strict=True))
    tallies = {name: Tally() for name in texts}
    output.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    waiting: list[Frame] = []
    with VideoWriter(output / "overlay.mp4", info.fps) as writer:
        for item in track(read_video(video), "frames", total=info.frames or None):
            frame = Frame(item.image, round(item.time_s * NANOSECONDS), sequence=item.index)
            waiting.append(frame)
            engine.push(frame)
            results = engine.answer()
            if not results:
                continue
            labelled = _take(waiting, next(iter(results.values())).stamp_ns)
            writer.write(
                overlay(labelled.image, [(texts[name], item) for name, item in results.items()])
            )
            for name, result in results.items():
                tallies[name].add(result)
                lines.append(json.dumps(_record(labelled, texts[name], result)))
                if masks:
                    save_png(output / f"mask_{name}_{labelled.sequence:06d}.png", result.mask)
    if not lines:
        raise VideoError(
            f"{video} has fewer frames than the {predictor.config.frames} of one window; "
            "nothing can be answered"
        )
    (output / "answers.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Console().print(_table(texts, tallies))


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
                "evidence": [
                    {
                        "part": item.part,
                        "words": " ".join(item.words),
                        "log_odds": round(item.log_odds, 2),
                    }
                    for item in actor.evidence
                ],
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
        table.add_row(text, str(tally.answered), str(tally.found), f"{mean:.2f}")
    return table
