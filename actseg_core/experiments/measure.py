"""One measurement: the network of a cell, asked on its data, as `actseg evaluate` reports it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from actseg_core.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.datasets.jhmdb_sentences import FRAME_LIST
from actseg_core.datasets.samples import SentenceDataset
from actseg_core.errors import CheckpointError
from actseg_core.evaluation.clip_questions import ClipQuestions
from actseg_core.evaluation.datasets import (
    open_pairs,
    open_sentences,
    origin_of,
    row_of,
    weights_mark,
)
from actseg_core.evaluation.measured import measure_pairs, measure_sentences
from actseg_core.evaluation.pair_frames import (
    Proposals,
    classifier_proposals,
    known_proposals,
)
from actseg_core.evaluation.paper_tables import Provenance
from actseg_core.experiments.plan import Cell, Training
from actseg_core.experiments.scale import AblationScale
from actseg_core.experiments.store import LISTED
from actseg_core.networks.two_stream import Network, build_model
from actseg_core.predictor import NetworkPredictor, Predictor
from actseg_core.text.sentence import load_reader

WEIGHTS_FILE = "model.safetensors"


def assemble(cell: Cell, checkpoints: Mapping[str, Path], path: Path) -> None:
    """Write the network of a cell as one checkpoint, each stream from its own training.

    Args:
        cell: What is measured.
        checkpoints: File by name of the training.
        path: The .safetensors file to write.

    Raises:
        CheckpointError: If a file cannot be read, or does not fit.
    """
    network = build_model(cell.model)
    for training in cell.trainings:
        words = _take_stream(network, training, checkpoints[training.name])
    save_checkpoint(path, network, words=words)


def _take_stream(network: Network, training: Training, path: Path) -> str:
    """Copy a trained stream; the digest of the word vectors it was trained with."""
    stream = training.model.streams[0]
    trained = load_checkpoint(path)
    try:
        network.stream(stream).load_state_dict(trained.network.stream(stream).state_dict())
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} does not fit the {stream} stream of {network.config.name}: {error}; was it "
            "trained at another scale? Give another run folder"
        ) from error
    return trained.words


def measure_cell(
    cell: Cell, checkpoints: Mapping[str, Path], data: Path, scale: AblationScale, output: Path
) -> None:
    """Ask the network of a cell on its data and write the report of `actseg evaluate`.

    Args:
        cell: What is measured.
        checkpoints: File by name of the training.
        data: Folder with `a2d` and `jhmdb`.
        scale: Names what differs from the paper.
        output: Folder of the report; metrics.json is written last. Where the second data set has
            a list of frames as later papers use it, output/listed holds the report on these.

    Raises:
        ActSegError: If data or weights cannot be read, or the report cannot be written.
    """
    weights = output / WEIGHTS_FILE
    assemble(cell, checkpoints, weights)
    checkpoint = load_checkpoint(weights)
    predictor = NetworkPredictor(
        checkpoint.network, load_reader(cell.model.text, checkpoint.words)
    )
    if cell.kind == "a2d-pairs":
        _measure_pairs(cell, predictor, data / "a2d", scale, output)
    else:
        folder = data / ("jhmdb" if cell.kind == "jhmdb-sentences" else "a2d")
        _measure_sentences(cell, predictor, folder, scale, output)


def _measure_sentences(
    cell: Cell, predictor: Predictor, folder: Path, scale: AblationScale, output: Path
) -> None:
    frame_list = folder / FRAME_LIST
    if cell.kind == "jhmdb-sentences" and frame_list.is_file():
        listed = open_sentences(cell.kind, folder, "", frame_list=frame_list)
        _ask(cell, predictor, listed, folder, scale, output / LISTED, "frames of the list")
    dataset = open_sentences(cell.kind, folder, _split(cell))
    _ask(cell, predictor, dataset, folder, scale, output, "")


def _ask(
    cell: Cell,
    predictor: Predictor,
    dataset: SentenceDataset,
    folder: Path,
    scale: AblationScale,
    output: Path,
    note: str,
) -> None:
    questions = ClipQuestions(dataset, cell.model, predictor.read, limit=scale.limit)
    weights = output if output.name != LISTED else output.parent
    mark = partial(_provenance, cell, folder, scale, weights, note)
    measure_sentences(predictor, questions, output, mark)


def _measure_pairs(
    cell: Cell, predictor: NetworkPredictor, folder: Path, scale: AblationScale, output: Path
) -> None:
    dataset = open_pairs(folder, _split(cell))
    proposals = _proposals(cell, dataset, scale)
    mark = partial(_provenance, cell, folder, scale, output, proposals.note)
    measure_pairs(predictor, dataset, proposals, output, mark, limit=scale.limit)


def _proposals(cell: Cell, dataset: A2DPairs, scale: AblationScale) -> Proposals:
    if cell.row.queries == "picks":
        return classifier_proposals(dataset, Path(scale.classifier))
    return known_proposals(dataset, cell.row.queries)


def _split(cell: Cell) -> str:
    return "" if cell.kind == "jhmdb-sentences" else "test"


def _provenance(
    cell: Cell,
    folder: Path,
    scale: AblationScale,
    output: Path,
    note: str,
    asked: int,
    available: int,
) -> Provenance:
    """The mark of the figures, of the samples asked and available."""
    _, differences = row_of(cell.model, cell.kind, cell.row.preset)
    trained = f"trained at scale {scale.name}, seed {cell.seed}"
    return Provenance(
        kind=cell.kind,
        origin=origin_of(cell.kind, folder),
        folder=folder.name,
        split=_split(cell),
        asked=asked,
        available=available,
        left_out=0,
        model=cell.model.name,
        weights=weights_mark(output / WEIGHTS_FILE),
        row=cell.row.preset,
        notes=(trained, *differences, *([note] if note else [])),
    )
