"""`actseg models`, `export` and `convert-weights`: what there is, and files for elsewhere."""

import functools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from actseg_core.checkpoints.checkpoint import load_checkpoint
from actseg_core.checkpoints.public_weights import PublicWeights, read_weights, save_weights
from actseg_core.checkpoints.stored import checkpoint_path
from actseg_core.config import ModelConfig, Stream, preset_names
from actseg_core.errors import BackendError, CheckpointError, ConfigError
from actseg_core.experiment_config import ClassifierConfig, load_experiment
from actseg_core.networks.objects_model import ObjectsModel
from actseg_core.networks.pair_classifier import CHANNELS, PairClassifier
from actseg_core.networks.two_stream import Network, parameter_count
from actseg_core.objects.perception import GRID
from actseg_core.runtime.export import (
    Difference,
    check_folder,
    export_folder,
    missing_runtimes,
)

GIGA = 1e9
MEGA = 1e6
MIN_WIDTH = 112  # narrower, rich would drop a column
FORMATS = ("onnx",)


@dataclass(frozen=True)
class Cost:
    """What one network costs.

    Attributes:
        parameters: Scalar parameters, all streams together.
        trainable: Those that training changes.
        clip_gflop: Encoding one clip, once for all sentences [1e9 operations, of which a
            multiplication and an addition are two].
        sentence_gflop: Answering one sentence about an encoded clip [likewise].
    """

    parameters: int
    trainable: int
    clip_gflop: float
    sentence_gflop: float


@dataclass(frozen=True)
class Listing:
    """One line of the list.

    Attributes:
        name: Preset.
        row: The row of the paper's tables that it stands for; empty for ours.
        kind: As in `ModelConfig`.
        streams: Inputs.
        frames: Frames per clip.
        size: Side of the input [px].
        cost: Of the network.
        classifier: Of the pair classifier beside it, per test clip; None where there is none.
    """

    name: str
    row: str
    kind: str
    streams: tuple[Stream, ...]
    frames: int
    size: int
    cost: Cost
    classifier: Cost | None = None


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of a table.")
    ] = False,
) -> None:
    """List the presets with parameters, GFLOP and the row of the paper's tables.

    Raises:
        ConfigError: If a preset is wrong.
    """
    listings = [describe(name) for name in preset_names()]
    if as_json:
        print(json.dumps([asdict(item) for item in listings], indent=2))
    else:
        console = Console()
        console.width = max(console.width, MIN_WIDTH)
        console.print(_table(listings))


def describe(name: str) -> Listing:
    """Size and cost of a preset, without any weights in memory.

    Raises:
        ConfigError: If there is no such preset, or it is wrong.
    """
    model, experiment = load_experiment(name)
    return Listing(
        name=model.name,
        row=model.row,
        kind=model.kind,
        streams=model.streams,
        frames=model.frames,
        size=model.size,
        # Presets of different rows may be one network; it is measured once.
        cost=network_cost(model.model_copy(update={"name": "", "row": ""}).model_dump_json()),
        classifier=classifier_cost(experiment.classifier) if experiment.classifier else None,
    )


OBJECTS_PER_FRAME = 8


def _objects_cost(config: ModelConfig) -> Cost:
    """Of the objects model, 8 objects in each 4:3 frame; a sentence is a few small products."""
    with torch.device("meta"), torch.no_grad():
        model = ObjectsModel(config).eval()
        height = config.size * 3 // 4 // GRID * GRID
        image = torch.zeros(1, height, config.size, 3, dtype=torch.uint8)
        with _counter() as of_frame:
            stride16, stride8, masks, names, *_ = model.see(image)
            boxes = torch.ones(OBJECTS_PER_FRAME, 4)
            model.look(stride16, stride8, masks, names, boxes)
    count = parameter_count(model)
    return Cost(count, count, config.frames * of_frame.get_total_flops() / GIGA, 0.0)


@functools.lru_cache(maxsize=64)
def network_cost(config_json: str) -> Cost:
    """Cost of the network of a configuration, given as JSON so that equal ones are remembered."""
    config = ModelConfig.model_validate_json(config_json)
    if not config.has_response_maps:
        return _objects_cost(config)
    with torch.device("meta"), torch.no_grad():  # shapes without values: 512x512 costs no time
        network = Network(config).eval()
        with _counter() as of_clip:
            features = network.encode(_clips(config.streams, config.frames, config.size))
    # An LSTM needs the lengths of real sentences, so the words pass through real memory: all is
    # allocated, but only the sentence encoders are ever touched.
    network.to_empty(device="cpu")
    for name, parameter in network.named_parameters():
        if ".sentence_encoder." in name:
            nn.init.constant_(parameter, 0.01)
    with _counter() as of_words, torch.no_grad():
        words = torch.ones(1, config.text.max_words, config.text.word_dim)
        vectors = network.encode_sentences(words)
    network.to("meta")
    with _counter() as of_sentence, torch.no_grad():
        network.respond(features, {name: item.to("meta") for name, item in vectors.items()})
    return Cost(
        parameter_count(network),
        _trainable(network),
        of_clip.get_total_flops() / GIGA,
        (of_words.get_total_flops() + of_sentence.get_total_flops()) / GIGA,
    )


def classifier_cost(config: ClassifierConfig) -> Cost:
    """Cost of the pair classifier for one test clip; it reads no sentence."""
    with torch.device("meta"), torch.no_grad():
        classifier = PairClassifier(config).eval()
        with _counter() as counter:
            classifier(_clips(config.streams, config.test_frames, config.crop_px))
    return Cost(
        parameter_count(classifier),
        _trainable(classifier),
        counter.get_total_flops() / GIGA,
        0.0,
    )


def _counter() -> FlopCounterMode:
    """torch's counter, which knows no LSTM of its own."""
    return FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten.mkldnn_rnn_layer: _lstm_flops}
    )


def _lstm_flops(
    inputs: torch.Size, input_weight: torch.Size, state_weight: torch.Size, *_: Any, **__: Any
) -> int:
    """Operations of one direction of one layer: both matrix products for every word."""
    return 2 * inputs[0] * inputs[1] * (input_weight.numel() + state_weight.numel())


def _trainable(module: nn.Module) -> int:
    return sum(item.numel() for item in module.parameters() if item.requires_grad)


def _clips(streams: tuple[Stream, ...], frames: int, size: int) -> dict[Stream, Tensor]:
    return {name: torch.zeros(1, CHANNELS[name], frames, size, size) for name in streams}


def _table(listings: list[Listing]) -> Table:
    table = Table(
        caption="Parameters, and those that train, in millions. GFLOP of one clip with one "
        "sentence, then of each further sentence; two operations per multiply-add.",
        box=box.SIMPLE,
    )
    table.add_column("preset", no_wrap=True)
    table.add_column("stands for", min_width=16)
    table.add_column("input", no_wrap=True)
    for heading in ("param.", "trained", "GFLOP", "further"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    for item in listings:
        inputs = f"{'+'.join(item.streams)} {item.frames}x{item.size}\N{SUPERSCRIPT TWO}"
        table.add_row(item.name, item.row or "ours", inputs, *_numbers(item.cost))
        if item.classifier is not None:
            table.add_row("", "and its pair classifier, per clip", "", *_numbers(item.classifier))
    return table


def _numbers(cost: Cost) -> tuple[str, str, str, str]:
    return (
        f"{cost.parameters / MEGA:.1f}",
        f"{cost.trainable / MEGA:.1f}",
        f"{cost.clip_gflop + cost.sentence_gflop:,.1f}",
        f"{cost.sentence_gflop:,.2f}" if cost.sentence_gflop else "",
    )


def export(
    model: Annotated[
        str, typer.Argument(help="Preset with weights, or a .safetensors file.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to write; it must not exist.")] = None,
    format_: Annotated[str, typer.Option("--format", help="Only onnx so far.")] = "onnx",
    half: Annotated[
        bool, typer.Option("--half", help="Compute in float16; inputs and outputs stay float32.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an exported folder.")] = False,
    check: Annotated[
        Path | None, typer.Option(help="Only check a folder that was exported before.")
    ] = None,
) -> None:
    """Write a model's graphs as ONNX, and check them.

    The folder's model.json names every input and output; reference.npz holds examples. The check
    runs them in ONNX Runtime and OpenVINO, where these are installed, and compares with PyTorch.
    """
    if format_ not in FORMATS:
        raise ConfigError(f"there is no format {format_!r}; choose one of {', '.join(FORMATS)}")
    if check is None:
        if not model or out is None:
            raise ConfigError("say what to export where: actseg export MODEL --out FOLDER")
        export_folder(load_checkpoint(checkpoint_path(model)).model, out, half, force)
        check = out
    elif model or out is not None:
        raise ConfigError("--check checks a folder and exports nothing; leave MODEL and --out off")
    found = list(check_folder(check))
    if not found:
        raise BackendError(
            f"{check} cannot be checked: none of {', '.join(missing_runtimes())} is installed"
        )
    Console().print(_checks_table(found))
    for name in missing_runtimes():
        typer.echo(f"not checked in {name}, which is not installed: pip install {name}")
    failed = [item for item in found if not item.passes]
    if failed:
        raise BackendError(
            f"{len(failed)} of {len(found)} checks of {check} failed: "
            + "; ".join(f"{item.graph} in {item.runtime}" for item in failed)
        )


def _checks_table(found: list[Difference]) -> Table:
    table = Table("graph", "runtime", "largest difference", "allowed", "")
    for item in found:
        verdict = "passes" if item.passes else item.problem or "differs"
        table.add_row(
            item.graph, item.runtime, f"{item.largest:.1e}", f"{item.allowed:g}", verdict
        )
    return table


def convert_weights(
    source: Annotated[
        Path,
        typer.Argument(
            help="I3D: piergiaj .pt, hassony2 .pth or a DeepMind TensorFlow checkpoint (its "
            "prefix or a file of it); VGG16: torchvision .pth; or .safetensors of any of them."
        ),
    ],
    destination: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Recognise public weights by their names, check every tensor, write safetensors.

    Nothing in the source is run. The source is never changed.
    """
    if destination.suffix != ".safetensors":
        raise CheckpointError(
            f"converted weights are written as .safetensors, not {destination.name!r}; give a "
            "destination with that ending"
        )
    if destination.exists() and not force:
        raise CheckpointError(f"{destination} exists already; add --force to replace it")
    weights = read_weights(source)
    save_weights(weights, destination)
    for line in describe_weights(source, weights):
        typer.echo(line)
    typer.echo(f"written to {destination} ({destination.stat().st_size / 1e6:.1f} MB)")


def describe_weights(source: Path, weights: PublicWeights) -> list[str]:
    """What was found in a weight file, for people."""
    parameters = sum(tensor.numel() for tensor in weights.tensors.values())
    lines = [
        f"{source}: {weights.flavour}",
        f"network {weights.network}, stream {weights.stream} "
        f"({weights.in_channels} input channels), {weights.classes} classes",
        f"{len(weights.tensors)} tensors, {parameters / 1e6:.2f} million values, all finite",
    ]
    if weights.ignored:
        lines.append(
            f"left out: {len(weights.ignored)} counters or optimiser slots, for instance "
            f"{weights.ignored[0]}"
        )
    return lines
