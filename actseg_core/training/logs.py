"""Curves of a training as CSV and for TensorBoard, without gaps or doubles after a resumption."""

import csv
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import Tensor

from actseg_core.training.states import is_first_process

METRICS_FILE = "metrics.csv"
_KEPT = "metrics.before.csv"


class Curves(lightning.Callback):
    """Writes rows of the module's losses, each the mean since the row before, and learning rates.

    A module of this package has `losses`, those of its last batch by name, and after a validation
    `scores`. Rows bear the number of optimiser steps done, whatever was resumed where.

    Args:
        every: Optimiser steps per row.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._sums: dict[str, float] = {}
        self._count = 0
        self._row = 0

    def state_dict(self) -> dict[str, Any]:
        return {"sums": self._sums, "count": self._count, "row": self._row}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._sums, self._count = dict(state_dict["sums"]), state_dict["count"]
        self._row = state_dict["row"]

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        losses: Mapping[str, Tensor] = pl_module.losses  # type: ignore[assignment]
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value)
        self._count += 1
        step = trainer.global_step
        if step == self._row or step % self._every:
            return
        names = sorted(self._sums)
        means = torch.tensor([self._sums[name] / self._count for name in names])
        means = trainer.strategy.reduce(means.to(trainer.strategy.root_device), reduce_op="mean")
        row = dict(zip(names, means.tolist(), strict=True))
        log_row(trainer, row | {"rate": trainer.optimizers[0].param_groups[0]["lr"]})
        self._sums, self._count, self._row = {}, 0, step

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        scores: Mapping[str, float] = pl_module.scores  # type: ignore[assignment]
        log_row(trainer, {f"val_{name}": value for name, value in scores.items()})


def log_row(trainer: lightning.Trainer, values: Mapping[str, float]) -> None:
    """One row of every log, at the number of optimiser steps done."""
    for log in trainer.loggers:
        log.log_metrics(dict(values), step=trainer.global_step)


def make_loggers(folder: Path, step: int) -> list[Logger]:
    """Logs of a training that goes on after `step` optimiser steps; later rows are taken back.

    A CSVLogger of lightning begins its file anew, so the rows are handed to it.
    """
    there, kept = folder / METRICS_FILE, folder / _KEPT
    if is_first_process() and there.is_file() and not kept.is_file():
        there.replace(kept)
    table = CSVLogger(folder, name="", version="")
    if is_first_process():
        rows = [row for row in read_rows(kept) if row["step"] <= step]
        with warnings.catch_warnings():  # that it deletes what is handed to it here
            warnings.filterwarnings("ignore", message="Experiment logs directory")
            table.experiment.metrics.extend(rows)
        table.save()
        kept.unlink(missing_ok=True)
    return [table, TensorBoardLogger(folder, name="", version="", purge_step=step + 1)]


def read_rows(path: Path) -> list[dict[str, float]]:
    """Rows of a metrics.csv, cells without a value left out; none if there is no file.

    A last line that a kill cut short is left out.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    rows = []
    for row in csv.DictReader(lines):
        values = {key: float(cell) for key, cell in row.items() if cell}
        rows.append(values | {"step": int(values["step"])})
    return rows
