"""`actseg export`: a model as ONNX, for runtimes other than PyTorch, and its checker."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from actseg_core.checkpoints.checkpoint import checkpoint_path, load_checkpoint
from actseg_core.errors import BackendError, ConfigError
from actseg_core.runtime.export import Difference, check_folder, export_folder

FORMATS = ("onnx",)


def export(
    model: Annotated[
        str, typer.Argument(help="Preset with weights, or a .safetensors file.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to write; it must not exist.")] = None,
    format_: Annotated[str, typer.Option("--format", help="Only onnx so far.")] = "onnx",
    half: Annotated[
        bool, typer.Option("--half", help="Compute in float16; inputs and outputs stay float32.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an exported folder.")] = False,
    check: Annotated[
        Path | None, typer.Option(help="Only check a folder that was exported before.")
    ] = None,
) -> None:
    """Write trunk, head and decoder as ONNX (word vectors in, mask logits out), and check them.

    The folder's model.json names every input and output; reference.npz holds examples. The check
    runs them in ONNX Runtime and OpenVINO and compares with PyTorch.
    """
    if format_ not in FORMATS:
        raise ConfigError(f"there is no format {format_!r}; choose one of {', '.join(FORMATS)}")
    if check is None:
        if not model or out is None:
            raise ConfigError("say what to export where: actseg export MODEL --out FOLDER")
        export_folder(load_checkpoint(checkpoint_path(model)).model, out, half, force)
        check = out
    elif model or out is not None:
        raise ConfigError("--check checks a folder and exports nothing; leave MODEL and --out off")
    found = list(check_folder(check))
    Console().print(_table(found))
    failed = [item for item in found if not item.passes]
    if failed:
        raise BackendError(
            f"{len(failed)} of {len(found)} checks of {check} failed: "
            + "; ".join(f"{item.graph} in {item.runtime}" for item in failed)
        )


def _table(found: list[Difference]) -> Table:
    table = Table("graph", "runtime", "largest difference", "allowed", "")
    for item in found:
        verdict = "passes" if item.passes else item.problem or "differs"
        table.add_row(
            item.graph, item.runtime, f"{item.largest:.1e}", f"{item.allowed:g}", verdict
        )
    return table
