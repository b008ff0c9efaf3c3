"""Which samples each optimiser step sees: a function of seed and step alone."""

from collections.abc import Iterator
from typing import Any

import lightning
from torch.utils.data import Sampler

from actseg_core.datasets.loading import Batch, ClipDataset, ClipLoader, Draw
from actseg_core.datasets.samples import sample_order
from actseg_core.errors import DatasetError


class StepSampler(Sampler[Draw]):
    """Pass after pass over the data without a break, each in its own order.

    Every process takes each `world`-th sample, so that together they see, step by step, what one
    process sees. The length is that of the whole run; only what comes after `done` is drawn.

    Args:
        count: Samples of the dataset.
        seed: Of the order.
        own: Samples that this process draws in the whole run.
        rank: Of this process out of `world`.
        world: Number of processes that train together.
    """

    def __init__(self, count: int, seed: int, own: int, rank: int = 0, world: int = 1) -> None:
        self._count, self._seed, self._own = count, seed, own
        self._rank, self._world = rank, world
        self.done = 0

    def __len__(self) -> int:
        return self._own

    def __iter__(self) -> Iterator[Draw]:
        epoch, order = -1, None
        for number in range(self.done, self._own):
            place = number * self._world + self._rank
            if order is None or place // self._count != epoch:
                epoch = place // self._count
                order = sample_order(self._count, self._seed, epoch)
            yield epoch, int(order[place % self._count])


class TrainingBatches:
    """The batches of a run; lightning keeps how many were taken and goes on there.

    Args:
        clips: What to draw from.
        batch_size: Samples per batch of this process.
        batches: Of the whole run.
        seed: Of the order.
        rank: Of this process out of `world`.
        world: Number of processes that train together.
        workers: Processes that read.
        pin_memory: For copies to a GPU.

    Raises:
        DatasetError: If there is no sample.
    """

    def __init__(
        self,
        clips: ClipDataset,
        batch_size: int,
        batches: int,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
        pin_memory: bool = False,
    ) -> None:
        if not len(clips):
            raise DatasetError(f"{clips.dataset.name} has no sample to train on")
        self._size, self._batches, self._taken = batch_size, batches, 0
        self._sampler = StepSampler(len(clips), seed, batches * batch_size, rank, world)
        self._loader = ClipLoader(
            clips, batch_size, sampler=self._sampler, workers=workers, pin_memory=pin_memory
        )

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[Batch]:
        """Batches after those already taken.

        Raises:
            ActSegError: If a sample cannot be read; if bad ones are skipped, a whole batch.
        """
        self._sampler.done = self._taken * self._size
        for batch in self._loader:
            self._taken += 1
            yield batch
        if self._taken < self._batches:
            raise DatasetError(
                f"{self._batches - self._taken} batches held no readable sample at all; the data "
                f"is damaged, see the warnings about {self._loader.clips.dataset.name}"
            )

    def state_dict(self) -> dict[str, int]:
        """How many batches were taken; called by lightning when it saves."""
        return {"taken": self._taken}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on after the batches that were taken before."""
        self._taken = state["taken"]


class SentenceData(lightning.LightningDataModule):
    """The loaders of one stage, for as many processes as lightning runs.

    Args:
        train: What is trained on.
        val: What is watched; None: nothing.
        batch_size: Samples per batch of one process.
        batches: Of one process in the whole stage.
        seed: Of the order.
        workers: Processes that read, for each process that trains.
    """

    def __init__(
        self,
        train: ClipDataset,
        val: ClipDataset | None,
        batch_size: int,
        batches: int,
        seed: int,
        workers: int,
    ) -> None:
        super().__init__()
        self._train, self._val = train, val
        self._size, self._batches = batch_size, batches
        self._seed, self._workers = seed, workers

    def train_dataloader(self) -> Any:
        trainer = self.trainer
        assert trainer is not None
        return TrainingBatches(
            self._train,
            self._size,
            self._batches,
            seed=self._seed,
            rank=trainer.global_rank,
            world=trainer.world_size,
            workers=self._workers,
            pin_memory=trainer.strategy.root_device.type == "cuda",
        )

    def val_dataloader(self) -> Any:
        trainer = self.trainer
        assert trainer is not None
        if self._val is None:
            return []
        own = range(trainer.global_rank, len(self._val), trainer.world_size)
        return ClipLoader(
            self._val, self._size, sampler=[(0, index) for index in own], workers=self._workers
        )
