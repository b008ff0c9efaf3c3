"""The one lightning trainer of this package: resumable, logged, careful with the disk."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.strategies import DDPStrategy

from actseg_core.training.callbacks import Clock, LossGuard, Throughput
from actseg_core.training.logs import Curves, make_loggers
from actseg_core.training.settings import Precision
from actseg_core.training.states import (
    RandomState,
    SaveStates,
    WholeFiles,
    disk_errors,
    latest_state,
    require_room,
)


@dataclass(frozen=True)
class Hardware:
    """What a training runs on.

    Attributes:
        accelerator: auto, cpu or gpu.
        devices: Processes per machine.
        nodes: Machines.
        precision: Of lightning.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Precision = "32-true"

    @property
    def processes(self) -> int:
        """Processes that train together."""
        return self.devices * self.nodes


def fit(
    folder: Path,
    module: lightning.LightningModule,
    data: lightning.LightningDataModule | None,
    steps: int,
    *,
    val_every: int = 0,
    save_every: int = 500,
    log_every: int = 10,
    accumulate: int = 1,
    hardware: Hardware = Hardware(),
    callbacks: Sequence[lightning.Callback] = (),
    progress: bool = True,
) -> None:
    """Train a module until `steps` optimiser steps are done, from where `folder` was left.

    The folder gets last.ckpt and previous.ckpt (lightning's states), metrics.csv, TensorBoard's
    events and throughput.json. A kill at any moment costs the steps since the last state.

    Args:
        folder: Of this training alone.
        module: With `losses` and, if it validates, `scores` (see `logs.Curves`).
        data: Its loaders, that of training with the batches of all steps and resumable as
            `TrainingBatches` is; None: the module has its own.
        steps: Of the optimiser, in all.
        val_every: Steps between two validations; the last step is followed by one, too; 0: none.
        save_every: Steps between two states; a validation is followed by one, too.
        log_every: Steps per row of the logs.
        accumulate: Batches per step.
        hardware: What to run on.
        callbacks: Further ones.
        progress: Show a bar with the time left.

    Raises:
        TrainingError: If the loss is no number, the disk is full or too small, or all states
            are damaged.
    """
    require_room(folder, module)
    state = latest_state(folder)
    with disk_errors(folder), warnings.catch_warnings():
        # Frozen batch norms are meant to be in evaluation mode.
        warnings.filterwarnings("ignore", message="Found .* in eval mode")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec")  # lightning's own code
        trainer = make_trainer(
            folder,
            steps,
            done=_steps_done(state),
            val_every=val_every,
            save_every=save_every,
            log_every=log_every,
            accumulate=accumulate,
            hardware=hardware,
            callbacks=callbacks,
            progress=progress,
        )
        module.train()  # lightning keeps the mode it is given
        path = None if state is None else str(state)
        trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
        if val_every and (steps % val_every or not getattr(module, "scores", None)):
            trainer.validate(module, datamodule=data, verbose=False)


def make_trainer(
    folder: Path,
    steps: int,
    *,
    done: int,
    val_every: int,
    save_every: int,
    log_every: int,
    accumulate: int,
    hardware: Hardware,
    callbacks: Sequence[lightning.Callback],
    progress: bool,
) -> lightning.Trainer:
    """Lightning's trainer with this package's logs, states and watchers; arguments as of `fit`."""
    clock = Clock()
    watchers: list[lightning.Callback] = [RandomState(), LossGuard(folder), Curves(log_every)]
    watchers += [*callbacks, Throughput(folder, clock)]
    if progress:
        watchers.append(RichProgressBar(refresh_rate=max(1, accumulate)))
    # The low-resolution stage of a baseline leaves its last layer without gradients.
    several = hardware.processes > 1
    return lightning.Trainer(
        max_steps=steps,
        max_epochs=1,
        accelerator=hardware.accelerator,
        devices=hardware.devices,
        num_nodes=hardware.nodes,
        strategy=DDPStrategy(find_unused_parameters=True) if several else "auto",
        precision=hardware.precision,
        accumulate_grad_batches=accumulate,
        use_distributed_sampler=False,
        deterministic="warn" if torch.cuda.is_available() else False,
        val_check_interval=val_every * accumulate if val_every else 1.0,
        check_val_every_n_epoch=None if val_every else 1,
        limit_val_batches=1.0 if val_every else 0,
        num_sanity_val_steps=0,
        logger=make_loggers(folder, done),
        log_every_n_steps=1,  # of what lightning logs itself, which is nothing; see Curves
        profiler=clock,
        plugins=[WholeFiles()],
        callbacks=[*watchers, SaveStates(folder, save_every)],
        enable_checkpointing=False,
        enable_progress_bar=progress,
        enable_model_summary=False,
    )


def _steps_done(state: Path | None) -> int:
    if state is None:
        return 0
    content = torch.load(state, map_location="cpu", weights_only=True, mmap=True)
    return int(content["global_step"])
