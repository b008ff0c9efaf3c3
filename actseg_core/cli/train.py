"""`actseg train`, `train-lite`, `pretrain` and `train-classifier`."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from actseg_core.checkpoints.classifier import load_classifier
from actseg_core.cli.generate import with_settings
from actseg_core.config import FlowConfig, Stream, load_preset, load_yaml
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.errors import ConfigError
from actseg_core.evaluation.pair_frames import VideoClassifier, evaluate_classifier
from actseg_core.evaluation.report import percent
from actseg_core.experiment_config import ClassifierConfig, LiteTrainConfig, load_experiment
from actseg_core.training.classifier import train_classifier as run_classifier_training
from actseg_core.training.lite.recipe import train_lite as run_recipe
from actseg_core.training.pretrain import load_pretrain_config
from actseg_core.training.pretrain import pretrain as run_pretraining
from actseg_core.training.pretrain_images import pretrain_images as run_image_pretraining
from actseg_core.training.run import train as run_training
from actseg_core.training.settings import split_settings
from actseg_core.training.states import is_first_process


def train(
    config: Annotated[
        str, typer.Argument(help="Preset (table1_rgb, ...) or the path of a .yaml file.")
    ],
    data: Annotated[str, typer.Option(help="Folder of the training data.")] = "",
    run: Annotated[
        str, typer.Option(help="Folder of logs, states and results; runs/NAME if left out.")
    ] = "",
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of further settings, as for --set.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="KEY=VALUE of the run (precision, accumulate, devices, seed, iterations, "
            "rgb_weights, ...) or of the preset (size, video.width, experiment.train_on, ...); "
            "repeatable.",
        ),
    ] = None,
) -> None:
    """Train; an interrupted run goes on where it was saved. docs/training.md has all settings."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, advertisements
    mapping: dict[str, Any] = load_yaml(settings) if settings else {}
    mapping = with_settings(mapping, changes or [])
    mapping |= {key: value for key, value in (("data", data), ("run", run)) if value}
    path = run_training(config, split_settings(mapping), announce=_say)
    _say(f"written to {path}")


def _say(message: str) -> None:
    if is_first_process():
        typer.echo(message)


def train_lite(
    destination: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of the phase (LiteTrainConfig).")
    ] = None,
    run: Annotated[Path, typer.Option(help="Figures and the state to resume from.")] = Path(
        "runs/lite"
    ),
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE of the settings (steps=600); repeatable."),
    ] = None,
) -> None:
    """Train a phase of the default model; interrupted runs go on where they were saved."""
    mapping = load_yaml(settings) if settings else {}
    config = LiteTrainConfig.from_mapping(with_settings(mapping, changes or []))
    run_recipe(load_preset("lite"), config, run, destination, typer.echo)
    typer.echo(f"written to {destination}")


def pretrain(
    data: Annotated[
        Path, typer.Argument(help="Folder in A2D's layout, as `actseg generate` writes it.")
    ],
    config: Annotated[str, typer.Option(help="Preset or the path of a .yaml file.")] = "small",
    run: Annotated[
        Path, typer.Option(help="Folder of logs, states and weights; an unfinished run goes on.")
    ] = Path("runs/pretrain"),
    stream: Annotated[str, typer.Option(help="rgb or flow; both of the preset if left out.")] = "",
    photographs: Annotated[
        Path | None,
        typer.Option(
            help="Train VGG16 for the baselines instead, on these, too: folder with "
            "instances.json (COCO format) and images/."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read clips.")] = 0,
) -> None:
    """Train I3D to classify what actors do; give the weights to `actseg train`."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, advertisements
    settings = load_pretrain_config(config)
    if photographs is not None:
        path, scores = run_image_pretraining(settings, data, photographs, run, workers=workers)
        _say_weights(path, "vgg", scores)
        return
    wanted: list[Stream] = [name for name in settings.streams if stream in ("", name)]
    if not wanted:
        raise ConfigError(
            f"{settings.name} has no stream {stream!r}; give {' or '.join(settings.streams)}"
        )
    for name in wanted:
        path, scores = run_pretraining(settings, name, data, run, workers=workers)
        _say_weights(path, name, scores)


def _say_weights(path: Path, name: str, scores: Mapping[str, float]) -> None:
    typer.echo(f"{path}: --set {name}_weights={path}")
    if scores:
        said = ", ".join(f"{key} {value:.3g}" for key, value in sorted(scores.items()))
        typer.echo(f"held out: {said}")


def train_classifier(
    data: Annotated[Path, typer.Argument(help="Folder in A2D's layout.")],
    config: Annotated[
        str, typer.Option(help="Preset with experiment.classifier, or the path of a .yaml file.")
    ] = "table3_pairs",
    run: Annotated[
        Path, typer.Option(help="Folder of logs, states and weights; an unfinished run goes on.")
    ] = Path("runs/classifier"),
    rgb_weights: Annotated[str, typer.Option(help="I3D weights of the RGB stream.")] = "",
    flow_weights: Annotated[str, typer.Option(help="I3D weights of the flow stream.")] = "",
    random_encoder: Annotated[
        bool, typer.Option("--random-encoder", help="Allow frozen layers without weights.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Weights, order and clips.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read clips.")] = 0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave damaged items out and count them.")
    ] = False,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="KEY=VALUE of the classifier (width, train_frames, short_side_px, crop_px, "
            "stage.iterations, ...) or of its flow (flow.estimator, ...); repeatable.",
        ),
    ] = None,
) -> None:
    """Train the multi-label classifier, then measure it on the test split (mAP)."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # tips, advertisements
    model, experiment = load_experiment(config)
    if experiment.classifier is None:
        raise ConfigError(f"{config} has no experiment.classifier; table3_pairs has one")
    mapping: dict[str, Any] = experiment.classifier.model_dump(mode="json")
    mapping["flow"] = model.flow.model_dump(mode="json")
    mapping = with_settings(mapping, changes or [])
    flow = FlowConfig.from_mapping(mapping.pop("flow"))
    settings = ClassifierConfig.from_mapping(mapping)
    given: dict[Stream, str] = {"rgb": rgb_weights, "flow": flow_weights}
    path = run_classifier_training(
        settings,
        model.model_copy(update={"flow": flow}),
        data,
        run,
        {stream: Path(place) for stream, place in given.items() if place},
        random_encoder=random_encoder,
        seed=seed,
        workers=workers,
        skip_bad=skip_bad,
    )
    typer.echo(f"written to {path}")
    there = load_classifier(path)
    dataset = A2DPairs(data, "test", skip_bad=skip_bad)
    scores = evaluate_classifier(dataset, VideoClassifier(dataset, there.classifier, there.flow))
    typer.echo(
        f"mAP on {scores.videos} test videos: {percent(scores.mean_average_precision)} %; ask for "
        f"its picks with `actseg evaluate a2d-pairs {data} --classifier {path}`"
    )
