"""What an answer that knows neither picture nor sentence is worth: one region for everything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from actseg_core.datasets.samples import SentenceDataset
from actseg_core.errors import DatasetError
from actseg_core.evaluation.clip_questions import select
from actseg_core.evaluation.datasets import open_sentences
from actseg_core.evaluation.masks import MaskScores, overlap, score_overlaps
from actseg_core.evaluation.paper_tables import Kind

GRID = 48
LEARNT_FROM = 400  # samples
LEVELS = np.arange(0.05, 1.0, 0.05)  # shares of the most frequent place


@dataclass(frozen=True)
class Floor:
    """Scores of the fixed region on one data set."""

    kind: Kind
    scores: MaskScores


def measure_floors(data: Path, limit: int) -> list[Floor]:
    """The region that fits the training masks of `a2d` best, scored on both test sets.

    Args:
        data: Folder with `a2d` and `jhmdb`.
        limit: So many samples of each test set, the same as the networks are asked; 0: all.

    Raises:
        DatasetError: If a mask is missing or damaged, or none shows an actor.
    """
    region = best_region(
        _masks(open_sentences("a2d-sentences", data / "a2d", "train"), LEARNT_FROM)
    )
    sets: tuple[tuple[Kind, str, str], ...] = (
        ("a2d-sentences", "a2d", "test"),
        ("jhmdb-sentences", "jhmdb", ""),
    )
    return [
        Floor(kind, score_region(region, _masks(open_sentences(kind, data / name, split), limit)))
        for kind, name, split in sets
    ]


def _masks(dataset: SentenceDataset, limit: int) -> list[NDArray[np.bool_]]:
    """Masks of evenly spread samples, those that show nothing left out."""
    masks = [dataset.mask(sample) for sample in select(dataset.samples, limit)]
    shown = [mask for mask in masks if mask.any()]
    if not shown:
        raise DatasetError(f"no mask of {dataset.name} shows an actor; is it the right folder?")
    return shown


def best_region(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """(GRID, GRID) bool: where masks lie often enough, how often decided by the overall IoU."""
    mean = np.mean([_shrunk(mask) for mask in masks], axis=0)
    regions = [mean >= level * mean.max() for level in LEVELS]
    return max(regions, key=lambda region: score_region(region, masks).overall_iou)


def score_region(region: NDArray[np.bool_], masks: Iterable[NDArray[np.bool_]]) -> MaskScores:
    """Scores of the same region, stretched to each mask's size."""
    return score_overlaps(overlap(_stretched(region, mask.shape), mask) for mask in masks)


def _shrunk(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    shares = functional.adaptive_avg_pool2d(torch.from_numpy(mask).float()[None], GRID)[0]
    values: NDArray[np.float32] = shares.numpy()
    return values


def _stretched(region: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = (np.arange(side) * GRID // side for side in shape)
    return region[np.ix_(rows, columns)]
