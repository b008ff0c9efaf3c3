"""`actseg train-lite`: the recipe of the embedded default."""

from pathlib import Path
from typing import Annotated

import typer

from actseg_core.cli.generate import with_settings
from actseg_core.config import LiteTrainConfig, load_preset, load_yaml
from actseg_core.training.lite.recipe import train_lite as run_recipe


def train_lite(
    destination: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    photos: Annotated[str, typer.Option(help="Folder with instances.json and images/.")] = "",
    videos: Annotated[str, typer.Option(help="Folder in DAVIS layout with SENTENCES.tsv.")] = "",
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of further settings (LiteTrainConfig).")
    ] = None,
    run: Annotated[Path, typer.Option(help="Logs and the state to resume from.")] = Path(
        "runs/lite"
    ),
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE of the settings (iterations=600); repeatable."),
    ] = None,
) -> None:
    """Train the lite model; interrupted runs go on where they were saved.

    Without folders it trains on the project's generated clips alone.
    """
    mapping = load_yaml(settings) if settings else {}
    given = {"photos": photos, "videos": videos}
    mapping |= {key: value for key, value in given.items() if value}
    config = LiteTrainConfig.from_mapping(with_settings(mapping, changes or []))
    run_recipe(load_preset("lite"), config, run, destination)
    typer.echo(f"written to {destination}")
