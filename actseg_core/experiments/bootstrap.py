"""How sure a difference between two rows is: a paired bootstrap over test videos and seeds."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import DatasetError
from actseg_core.evaluation.masks import iou, score_overlaps

Measure = Literal["overall IoU", "mean IoU", "mAP"]
RESAMPLES = 4000
INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True, eq=False)
class VideoSums:
    """A measure as a ratio of sums over videos, so that videos can be drawn anew.

    Attributes:
        videos: Their names, (V,), sorted.
        numerators: (V,) float64.
        denominators: (V,) float64.
    """

    videos: tuple[str, ...]
    numerators: NDArray[np.float64]
    denominators: NDArray[np.float64]

    @property
    def value(self) -> float:
        """The measure itself, in [0, 1]."""
        return float(self.numerators.sum() / self.denominators.sum())


@dataclass(frozen=True)
class Difference:
    """How much better one row is than another, in percentage points.

    Attributes:
        mean: Over the seeds.
        low: Lower end of the interval.
        high: Upper end.
        seeds: Seeds that both rows have.
    """

    mean: float
    low: float
    high: float
    seeds: int


def read_sums(path: Path, measure: Measure) -> VideoSums:
    """Sums of a run's samples.jsonl over the samples with a target.

    Raises:
        DatasetError: If the file is missing or damaged.
    """
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["has_target"]:
                above, below = _parts(int(row["intersection"]), int(row["union"]), measure)
                sums[row["video"]][0] += above
                sums[row["video"]][1] += below
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path} is no samples.jsonl of `actseg evaluate` ({error}); delete its folder and "
            "measure again"
        ) from error
    videos = tuple(sorted(sums))
    table = np.array([sums[name] for name in videos]).reshape(-1, 2)
    return VideoSums(videos, table[:, 0], table[:, 1])


def _parts(intersection: int, union: int, measure: Measure) -> tuple[float, float]:
    if measure == "overall IoU":
        return float(intersection), float(union)
    if measure == "mean IoU":
        return iou(intersection, union), 1.0
    return score_overlaps([(intersection, union)]).map_mean_precision, 1.0


def estimate(rows: Sequence[VideoSums], seed: int = 0) -> Difference:
    """A row's own measure and its 95 % interval, videos and seeds drawn as for `difference`.

    Args:
        rows: One item per seed.
        seed: Of the drawing.

    Raises:
        DatasetError: If the seeds were not asked about the same videos.
    """
    nothing = [
        VideoSums(row.videos, np.zeros_like(row.numerators), row.denominators) for row in rows
    ]
    return difference(rows, nothing, seed)


def difference(
    better: Sequence[VideoSums], worse: Sequence[VideoSums], seed: int = 0
) -> Difference:
    """The difference of two rows and its 95 % interval.

    Test videos and seeds are drawn anew with replacement, the same ones for both rows. With one
    seed the interval knows only how far the test videos matter, not how far training does.

    Args:
        better: One item per seed.
        worse: The same seeds in the same order.
        seed: Of the drawing.

    Raises:
        DatasetError: If the rows were not asked about the same videos.
    """
    videos = better[0].videos
    if any(item.videos != videos for item in (*better, *worse)):
        raise DatasetError(
            "two rows were measured on different videos; delete the results of one and measure "
            "again with the same data and limit"
        )
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(videos), np.full(len(videos), 1 / len(videos)), RESAMPLES)
    gaps = np.stack(
        [
            _ratio(one, drawn) - _ratio(other, drawn)
            for one, other in zip(better, worse, strict=True)
        ]
    )
    seeds = rng.integers(len(gaps), size=(len(gaps), RESAMPLES))
    resampled = np.take_along_axis(gaps, seeds, axis=0).mean(axis=0)
    low, high = np.nanpercentile(resampled, INTERVAL)
    means = [one.value - other.value for one, other in zip(better, worse, strict=True)]
    return Difference(100 * float(np.mean(means)), 100 * float(low), 100 * float(high), len(means))


def _ratio(sums: VideoSums, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        ratio: NDArray[np.float64] = (drawn @ sums.numerators) / (drawn @ sums.denominators)
    return ratio
