"""`actseg bench`: how fast the engine is on this machine; JSON, tables and a plot."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markdown import Markdown

from actseg_core.bench.report import Report, run
from actseg_core.bench.setup import BenchConfig
from actseg_core.bench.tables import markdown, update_page
from actseg_core.config import RuntimeConfig
from actseg_core.errors import ConfigError
from actseg_core.evaluation.summary import write_json, write_text

DEFAULTS = BenchConfig()


def bench(
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("out/bench"),
    model: Annotated[
        str, typer.Option(help="Preset with weights, or a .safetensors file; an objects model.")
    ] = DEFAULTS.model,
    video: Annotated[
        Path | None, typer.Option(help="Camera images; a generated clip if left out.")
    ] = None,
    sentences: Annotated[
        list[int] | None, typer.Option(help="Active sentences; repeatable.")
    ] = None,
    frames: Annotated[int, typer.Option(help="Measured frames per case.")] = DEFAULTS.frames,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch_compile, onnxruntime or openvino.")
    ] = "auto",
    paper: Annotated[bool, typer.Option(help="Also measure the paper's network.")] = True,
    soak: Annotated[int, typer.Option(help="Frames of the test of memory; 20000 is ours.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer sentences, frames and calls.")
    ] = False,
    read: Annotated[
        Path | None, typer.Option(help="Measure nothing; read this bench.json instead.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the tables into this page, docs/performance.md.")
    ] = None,
) -> None:
    """Time the streaming engine, its parts, the naive version and the paper's network."""
    console = Console()
    if read is None:
        settings = BenchConfig.from_mapping(
            {
                "model": model,
                "sentences": sentences or DEFAULTS.sentences,
                "frames": frames,
                "paper": paper,
                "soak_frames": soak,
            }
        )
        report = run(
            settings.quick() if quick else settings,
            video,
            RuntimeConfig.from_mapping({"runtime": runtime}),
            console.print,
        )
    else:
        report = load(read)
    tables = markdown(report)
    write_json(output / "bench.json", report.model_dump(mode="json"))
    write_text(output / "bench.md", tables)
    _plot(report, output / "bench.png", console)
    if page is not None:
        update_page(page, report)
    console.print(Markdown(tables))
    console.print(f"written: {output}", markup=False, soft_wrap=True)


def load(path: Path) -> Report:
    """A report that was written before.

    Raises:
        ConfigError: If it cannot be read, or is no report of this version.
    """
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"{path} is no bench.json of this version ({reason}); measure anew with actseg bench"
        ) from error


def _plot(report: Report, path: Path, console: Console) -> None:
    try:
        from actseg_core.bench.plot import plot
        from actseg_core.evaluation.pictures import save_figure
    except ImportError:
        console.print("no plot: matplotlib is missing; pip install 'actseg[train]'")
        return
    save_figure(plot(report), path)
