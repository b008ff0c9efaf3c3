"""Scores as plain values for JSON, where NaN becomes null, and files that are written whole."""

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from actseg_core.errors import DatasetError
from actseg_core.evaluation.masks import THRESHOLDS, MaskScores
from actseg_core.evaluation.run import Evaluation, Row
from actseg_core.evaluation.semantic import ClassificationScores, SemanticScores


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when all went well.

    Raises:
        DatasetError: If it cannot be written; what was there before is kept.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error}; give another output folder") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text.

    Raises:
        DatasetError: If it cannot be written.
    """
    with replaced(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON; NaN is a bug here, see `summary.without_nan`.

    Raises:
        DatasetError: If it cannot be written.
    """
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_json_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value per line.

    Raises:
        DatasetError: If it cannot be written.
    """
    with replaced(path) as partial, partial.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, allow_nan=False) + "\n")


def summarise(evaluation: Evaluation) -> dict[str, Any]:
    """All scores of a run on sentences; shares in [0, 1], keys as the classes name them."""
    verbs, sequences = evaluation.verbs, evaluation.sequences
    content = {
        "masks": mask_values(evaluation.masks),
        "coco_ap": asdict(evaluation.coco),
        "sequences": asdict(sequences) | {"region_and_boundary": sequences.region_and_boundary},
        "by_pair": {name: mask_values(scores) for name, scores in evaluation.by_pair.items()},
        "presence": asdict(evaluation.presence),
        "verbs": asdict(verbs) | {"sensitivity": verbs.sensitivity},
        "consistency": asdict(evaluation.consistency),
        "pointing": evaluation.pointing,
    }
    return dict(without_nan(content))


def summarise_pairs(
    semantic: SemanticScores, classification: ClassificationScores | None
) -> dict[str, Any]:
    """All scores of a run on the 43 pairs."""
    content = {
        "semantic": asdict(semantic),
        "classification": asdict(classification) if classification else None,
    }
    return dict(without_nan(content))


def mask_values(scores: MaskScores) -> dict[str, Any]:
    """Mask scores with precisions by threshold, "0.50" to "0.95"."""
    names = [f"{threshold:.2f}" for threshold in THRESHOLDS]
    return {
        "samples": scores.samples,
        "overall_iou": scores.overall_iou,
        "mean_iou": scores.mean_iou,
        "map_mean_precision": scores.map_mean_precision,
        "map_mean_precision_strict": scores.map_mean_precision_strict,
        "precision": dict(zip(names, scores.precision, strict=True)),
        "precision_strict": dict(zip(names, scores.precision_strict, strict=True)),
        "histogram": list(scores.histogram),
    }


def row_values(row: Row) -> dict[str, Any]:
    """One line of samples.jsonl: what was asked, the scores, and the mask as COCO's RLE."""
    content = {
        "sample_id": row.sample_id,
        "video": row.video_id,
        "frame": row.frame,
        "sentence": row.sentence,
        "pair": row.pair.text if row.pair else None,
        "swapped": row.swapped,
        "original": row.original or None,
        "has_target": row.has_target,
        "found": row.found,
        "confidence": row.confidence,
        "intersection": row.intersection,
        "union": row.union,
        "iou": row.iou,
        "boundary": row.boundary,
        "mask": {
            "size": [row.predicted.height, row.predicted.width],
            "counts": row.predicted.counts.decode("ascii"),
        },
    }
    return dict(without_nan(content))


def without_nan(content: Any) -> Any:
    """The same values with None for NaN, at any depth; tuples become lists."""
    if isinstance(content, Mapping):
        return {key: without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content
