"""A run folder belongs to one run: what that is, is noted in it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actseg_core.errors import ConfigError, TrainingError
from actseg_core.training.processes import is_first_process

CLAIM = "config.json"


def claim(folder: Path, wanted: Mapping[str, Any]) -> None:
    """Note in its folder what a run is of, or refuse a folder with another run.

    Raises:
        ConfigError: If the folder holds another run.
        TrainingError: If it cannot be written.
    """
    place = folder / CLAIM
    try:
        if place.is_file():
            _compare(place, wanted)
        elif is_first_process():
            folder.mkdir(parents=True, exist_ok=True)
            partial = place.with_suffix(".part")
            partial.write_text(json.dumps(wanted, indent=1) + "\n")
            partial.replace(place)
    except OSError as error:
        raise TrainingError(f"cannot write the run folder {folder}: {error}") from error


def _compare(place: Path, wanted: Mapping[str, Any]) -> None:
    try:
        there = json.loads(place.read_text())
    except ValueError as error:
        raise ConfigError(f"{place} is damaged ({error}); give another run folder") from error
    differing = sorted(_differences(wanted, there))
    if differing:
        raise ConfigError(
            f"{place} is of a run with other settings ({', '.join(differing)} differ); give "
            "another run folder, or the same settings to go on"
        )


def _differences(one: object, other: object, place: str = "") -> list[str]:
    """Dotted places at which two nested values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return [
            found
            for key in one.keys() | other.keys()
            for found in _differences(
                one.get(key), other.get(key), f"{place}.{key}" if place else str(key)
            )
        ]
    return [] if one == other else [place]
