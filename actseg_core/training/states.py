"""A run's folder belongs to one run; its states are written whole, and the one before is kept."""

import errno
import io
import json
import logging
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn

from actseg_core.config import without_gone
from actseg_core.errors import ConfigError, TrainingError

CLAIM = "config.json"
logger = logging.getLogger(__name__)
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_first_process() -> bool:
    """Whether this is the one process that writes files, also before a trainer is made."""
    return getattr(rank_zero_only, "rank", 0) == 0


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
    if isinstance(there, dict) and isinstance(there.get("model"), dict):
        there["model"] = without_gone(there["model"])
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


class WholeFiles(TorchCheckpointIO):
    """Writes a state beside its place and renames it; what was there becomes previous.ckpt.

    The content is on the disk before the name is: neither a kill nor a power cut leaves half a
    state under it.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a state.

        Raises:
            TrainingError: If a weight is not finite, or the file cannot be written; what was
                there before is kept.
        """
        _check_finite(checkpoint)
        place = Path(path)
        partial = place.with_name(place.name + ".part")
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            if place.is_file():
                os.replace(place, place.with_name(PREVIOUS))
            os.replace(partial, place)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise TrainingError(
                f"cannot write the training state {place}: {error.strerror}; make room and start "
                "the same command again: it goes on from the last whole state"
            ) from error


class SaveStates(lightning.Callback):
    """Saves the state every so many optimiser steps, after a validation that is due at that step.

    Args:
        folder: Where last.ckpt goes.
        every: Optimiser steps.
    """

    def __init__(self, folder: Path, every: int) -> None:
        self._path, self._every, self._saved = folder / LAST, every, 0

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._saved = trainer.global_step

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        step = trainer.global_step
        if step != self._saved and step % self._every == 0 and not _validation_follows(trainer):
            self._save(trainer)

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        if trainer.global_step != self._saved and trainer.state.fn == TrainerFn.FITTING:
            self._save(trainer)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        if trainer.global_step != self._saved:
            self._save(trainer)

    def _save(self, trainer: lightning.Trainer) -> None:
        for log in trainer.loggers:
            log.save()  # rows up to here are never lost
        trainer.save_checkpoint(self._path, weights_only=False)
        self._saved = trainer.global_step


class RandomState(lightning.Callback):
    """Keeps torch's random numbers in the states, for networks with dropout."""

    def __init__(self) -> None:
        self._kept: Tensor | None = None

    def state_dict(self) -> dict[str, Any]:
        return {"torch": torch.get_rng_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._kept = state_dict["torch"]

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        if self._kept is not None:  # not earlier: loaders draw a number when they begin
            torch.set_rng_state(self._kept)
            self._kept = None


def _validation_follows(trainer: lightning.Trainer) -> bool:
    """Whether lightning validates right after this batch, at whose end the state is saved."""
    batches, every = trainer.fit_loop.epoch_loop.total_batch_idx + 1, trainer.val_check_batch
    return trainer.enable_validation and every is not None and batches % every == 0


def require_room(folder: Path, network: nn.Module) -> None:
    """Make the folder, and see that two states of Adam and one half written fit into it.

    Raises:
        TrainingError: If they do not, or the folder cannot be made.
    """
    weights = list(network.parameters())
    state = sum(item.nbytes for item in weights)
    state += 2 * sum(item.nbytes for item in weights if item.requires_grad)
    needed = 3 * state
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise TrainingError(f"cannot write the run folder {folder}: {error}") from error
    if free < needed:
        raise TrainingError(
            f"the states of this training need {needed / 1e6:.0f} MB in {folder}, but "
            f"{free / 1e6:.0f} MB are free; make room or give another run folder"
        )


def latest_state(folder: Path) -> Path | None:
    """The newest whole state of a folder; None if there is none at all.

    Raises:
        TrainingError: If there are states, but all are damaged.
    """
    there = [folder / name for name in (LAST, PREVIOUS) if (folder / name).is_file()]
    for path in there:
        if is_whole(path):
            return path
        logger.warning("%s is damaged and passed over", path)
    if there:
        raise TrainingError(
            f"the states in {folder} are damaged ({', '.join(path.name for path in there)}); "
            "delete them to begin this stage anew"
        )
    return None


def forget_states(folder: Path) -> None:
    """Delete the states of a training that is finished and whose weights are written."""
    for name in (LAST, PREVIOUS):
        (folder / name).unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """Whether every part of a file of torch.save is there and has its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Around a training: no room for a log or a picture is said in a sentence, too.

    Raises:
        TrainingError: If the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise TrainingError(
            f"there is no room left for {error.filename or 'the logs'} of {folder} "
            f"({error.strerror}); make room and start the same command again: it goes on from "
            "the last whole state"
        ) from error


def _check_finite(checkpoint: dict[str, Any]) -> None:
    for name, value in checkpoint["state_dict"].items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise TrainingError(
                f"after step {checkpoint['global_step']} the weight {name} is not finite; nothing "
                "was saved, the last state is from before: lower the learning rate, or train with "
                "precision: 32-true"
            )
