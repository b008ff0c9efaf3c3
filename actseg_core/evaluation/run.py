"""The evaluator: any samples, any predictor, one pass; and what becomes of it.

Of each answer only pixel counts and two run-length codes are kept, about a kilobyte, so that a
test split of any size fits in memory and everything reported can be computed again from
samples.jsonl.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TypeVar

import numpy as np

from actseg_core.errors import DatasetError
from actseg_core.evaluation.masks import (
    CocoScores,
    Mask,
    MaskScores,
    coco_scores,
    common_area,
    encode,
    iou,
    overlap,
    score_overlaps,
)
from actseg_core.evaluation.presence import PresenceAnswer, PresenceScores, presence_scores
from actseg_core.evaluation.questions import Prediction, Question, Swap
from actseg_core.evaluation.swaps import VerbPair, VerbScores, verb_scores
from actseg_core.evaluation.temporal import (
    ConsistencyScores,
    SequenceScores,
    boundary_score,
    consistency_scores,
    sequence_scores,
    steady_overlap,
)
from actseg_core.labels import Pair

AnyQuestion = TypeVar("AnyQuestion", bound=Question)


@dataclass(frozen=True)
class Row:
    """One answered question, without pixel arrays.

    Attributes:
        sample_id: As in the question; so are the next six.
        video_id: Of the question.
        frame: Of the question.
        sentence: Of the question.
        pair: Of the question.
        swapped: Of the question.
        original: Of the question.
        predicted: The predicted mask.
        truth: The true mask.
        intersection: Pixels inside both.
        union: Pixels inside either.
        boundary: DAVIS' F of the outlines, in [0, 1].
        found: Of the answer.
        confidence: Of the answer, in [0, 1].
        pointed: Whether the strongest response lies on the actor; None without a response map.
        steady: Intersection and union [px] with the answer one frame later; None without one.
        steady_warped: The same with the later answer brought back along the flow.
    """

    sample_id: str
    video_id: str
    frame: int
    sentence: str
    pair: Pair | None
    swapped: Swap | None
    original: str
    predicted: Mask
    truth: Mask
    intersection: int
    union: int
    boundary: float
    found: bool
    confidence: float
    pointed: bool | None = None
    steady: tuple[int, int] | None = None
    steady_warped: tuple[int, int] | None = None

    @property
    def iou(self) -> float:
        """Intersection over union, 1 where both are empty."""
        return iou(self.intersection, self.union)

    @property
    def marked(self) -> float:
        """Share [0, 1] of the frame in the predicted mask."""
        return self.predicted.area / (self.predicted.height * self.predicted.width)

    @property
    def has_target(self) -> bool:
        """Whether the described actor is in the frame."""
        return self.truth.area > 0


@dataclass(frozen=True)
class Evaluation:
    """All scores of one run.

    Attributes:
        rows: One per question, in the order asked.
        masks: Over the questions with a target, as in Tables 1 and 2.
        coco: COCO's AP over the same questions.
        sequences: J and F over the same questions, an object being a sentence about a video.
        by_pair: Mask scores by the referred actor's pair, where it is known.
        presence: Over all questions.
        verbs: Same actor, other verb.
        consistency: From frame to frame.
        pointing: Share of questions with a target whose strongest response lies on it; NaN
            without response maps.
    """

    rows: tuple[Row, ...]
    masks: MaskScores
    coco: CocoScores
    sequences: SequenceScores
    by_pair: dict[str, MaskScores]
    presence: PresenceScores
    verbs: VerbScores
    consistency: ConsistencyScores
    pointing: float


def evaluate(
    questions: Iterable[AnyQuestion],
    predict: Callable[[AnyQuestion], Prediction],
    keep: Callable[[Row], None] | None = None,
) -> Evaluation:
    """Ask every question once and score the answers.

    Args:
        questions: Consumed one by one.
        predict: Answers a question.
        keep: Is given each row at once.

    Raises:
        DatasetError: If there is no question, or two have the same sample_id.
        ShapeError: If an answer has another size than the truth.
    """
    rows: dict[str, Row] = {}
    for question in questions:
        if question.sample_id in rows:
            raise DatasetError(
                f"two samples are called {question.sample_id}; give each an id of its own"
            )
        row = rows[question.sample_id] = measure(question, predict(question))
        if keep is not None:
            keep(row)
    if not rows:
        raise DatasetError("there is nothing to evaluate: the data set gave no sample")
    return score(list(rows.values()))


def measure(question: Question, prediction: Prediction) -> Row:
    """All that is kept of one answer.

    An answer "not found" counts as an empty mask, whatever its mask shows.

    Raises:
        ShapeError: If the answer has another size than the truth.
    """
    mask = prediction.mask if prediction.found else np.zeros_like(prediction.mask)
    intersection, union = overlap(mask, question.truth)
    steady = steady_warped = None
    if prediction.next_mask is not None:
        steady = steady_overlap(mask, prediction.next_mask)
        if prediction.next_flow is not None:
            steady_warped = steady_overlap(mask, prediction.next_mask, prediction.next_flow)
    return Row(
        sample_id=question.sample_id,
        video_id=question.video_id,
        frame=question.frame,
        sentence=question.sentence,
        pair=question.pair,
        swapped=question.swapped,
        original=question.original,
        predicted=encode(mask),
        truth=encode(question.truth),
        intersection=intersection,
        union=union,
        boundary=boundary_score(mask, question.truth),
        found=prediction.found,
        confidence=prediction.confidence,
        pointed=_pointed(question, prediction),
        steady=steady,
        steady_warped=steady_warped,
    )


def _pointed(question: Question, prediction: Prediction) -> bool | None:
    if prediction.response is None:
        return None
    return bool(question.truth.flat[prediction.response.argmax()])


def score(rows: Sequence[Row]) -> Evaluation:
    """Scores of measured answers."""
    targets = [row for row in rows if row.has_target]
    pairs: dict[str, list[Row]] = defaultdict(list)
    for row in targets:
        if row.pair is not None:
            pairs[row.pair.text].append(row)
    pointed = [row.pointed for row in targets if row.pointed is not None]
    return Evaluation(
        rows=tuple(rows),
        masks=_mask_scores(targets),
        coco=coco_scores((row.predicted, row.truth, row.confidence) for row in targets),
        sequences=sequence_scores(
            ((row.video_id, row.sentence), row.iou, row.boundary) for row in targets
        ),
        by_pair={name: _mask_scores(pairs[name]) for name in sorted(pairs)},
        presence=presence_scores([_presence(row) for row in rows]),
        verbs=verb_scores(_verb_pairs(rows), _rivals(targets)),
        consistency=consistency_scores(
            [row.steady for row in rows if row.steady],
            [row.steady_warped for row in rows if row.steady_warped],
        ),
        pointing=float(np.mean(pointed)) if pointed else np.nan,
    )


def _mask_scores(rows: Sequence[Row]) -> MaskScores:
    return score_overlaps((row.intersection, row.union) for row in rows)


def _presence(row: Row) -> PresenceAnswer:
    return PresenceAnswer(
        present=row.has_target,
        found=row.found,
        confidence=row.confidence,
        marked=row.marked,
        kind=row.swapped or "",
    )


def _verb_pairs(rows: Sequence[Row]) -> list[VerbPair]:
    """Sentences with another verb beside the true ones that they came from."""
    originals = {row.sample_id: row for row in rows if row.swapped is None and row.has_target}
    return [
        VerbPair(
            confidence=original.confidence,
            other_confidence=row.confidence,
            found=original.found,
            other_found=row.found,
            coverage=original.intersection / original.truth.area,
            other_coverage=common_area(row.predicted, original.truth) / original.truth.area,
        )
        for row in rows
        if row.swapped == "other_action" and (original := originals.get(row.original))
    ]


def _rivals(targets: Sequence[Row]) -> list[tuple[float, float]]:
    """IoU with the own and with the other actor, where two of a kind do different things."""
    frames: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in targets:
        if row.pair is not None:
            frames[row.video_id, row.frame].append(row)
    return [
        (row.iou, _iou(row.predicted, other.truth))
        for rows in frames.values()
        for row, other in permutations(rows, 2)
        if _are_rivals(row.pair, other.pair)
    ]


def _are_rivals(pair: Pair | None, other: Pair | None) -> bool:
    if pair is None or other is None:
        return False
    return pair.actor == other.actor and pair.action != other.action


def _iou(first: Mask, second: Mask) -> float:
    common = common_area(first, second)
    return iou(common, first.area + second.area - common)
