"""`actseg train`: a row of the paper's tables from its preset."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from actseg_core.cli.generate import with_settings
from actseg_core.config import load_yaml
from actseg_core.training.processes import is_first_process
from actseg_core.training.run import train as run_training
from actseg_core.training.settings import split_settings


def train(
    config: Annotated[
        str, typer.Argument(help="Preset (table1_rgb, ...) or the path of a .yaml file.")
    ],
    data: Annotated[str, typer.Option(help="Folder of the training data.")] = "",
    run: Annotated[
        str, typer.Option(help="Folder of logs, states and results; runs/NAME if left out.")
    ] = "",
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of further settings, as for --set.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="KEY=VALUE of the run (precision, accumulate, devices, seed, iterations, "
            "rgb_weights, ...) or of the preset (size, video.width, experiment.train_on, ...); "
            "repeatable.",
        ),
    ] = None,
) -> None:
    """Train; an interrupted run goes on where it was saved. docs/training.md has all settings."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, advertisements
    mapping: dict[str, Any] = load_yaml(settings) if settings else {}
    mapping = with_settings(mapping, changes or [])
    mapping |= {key: value for key, value in (("data", data), ("run", run)) if value}
    path = run_training(config, split_settings(mapping), announce=_say)
    _say(f"written to {path}")


def _say(message: str) -> None:
    if is_first_process():
        typer.echo(message)
