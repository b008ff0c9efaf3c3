"""All figures of a run, and the order in which they are taken."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import torch
from pydantic import Field

from actseg_core.bench import setup
from actseg_core.bench.hardware import Hardware, MatrixRate, cores, describe, matrix_rate
from actseg_core.bench.paper import PaperStream, PaperWindow, moving, window
from actseg_core.bench.setup import BenchConfig, pictures
from actseg_core.bench.soak import (
    NewSentence,
    Soak,
    Stage,
    all_threads,
    measure_stages,
    new_sentence,
    one_thread,
    soak,
)
from actseg_core.bench.streams import Image, NaiveCase, StreamCase, Way, naive, stream
from actseg_core.config import Config, RuntimeConfig


class Report(Config):
    """What `actseg bench` writes as bench.json."""

    taken: str
    """Date and time, UTC."""
    camera: str
    """File name of the video, or what was generated."""
    settings: BenchConfig
    """What was asked for."""
    hardware: Hardware
    """The machine."""
    matrix: tuple[MatrixRate, ...]
    """Rate of the matrix product per number of threads, before everything else and after it."""
    streams: tuple[StreamCase, ...] = ()
    """The engine at full speed."""
    naive: NaiveCase | None = None
    """The naive version."""
    stages: tuple[Stage, ...] = ()
    """Parts of the work."""
    new_sentence: NewSentence | None = None
    """Delay of a changed sentence."""
    paper_window: PaperWindow | None = None
    """One window of the paper's network."""
    paper_stream: PaperStream | None = None
    """Its masks in between."""
    soak: Soak | None = None
    """Memory over many frames."""
    load_after: float = Field(0.0, ge=0.0)
    """Processes that wanted a core in the last minute of the run, this one included."""

    def stream(self, sentences: int, way: Way) -> StreamCase | None:
        """The case of these settings, if it was measured."""
        wanted = (sentences, way)
        found = (item for item in self.streams if (item.sentences, item.way) == wanted)
        return next(found, None)


Say = Callable[[str], None]


def run(
    settings: BenchConfig, video: Path | None, runtime: RuntimeConfig, say: Say = print
) -> Report:
    """Measure everything; takes minutes.

    Args:
        settings: What to measure.
        video: Camera images; None: generated.
        runtime: What runs the network; its threads are set per case.
        say: Told what is being measured.

    Raises:
        ActSegError: If the network, the runtime or the video cannot be used.
    """
    threads = cores()
    images = pictures(video)
    report = Report(
        taken=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        camera=(video.name if video else "generated") + f", {_size(images[0].shape)}",
        settings=settings,
        hardware=describe(),
        matrix=_matrix(threads, say),
    )
    report = _default_model(report, runtime, images, say)
    if settings.paper:
        report = _paper(report, runtime, images, say)
    if settings.soak_frames:
        say(f"memory over {settings.soak_frames} frames")
        all_threads()
        predictor = setup.streamed(settings.model, _on(runtime, threads))
        lasted = soak(predictor, images, settings.soak_frames)
        report = report.model_copy(update={"soak": lasted})
    matrix = (*report.matrix, *_matrix(threads, say))
    return report.model_copy(update={"matrix": matrix, "load_after": describe().load_before})


def _default_model(
    report: Report, runtime: RuntimeConfig, images: list[Image], say: Say
) -> Report:
    settings, threads = report.settings, cores()
    all_threads()
    whole = setup.streamed(settings.model, _on(runtime, threads))
    cases = []
    for count in settings.sentences:
        say(f"{count} sentences, in turn")
        cases.append(stream(whole, images, settings.frames, count, "in turn", threads))
    say("a new sentence, and the parts on all threads")
    new = new_sentence(whole, images, settings.calls)
    parts = measure_stages(whole, images, settings.sentences, settings.calls, threads)
    one_thread()
    half = setup.streamed(settings.model, _on(runtime, 1))
    for count in settings.sentences:
        say(f"{count} sentences, overlapped")
        cases.append(stream(half, images, settings.frames, count, "overlapped", 1))
    say("the parts on one thread")
    parts += measure_stages(half, images, settings.sentences, settings.calls, 1)
    say("naive")
    all_threads()
    plain = naive(setup.layer_by_layer(settings.model), images, settings.naive_frames)
    return report.model_copy(
        update={
            "streams": tuple(cases),
            "naive": plain,
            "stages": tuple(parts),
            "new_sentence": new,
        }
    )


def _paper(report: Report, runtime: RuntimeConfig, images: list[Image], say: Say) -> Report:
    settings = report.settings
    all_threads()
    say(f"paper's network at {settings.paper_size} px, one window")
    network = setup.paper(settings.paper_size)
    eager = network.predictor(None)
    fast = network.predictor(_on(runtime, cores()))
    one = window(eager, fast, images, settings.paper_windows)
    say("paper's network, masks in between")
    between = moving(fast, images, settings.camera_hz, settings.paper_seconds)
    return report.model_copy(update={"paper_window": one, "paper_stream": between})


def _matrix(threads: int, say: Say) -> tuple[MatrixRate, ...]:
    say("matrix product")
    rates = tuple(matrix_rate(count) for count in sorted({1, threads}))
    torch.set_num_threads(threads)
    return rates


def _on(runtime: RuntimeConfig, threads: int) -> RuntimeConfig:
    return runtime.model_copy(update={"threads": threads})


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
