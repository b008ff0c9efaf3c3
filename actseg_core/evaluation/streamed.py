"""Sentences asked of a streamed video: every frame pushed, answers scored as they come. [ours]

A robot is not asked about clips but about a stream, so an answer here has all that the engine has
seen before it. Masks of NOT_FOUND count as empty.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from actseg_core.evaluation.masks import overlap, score_overlaps
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.types import Frame, MaskResult

AGREE_IOU = 0.7


@dataclass(frozen=True)
class StreamedAnswer:
    """One answer about one frame of a stream, without pixel arrays.

    Attributes:
        clip: Of the stream.
        sentence: As asked.
        kind: What kind of question it is, as the caller names them.
        frame: That the mask belongs to, counted from 0.
        present: Whether the described actor is there.
        found: Whether the answer says so.
        confidence: Of the answer, in [0, 1].
        intersection: Pixels of the mask that are right.
        union: Pixels that are in the mask or the truth.
        marked: Share [0, 1] of the frame's pixels in the mask.
    """

    clip: str
    sentence: str
    kind: str
    frame: int
    present: bool
    found: bool
    confidence: float
    intersection: int
    union: int
    marked: float


@dataclass(frozen=True)
class StreamedScores:
    """Answers of a kind, summed up; shares in [0, 1], NaN where nothing was asked.

    Attributes:
        present: Answers about actors who are there.
        overall_iou: Of those answers: sum of intersections over sum of unions.
        mean_iou: Mean of their IoU.
        precision_half: Share of them with IoU of at least 0.5 (P@0.5).
        found: Share of them that say "found".
        confidence: Their mean confidence.
        absent: Answers about actors who are not there.
        not_found: Share of those that say "not found".
        false_area: Mean share of the frame that those mark all the same.
    """

    present: int
    overall_iou: float
    mean_iou: float
    precision_half: float
    found: float
    confidence: float
    absent: int
    not_found: float
    false_area: float

    def rounded(self) -> dict[str, float]:
        """Counts as they are, shares in percent with one digit."""
        return {
            name: value if isinstance(value, int) else round(100 * value, 1)
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Agreement:
    """How often another wording of a sentence gets the same answer.

    Attributes:
        pairs: Pairs of answers of which at least one marks something.
        same: Share of them with IoU above AGREE_IOU; NaN without one.
        mean_iou: Their mean IoU.
        both_empty: Further pairs in which neither answer marks anything.
    """

    pairs: int
    same: float
    mean_iou: float
    both_empty: int

    def rounded(self) -> dict[str, float]:
        """Counts as they are, shares in percent with one digit."""
        return {
            name: value if isinstance(value, int) else round(100 * value, 1)
            for name, value in asdict(self).items()
        }


def stream(
    predictor: Predictor, frames: Iterable[Frame], sentences: Sequence[str]
) -> Iterator[tuple[Frame, StreamingEngine]]:
    """Push frame after frame into a fresh engine that is asked the sentences.

    Yields:
        Each frame after it was pushed, and the engine, to be asked for answers at will.
    """
    engine = StreamingEngine(predictor)
    engine.set_queries([(text, predictor.read(text)) for text in sentences])
    try:
        for frame in frames:
            engine.push(frame)
            yield frame, engine
    finally:
        engine.close()


def score(
    clip: str,
    asked: tuple[str, str],
    frame: int,
    result: MaskResult,
    truth: NDArray[np.bool_],
) -> StreamedAnswer:
    """The row of one answer.

    Args:
        clip: Of the stream.
        asked: Sentence and kind.
        frame: That the mask belongs to.
        result: The answer.
        truth: (H, W) bool; all false: the described actor is not there.

    Raises:
        ShapeError: If mask and truth have different sizes.
    """
    mask = result.mask > 0
    both, either = overlap(mask, truth)
    return StreamedAnswer(
        clip,
        *asked,
        frame=frame,
        present=bool(truth.any()),
        found=result.found,
        confidence=round(result.confidence, 4),
        intersection=both,
        union=either,
        marked=float(mask.mean()),
    )


def streamed_scores(answers: Iterable[StreamedAnswer]) -> StreamedScores:
    """Sum answers up."""
    rows = list(answers)
    there = [row for row in rows if row.present]
    absent = [row for row in rows if not row.present]
    masks = score_overlaps((row.intersection, row.union) for row in there)
    return StreamedScores(
        present=len(there),
        overall_iou=masks.overall_iou,
        mean_iou=masks.mean_iou,
        precision_half=masks.precision_at(0.5),
        found=_mean([row.found for row in there]),
        confidence=_mean([row.confidence for row in there]),
        absent=len(absent),
        not_found=_mean([not row.found for row in absent]),
        false_area=_mean([row.marked for row in absent]),
    )


def flicker(runs: Iterable[Sequence[bool]]) -> float:
    """Changes between FOUND and NOT_FOUND per 100 frames while the actor is there.

    Args:
        runs: Per sentence and clip what consecutive frames were answered; every frame.

    Returns:
        Changes per 100 pairs of consecutive frames; NaN without a pair.
    """
    changes = [first != second for run in runs for first, second in pairwise(run)]
    return 100 * _mean(changes)


def agreement(overlaps: Iterable[tuple[int, int]]) -> Agreement:
    """Sum up (intersection, union) [px] of the masks of two wordings, pair by pair."""
    pairs = list(overlaps)
    values = [both / either for both, either in pairs if either]
    return Agreement(
        pairs=len(values),
        same=_mean([value > AGREE_IOU for value in values]),
        mean_iou=_mean(values),
        both_empty=len(pairs) - len(values),
    )


def by_kind(answers: Iterable[StreamedAnswer]) -> dict[str, StreamedScores]:
    """Scores of each kind of question."""
    groups: dict[str, list[StreamedAnswer]] = defaultdict(list)
    for answer in answers:
        groups[answer.kind].append(answer)
    return {kind: streamed_scores(rows) for kind, rows in groups.items()}


def _mean(values: Sequence[float] | Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")
