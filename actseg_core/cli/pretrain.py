"""`actseg pretrain`: I3D weights of a reduced width, in place of those from Kinetics."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from actseg_core.config import Stream
from actseg_core.errors import ConfigError
from actseg_core.training.pretrain import load_pretrain_config
from actseg_core.training.pretrain import pretrain as run_pretraining


def pretrain(
    data: Annotated[
        Path, typer.Argument(help="Folder in A2D's layout, as `actseg generate` writes it.")
    ],
    config: Annotated[str, typer.Option(help="Preset or the path of a .yaml file.")] = "small",
    run: Annotated[
        Path, typer.Option(help="Folder of logs, states and weights; an unfinished run goes on.")
    ] = Path("runs/pretrain"),
    stream: Annotated[str, typer.Option(help="rgb or flow; both of the preset if left out.")] = "",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read clips.")] = 0,
) -> None:
    """Train I3D to classify what actors do; give the weights to `actseg train`."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, advertisements
    settings = load_pretrain_config(config)
    wanted: list[Stream] = [name for name in settings.streams if stream in ("", name)]
    if not wanted:
        raise ConfigError(
            f"{settings.name} has no stream {stream!r}; give {' or '.join(settings.streams)}"
        )
    for name in wanted:
        path, scores = run_pretraining(settings, name, data, run, workers=workers)
        typer.echo(f"{path}: --set {name}_weights={path}")
        if scores:
            said = ", ".join(f"{key} {value:.3g}" for key, value in sorted(scores.items()))
            typer.echo(f"held-out clips: {said}")
