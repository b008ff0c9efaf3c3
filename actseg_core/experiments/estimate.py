"""How long trainings will take, measured on the spot."""

import time
from collections.abc import Iterable
from pathlib import Path

import torch

from actseg_core.experiment_config import StageConfig
from actseg_core.experiments.plan import Training
from actseg_core.experiments.store import Store
from actseg_core.networks.two_stream import build_model
from actseg_core.training.stages import make_optimiser, stage_loss

TIMED_STEPS = 2


def training_seconds(trainings: Iterable[Training], run: Path) -> dict[str, float]:
    """Seconds by name of what is not trained yet, without reading data.

    A training that was done with another seed took its time; for the others two optimiser steps
    on noise are timed, from kept features where layers are frozen.
    """
    store, by_digest = Store(run), {}
    left: dict[str, float] = {}
    for training in trainings:
        if store.is_trained(training):
            continue
        if training.digest not in by_digest:
            known = store.seconds_of(training.digest)
            by_digest[training.digest] = known or _timed(training)
        left[training.name] = by_digest[training.digest]
    return left


def _timed(training: Training) -> float:
    """Optimiser steps of all stages times their measured duration."""
    total = sum(stage.iterations for stage in training.experiment.stages)
    return total * step_seconds(training, training.experiment.stages[-1])


def step_seconds(training: Training, stage: StageConfig) -> float:
    """Seconds of one optimiser step on noise, after one to warm up."""
    config, name = training.model, training.model.streams[0]
    network = build_model(config).stream(name)
    size, batch = config.size, stage.batch_size
    channels = 3 if name == "rgb" else 2
    with torch.no_grad():
        frozen = network.encode_frozen(torch.zeros(batch, channels, config.frames, size, size))
    words = torch.randn(batch, config.text.max_words, config.text.word_dim)
    masks = torch.zeros(batch, size, size, dtype=torch.bool)
    optimiser = make_optimiser(network.train(), stage)
    start = 0.0
    for step in range(TIMED_STEPS + 1):
        if step == 1:
            start = time.perf_counter()
        responses = network.respond(
            network.encode_from_frozen(frozen), network.encode_sentences(words)
        )
        optimiser.zero_grad()
        stage_loss(responses, masks, stage).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return (time.perf_counter() - start) / TIMED_STEPS
