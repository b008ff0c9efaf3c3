"""The run folder: what is done already, what failed, and where each file lies."""

import json
from pathlib import Path
from typing import Any

import yaml

from actseg_core.errors import ConfigError, DatasetError
from actseg_core.evaluation.report import METRICS_FILE, SAMPLES_FILE
from actseg_core.evaluation.summary import write_json, write_text
from actseg_core.experiments.plan import Cell, Training
from actseg_core.experiments.scale import AblationScale

SCALE_FILE = "scale.json"
TRAINED_FILE = "trained.json"
FAILURE_FILE = "failure.json"
CONFIG_FILE = "config.yaml"
LISTED = "listed"
"""Folder in that of a cell: the same network on the frames that later papers evaluate on."""


class Store:
    """Files of a run; each appears only when complete, so what exists is done.

    Args:
        root: Folder of the run.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def claim(self, scale: AblationScale) -> None:
        """Keep the scale with the run; a classifier may be added to a run without one.

        Raises:
            ConfigError: If the folder holds a run at another scale.
            DatasetError: If it cannot be written.
        """
        path, wanted = self.root / SCALE_FILE, scale.model_dump(mode="json")
        kept = _read(path) if path.exists() else {}
        if kept == wanted:
            return
        if kept and kept | {"classifier": kept["classifier"] or wanted["classifier"]} != wanted:
            raise ConfigError(
                f"{self.root} holds a run with other settings (see {SCALE_FILE} there); give "
                "another run folder, or the settings that it was begun with"
            )
        write_json(path, wanted)

    def training(self, training: Training) -> Path:
        """Folder of a training."""
        return self.root / "trainings" / training.name

    def cell(self, cell: Cell) -> Path:
        """Folder of a measurement."""
        return self.root / "results" / cell.name

    def config(self, training: Training) -> Path:
        """The training's configuration as a file that `actseg train` reads, written now."""
        path = self.training(training) / CONFIG_FILE
        write_text(path, yaml.safe_dump(training.mapping(), sort_keys=False))
        return path

    def is_trained(self, training: Training) -> bool:
        """Whether the training is finished and its weights are there."""
        path = self.training(training) / TRAINED_FILE
        return path.is_file() and self.weights(training).is_file()

    def weights(self, training: Training) -> Path:
        """The weights of a finished training."""
        folder = self.training(training)
        return folder / str(_read(folder / TRAINED_FILE)["weights"])

    def keep_trained(self, training: Training, weights: Path, seconds: float) -> None:
        """Note that a training is finished.

        Args:
            training: Which.
            weights: Its file, anywhere below the training's folder.
            seconds: What it took, interruptions left out.
        """
        folder = self.training(training)
        place = weights.resolve().relative_to(folder.resolve())
        facts = {"weights": str(place), "seconds": seconds, "digest": training.digest}
        write_json(folder / TRAINED_FILE, facts)

    def seconds_of(self, digest: str) -> float | None:
        """What a finished training of this digest took, with any seed; None: there is none."""
        times = [
            facts["seconds"]
            for path in sorted(self.root.glob(f"trainings/*-{digest}/*/{TRAINED_FILE}"))
            if (facts := _read(path))
        ]
        return min(times, default=None)

    def is_measured(self, cell: Cell) -> bool:
        """Whether the report of a cell is complete."""
        return self.metrics(cell).is_file()

    def metrics(self, cell: Cell) -> Path:
        """metrics.json of a cell."""
        return self.cell(cell) / METRICS_FILE

    def peers_metrics(self, cell: Cell) -> Path:
        """metrics.json of a measured cell on the frames of later papers, where it has one."""
        listed = self.cell(cell) / LISTED / METRICS_FILE
        return listed if listed.is_file() else self.metrics(cell)

    def samples(self, cell: Cell) -> Path:
        """samples.jsonl of a cell."""
        return self.cell(cell) / SAMPLES_FILE

    def keep_failure(self, cell: Cell, message: str) -> None:
        """Note why a cell could not be measured; it is tried again the next time."""
        write_json(self.cell(cell) / FAILURE_FILE, {"cell": cell.name, "error": message})

    def forget_failure(self, cell: Cell) -> None:
        """The cell was measured after all."""
        (self.cell(cell) / FAILURE_FILE).unlink(missing_ok=True)

    def failure(self, cell: Cell) -> str:
        """Why a cell could not be measured; empty if it was not tried or succeeded."""
        path = self.cell(cell) / FAILURE_FILE
        return str(_read(path)["error"]) if path.is_file() else ""


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is damaged ({error}); delete it and run again") from error
    if not isinstance(content, dict):
        raise DatasetError(f"{path} is damaged (no mapping); delete it and run again")
    return content
