"""`actseg generate`: rendered clips in the layout of A2D Sentences or J-HMDB Sentences."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from actseg_core.errors import ConfigError
from actseg_core.generator.dataset import generate_dataset
from actseg_core.generator.records import VideoRecord
from actseg_core.generator.settings import DatasetConfig


def generate(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; an unfinished one goes on.")],
    layout: Annotated[str, typer.Option(help="a2d or jhmdb.")] = "a2d",
    videos: Annotated[int, typer.Option(help="Number of videos.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same data set.")] = 0,
    cutouts: Annotated[
        str, typer.Option(help="Folder with instances.json (COCO format) and images/.")
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="KEY=VALUE of the data set (test_share, flow, fps, ...) or of the scene "
            "(scene.frames, scene.height, scene.held_out_words, ...); repeatable.",
        ),
    ] = None,
) -> None:
    """Render videos of the seven actors with sentences, masks, instance ids and true flow.

    Interrupted runs are resumed by the same command; more videos can be added the same way.
    """
    scene: dict[str, Any] = {"frames": 32}
    if cutouts:
        scene["cutouts"] = str(Path(cutouts).resolve())
    mapping = {"layout": layout, "videos": videos, "seed": seed, "scene": scene}
    config = DatasetConfig.from_mapping(with_settings(mapping, settings or []))
    console = Console()
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        TimeRemainingColumn(),
    )
    start, kept = time.monotonic(), -1
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("videos", total=config.videos)

        def progress(done: int, wanted: int) -> None:
            nonlocal kept
            kept = done if kept < 0 else kept
            bar.update(task, completed=done, total=wanted)

        records = generate_dataset(folder, config, workers=workers, progress=progress)
    made, seconds = len(records) - kept, time.monotonic() - start
    console.print(summary(folder, records), markup=False, soft_wrap=True)
    if made > 0:
        console.print(f"{made / seconds:.1f} videos per second with {workers} process(es)")


def with_settings(mapping: dict[str, Any], settings: list[str]) -> dict[str, Any]:
    """Put KEY=VALUE settings, with dots for nested keys and YAML values, into a mapping.

    Raises:
        ConfigError: If a setting has no "=" or its value is no YAML.
    """
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set wants KEY=VALUE, got {setting!r}; write scene.frames=16")
        *path, last = key.strip().split(".")
        place = mapping
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigError(f"--set {key}: {part} has no settings of its own")
        try:
            place[last] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {key}: {value!r} is no YAML value ({error})") from None
    return mapping


def summary(folder: Path, records: list[VideoRecord]) -> str:
    """What was written, for people."""
    sentences = sum(len(record.queries) for record in records)
    test = sum(record.split for record in records)
    pairs = {actor["pair"] for record in records for actor in record.actors}
    return (
        f"{folder}: {len(records)} videos ({len(records) - test} train, {test} test), "
        f"{sentences} sentences, {len(pairs)} of 43 actor-action pairs"
    )
