"""What watches a training: losses that are no number, pictures, and where the time goes."""

import json
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.profilers import Profiler
from numpy.typing import NDArray
from torch import Tensor

from actseg_core.checkpoints.tensor_file import write_tensors
from actseg_core.datasets.loading import Batch
from actseg_core.datasets.samples import SentenceDataset
from actseg_core.errors import TrainingError
from actseg_core.training.sentence_training import Answer
from actseg_core.types import MaskResult
from actseg_core.video.reader import ReaderPool
from actseg_core.visualize import overlay, save_png, tile

BAD_BATCH = "bad_batch.safetensors"
THROUGHPUT = "throughput.json"
FORWARDS = 3
LEAST_HEIGHT_PX = 240


class LossGuard(lightning.Callback):
    """Stops at a loss that is no number, before it reaches the weights, and keeps the batch.

    Args:
        folder: Where bad_batch.safetensors goes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._batch: Batch | None = None

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        self._batch = batch

    def on_before_backward(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, loss: Tensor
    ) -> None:
        """Look at the loss.

        Raises:
            TrainingError: If it is not finite.
        """
        batch, self._batch = self._batch, None
        if bool(torch.isfinite(loss)) or batch is None:
            return
        path = self._folder / BAD_BATCH
        if trainer.world_size > 1:
            path = path.with_stem(f"{path.stem}_{trainer.global_rank}")
        step = trainer.global_step
        save_batch(path, batch, {"step": str(step), "loss": str(loss.item())})
        raise TrainingError(
            f"the loss of step {step} is {loss.item()}; its batch is kept in {path}, the weights "
            "are those of the last saved state. Look at the batch; if it is sound, lower the "
            "learning rate or train with precision: 32-true"
        )


def save_batch(path: Path, batch: Batch, facts: dict[str, str]) -> None:
    """Keep a batch for inspection: its tensors, and in the metadata its samples as JSON.

    Raises:
        CheckpointError: If the file cannot be written.
    """
    tensors = {"frames": batch.frames, "flow": batch.flow, "masks": batch.masks}
    tensors |= {"words": batch.words}
    tensors |= {f"frozen.{name}": value for name, value in batch.frozen.items()}
    kept = {name: item.cpu().contiguous() for name, item in tensors.items() if item is not None}
    samples = [[item.sentence, item.video, item.frame, item.instance] for item in batch.samples]
    write_tensors(path, kept, facts | {"samples": json.dumps(samples)})


class Pictures(lightning.Callback):
    """A grid of overlays per validation: the answer in colour beside the true mask.

    Args:
        folder: Where STEP.png goes.
        dataset: Gives the frames.
        count: Most overlays.
    """

    def __init__(self, folder: Path, dataset: SentenceDataset, count: int) -> None:
        self._folder, self._dataset, self._count = folder, dataset, count
        self._shown: list[Answer] = []

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        *_: Any,
    ) -> None:
        self._shown += outputs[: self._count - len(self._shown)]

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        shown, self._shown = self._shown, []
        if not shown or not trainer.is_global_zero:
            return
        pool = ReaderPool()
        picture = tile([self._draw(answer, pool) for answer in shown])
        pool.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        save_png(self._folder / f"{trainer.global_step:07d}.png", picture)
        for log in trainer.loggers:
            if isinstance(log, TensorBoardLogger):
                log.experiment.add_image(
                    "validation", picture, trainer.global_step, dataformats="HWC"
                )

    def _draw(self, answer: Answer, pool: ReaderPool) -> NDArray[np.uint8]:
        frame = pool.get(self._dataset.video(answer.sample)).read([answer.sample.frame])[0]
        times = -(-LEAST_HEIGHT_PX // frame.shape[0])  # captions need room
        inside = np.where(answer.truth, np.uint8(255), np.uint8(0))
        true = MaskResult(inside, found=bool(answer.truth.any()), confidence=1.0)
        shown = ((answer.sample.sentence, answer.result), ("annotation", true))
        canvas = _enlarged(frame, times)
        return np.concatenate(
            [
                overlay(canvas, [(text, replace(item, mask=_enlarged(item.mask, times)))])
                for text, item in shown
            ],
            axis=1,
        )


def _enlarged(image: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """Every pixel `times` by `times`."""
    return np.ascontiguousarray(image.repeat(times, axis=0).repeat(times, axis=1))


class Clock(Profiler):
    """Seconds that lightning spends on each of its actions, summed; the first step left out."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}
        self.times: dict[str, int] = {}
        self._started: dict[str, float] = {}

    def start(self, action_name: str) -> None:
        self._started[action_name] = time.perf_counter()

    def stop(self, action_name: str) -> None:
        started = self._started.pop(action_name, None)
        if started is None:
            return
        times = self.times[action_name] = self.times.get(action_name, 0) + 1
        if times > 1:
            spent = time.perf_counter() - started
            self.seconds[action_name] = self.seconds.get(action_name, 0.0) + spent


class Throughput(lightning.Callback):
    """Writes throughput.json: steps per second, waiting for data, memory, cost of a step.

    Args:
        folder: Where it goes.
        clock: The trainer's profiler.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path, self._clock = folder / THROUGHPUT, clock
        self._batch: Batch | None = None

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        self._batch = batch

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        batches = self._clock.times.get("run_training_batch", 0) - 1
        if self._batch is None or batches < 1 or not trainer.is_global_zero:
            return
        computing = self._clock.seconds["run_training_batch"] / batches
        waiting = self._clock.seconds["[_TrainingEpochLoop].train_dataloader_next"] / batches
        forward = forward_seconds(pl_module, self._batch)
        parts = trainer.accumulate_grad_batches
        facts = {
            "steps_measured": batches // parts,
            "steps_per_second": 1 / (parts * (computing + waiting)),
            "samples_per_second": trainer.world_size * len(self._batch) / (computing + waiting),
            "loader_share": waiting / (computing + waiting),
            "step_s": parts * computing,
            "forward_s": parts * forward,
            "step_over_forward": computing / forward,
            "peak_memory_bytes": peak_memory(),
            "peak_gpu_memory_bytes": torch.cuda.max_memory_allocated(),
            "processes": trainer.world_size,
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count(),
            "device": str(pl_module.device),
        }
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps(facts, indent=1) + "\n")
        partial.replace(self._path)


@torch.no_grad()
def forward_seconds(module: lightning.LightningModule, batch: Batch) -> float:
    """Median time [s] of a forward pass over a batch, from the same inputs as the training."""
    spent = []
    for _ in range(FORWARDS):
        _finish(module.device)
        start = time.perf_counter()
        module(batch)
        _finish(module.device)
        spent.append(time.perf_counter() - start)
    return sorted(spent)[FORWARDS // 2]


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory() -> int:
    """Most memory [bytes] that this process ever held, workers not counted."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
