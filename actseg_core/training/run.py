"""`train`: a row of the paper's tables, from its preset to its weights."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning

from actseg_core.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from actseg_core.config import ModelConfig
from actseg_core.datasets.loading import ClipDataset
from actseg_core.datasets.samples import SentenceDataset
from actseg_core.errors import ConfigError
from actseg_core.experiment_config import (
    ExperimentConfig,
    StageConfig,
    load_experiment,
)
from actseg_core.networks.two_stream import Network
from actseg_core.text.sentence import load_reader
from actseg_core.training.batches import SentenceData
from actseg_core.training.callbacks import Pictures
from actseg_core.training.data import as_clips, open_data
from actseg_core.training.features import cached_dataset
from actseg_core.training.initial import initial_model, take_over
from actseg_core.training.sentence_training import SentenceTraining
from actseg_core.training.settings import TrainRunConfig
from actseg_core.training.states import claim, forget_states, is_first_process
from actseg_core.training.trainer import Hardware, fit

logger = logging.getLogger(__name__)
# Of the run's settings only these decide what the weights become.
DECISIVE = {"seed", "accumulate", "start", "rgb_weights", "flow_weights", "vgg_weights"}


def train(
    config_name: str,
    settings: TrainRunConfig,
    announce: Callable[[str], None] = logger.info,
) -> Path:
    """Train a row of the paper's tables, going on where its run folder was left.

    Args:
        config_name: Preset, or path of a YAML file.
        settings: Data, weights, hardware, intervals.
        announce: Told, before they begin, what the long parts are.

    Returns:
        The weights, RUN/NAME.safetensors; a finished run is not trained again.

    Raises:
        ConfigError: If a setting is wrong, or the folder holds a run with other settings.
        DatasetError: If data is missing or damaged.
        CheckpointError: If weights are missing or do not fit.
        TrainingError: If the training cannot go on.
    """
    config, experiment = plan(config_name, settings)
    run = settings.run_folder(config.name)
    data = open_data(settings, experiment.train_on)
    claim(run, facts(config, experiment, settings, data.train))
    destination = run / f"{config.name}.safetensors"
    if destination.is_file():
        announce(f"{destination} is there already")
        return load_checkpoint(destination).path
    lightning.seed_everything(settings.seed, verbose=False)
    network = initial_model(config, experiment, settings)
    reader = load_reader(config.text)

    def clips(part: SentenceDataset) -> ClipDataset:
        found = as_clips(part, config, reader, settings.seed)
        if not settings.cache_features:
            return found
        folder = settings.cache_folder(config.name)
        return cached_dataset(found, network, folder, workers=settings.workers, announce=announce)

    val = None if data.val is None else clips(data.val)
    words = reader.vectors.digest
    stages = _Stages(run, network, settings, clips(data.train), val, words)
    results = stages.train(experiment.stages, announce)
    _save(destination, network, {"seed": settings.seed, "stages": results}, words)
    return destination


def plan(config_name: str, settings: TrainRunConfig) -> tuple[ModelConfig, ExperimentConfig]:
    """What is to be trained: the preset with the changes that the settings ask for.

    Raises:
        ConfigError: If the preset or a change is wrong, it is not trained by this command, or a
            batch does not split evenly.
    """
    config, experiment = load_experiment(config_name, settings.change)
    if not config.has_response_maps:
        raise ConfigError(
            f"{config.name} is not trained by this command; the default model has a recipe of its "
            "own: `actseg train-lite`"
        )
    if experiment.train_on == "none":
        raise ConfigError(
            f"{config.name} is not trained: it tests {experiment.start_from} as it is; train that "
            f"and give its checkpoint to `actseg evaluate --row {config.name}`"
        )
    stages = tuple(_resized(stage, settings) for stage in experiment.stages)
    parts = settings.processes * settings.accumulate
    for stage in stages:
        if stage.batch_size % parts:
            raise ConfigError(
                f"stage {stage.name!r} has batches of {stage.batch_size} samples, which "
                f"{settings.processes} processes with accumulate: {settings.accumulate} cannot "
                f"share evenly; set batch_size to a multiple of {parts}"
            )
    return config, experiment.model_copy(update={"stages": stages})


def _resized(stage: StageConfig, settings: TrainRunConfig) -> StageConfig:
    """The stage with the run's length and batch size in place of its own."""
    change: dict[str, int] = {}
    if settings.batch_size:
        change["batch_size"] = settings.batch_size
    if settings.iterations:
        change["iterations"] = settings.iterations
        if stage.decay_every:
            share = settings.iterations / stage.iterations
            change["decay_every"] = max(1, round(stage.decay_every * share))
    return stage.model_copy(update=change)


def facts(
    config: ModelConfig,
    experiment: ExperimentConfig,
    settings: TrainRunConfig,
    data: SentenceDataset,
) -> dict[str, Any]:
    """All that decides what a run's weights become."""
    samples = [[item.sentence, item.video, item.frame, item.instance] for item in data.samples]
    return {
        "model": config.model_dump(mode="json"),
        "experiment": experiment.model_dump(mode="json"),
        "run": settings.model_dump(mode="json", include=DECISIVE),
        "samples": len(samples),
        "samples_sha256": hashlib.sha256(json.dumps(samples).encode()).hexdigest(),
    }


class _Stages:
    """Runs the stages of an experiment one after the other on the same network."""

    def __init__(
        self,
        run: Path,
        network: Network,
        settings: TrainRunConfig,
        train: ClipDataset,
        val: ClipDataset | None,
        words: str,
    ) -> None:
        self._run, self._network, self._settings = run, network, settings
        self._words = words
        self._train, self._val = train, val

    def train(
        self, stages: tuple[StageConfig, ...], announce: Callable[[str], None]
    ) -> list[dict[str, Any]]:
        """Train what is not trained yet; what each stage came to."""
        folders = [self._run / f"{i + 1}_{stage.name}" for i, stage in enumerate(stages)]
        # Asked once: with several processes, all must go on with the same stage.
        done = [self._weights(folder).is_file() for folder in folders]
        results = []
        for stage, folder, is_done in zip(stages, folders, done, strict=True):
            if is_done:
                take_over(self._network, self._weights(folder))
                results.append(load_checkpoint(self._weights(folder)).metrics)
                continue
            announce(
                f"stage {stage.name}: {stage.iterations} steps of {stage.batch_size} out of "
                f"{len(self._train)} samples; logs in {folder}"
            )
            results.append(self._one(stage, folder))
        return results

    def _weights(self, folder: Path) -> Path:
        return folder / "weights.safetensors"

    def _one(self, stage: StageConfig, folder: Path) -> dict[str, Any]:
        settings = self._settings
        module = SentenceTraining(self._network, stage)
        parts = settings.processes * settings.accumulate
        data = SentenceData(
            self._train,
            self._val,
            stage.batch_size // parts,
            stage.iterations * settings.accumulate,
            settings.seed,
            settings.workers,
        )
        a_pass = -(-len(self._train) // stage.batch_size)
        val_every = min(settings.val_every or a_pass, stage.iterations)
        pictures = []
        if self._val is not None and settings.pictures:
            pictures = [Pictures(folder / "pictures", self._val.dataset, settings.pictures)]
        fit(
            folder,
            module,
            data,
            stage.iterations,
            val_every=0 if self._val is None else val_every,
            save_every=settings.save_every,
            log_every=settings.log_every,
            accumulate=settings.accumulate,
            hardware=Hardware(
                settings.accelerator, settings.devices, settings.nodes, settings.precision
            ),
            callbacks=pictures,
            progress=settings.progress,
        )
        self._network.eval()
        result = {"stage": stage.name, "iterations": stage.iterations, **module.scores}
        _save(self._weights(folder), self._network, result, self._words)
        if is_first_process():
            forget_states(folder)
        return result


def _save(path: Path, network: Network, metrics: Mapping[str, Any], words: str) -> None:
    if is_first_process():
        save_checkpoint(path, network, metrics, words=words)
