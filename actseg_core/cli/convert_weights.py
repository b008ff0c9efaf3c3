"""`actseg convert-weights`: public I3D and VGG16 weights to safetensors."""

from pathlib import Path
from typing import Annotated

import typer

from actseg_core.checkpoints.public_weights import PublicWeights, read_weights, save_weights
from actseg_core.errors import CheckpointError


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
    for line in describe(source, weights):
        typer.echo(line)
    typer.echo(f"written to {destination} ({destination.stat().st_size / 1e6:.1f} MB)")


def describe(source: Path, weights: PublicWeights) -> list[str]:
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
