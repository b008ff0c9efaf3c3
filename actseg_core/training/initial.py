"""The network before its first step: pretrained encoders, or the checkpoint of another row."""

from collections.abc import Mapping
from pathlib import Path

import torch

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.checkpoints.public_weights import load_i3d, load_vgg16
from actseg_core.config import ModelConfig, Stream
from actseg_core.errors import CheckpointError, ConfigError
from actseg_core.experiment_config import ExperimentConfig
from actseg_core.networks.i3d import I3d
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.training.settings import TrainRunConfig

SHOWN = 5


def initial_model(
    config: ModelConfig, experiment: ExperimentConfig, settings: TrainRunConfig
) -> Network:
    """The network to train, in evaluation mode; random weights depend on the seed alone.

    Raises:
        ConfigError: If frozen layers would stay random, or weights are given that nothing reads.
        CheckpointError: If a file is missing or does not fit.
    """
    start = start_file(config, experiment, settings)
    weights = encoder_files(config, settings)
    _refuse_random(config, settings, bool(start), weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = build_model(config)
    for stream, path in weights.items():
        _load_encoder(model, stream, path)
    if start is not None:
        take_over(model, start)
    return model


def start_file(
    config: ModelConfig, experiment: ExperimentConfig, settings: TrainRunConfig
) -> Path | None:
    """The checkpoint to start from, if any.

    Raises:
        CheckpointError: If the preset starts from another row's checkpoint that is not there.
    """
    if settings.start or not experiment.start_from:
        return Path(settings.start) if settings.start else None
    name = experiment.start_from
    path = settings.run_folder(config.name).parent / name / f"{name}.safetensors"
    if not path.is_file():
        raise CheckpointError(
            f"{config.name} starts from the trained {name}, but there is no {path}; train "
            f"{name} first, give its checkpoint as `start`, or begin with pretrained encoders: "
            "experiment.start_from=''"
        )
    return path


def encoder_files(config: ModelConfig, settings: TrainRunConfig) -> dict[Stream, Path]:
    """Pretrained weights per stream.

    Raises:
        ConfigError: If weights are given that the network has no use for.
    """
    given = {
        "rgb_weights": settings.rgb_weights,
        "flow_weights": settings.flow_weights,
        "vgg_weights": settings.vgg_weights,
    }
    wanted: dict[str, Stream] = (
        {"vgg_weights": "rgb"}
        if config.is_baseline
        else {f"{stream}_weights": stream for stream in config.streams}
    )
    for name, path in given.items():
        if path and name not in wanted:
            raise ConfigError(
                f"{config.name} has no use for {name}; it reads {' and '.join(wanted)}"
            )
    return {stream: Path(given[name]) for name, stream in wanted.items() if given[name]}


def take_over(model: Network, path: Path) -> None:
    """Fill a network with the weights of a checkpoint of the same shape.

    Raises:
        CheckpointError: If the file cannot be read or a weight does not fit.
    """
    own = model.state_dict()
    other = load_checkpoint(path).model.state_dict()
    problems = [f"{name} is missing" for name in sorted(own.keys() - other.keys())]
    problems += [f"{name} is left over" for name in sorted(other.keys() - own.keys())]
    problems += [
        f"{name} must be {tuple(own[name].shape)}, is {tuple(other[name].shape)}"
        for name in sorted(own.keys() & other.keys())
        if own[name].shape != other[name].shape
    ]
    if problems:
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise CheckpointError(
            f"{path} is of another network than {model.config.name}: "
            f"{'; '.join(problems[:SHOWN])}{more}; give the checkpoint of the same settings"
        )
    model.load_state_dict(other)


def _refuse_random(
    config: ModelConfig,
    settings: TrainRunConfig,
    started: bool,
    weights: Mapping[Stream, Path],
) -> None:
    missing = [stream for stream in config.streams if stream not in weights]
    if not missing or started or config.trainable == "all" or settings.random_encoder:
        return
    names = ["vgg_weights"] if config.is_baseline else [f"{item}_weights" for item in missing]
    raise ConfigError(
        f"the frozen layers of {config.name}'s encoder would stay random: give "
        f"{' and '.join(names)} (`actseg models` lists public ones), or set random_encoder: true"
    )


def _load_encoder(model: Network, stream: Stream, path: Path) -> None:
    encoder = model.stream(stream).pretrained
    if model.config.is_baseline:
        load_vgg16(path, encoder)
    else:
        assert isinstance(encoder, I3d)
        load_i3d(path, encoder)
