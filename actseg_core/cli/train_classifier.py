"""`actseg train-classifier`: what proposes the pairs of Table 3."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from actseg_core.checkpoints.classifier import load_classifier
from actseg_core.cli.generate import with_settings
from actseg_core.config import FlowConfig, Stream
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.errors import ConfigError
from actseg_core.evaluation.pair_frames import VideoClassifier, evaluate_classifier
from actseg_core.evaluation.report import percent
from actseg_core.experiment_config import ClassifierConfig, load_experiment
from actseg_core.training.classifier import train_classifier as run_training


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
    path = run_training(
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
