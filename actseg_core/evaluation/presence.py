"""Is the described actor there at all? Accuracy, marked area and calibration. [ours]

The names N-acc and T-acc, for sentences without and with a target, are those of generalised
referring segmentation (Liu et al., GRES, CVPR 2023).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

CALIBRATION_BINS = 10
ANNOTATED = "annotated"  # absent by the annotation itself, not by swapping


@dataclass(frozen=True)
class PresenceAnswer:
    """What one answer says about presence.

    Attributes:
        present: Whether the described actor is there.
        found: Whether the answer says so.
        confidence: Probability [0, 1] given for it.
        marked: Share [0, 1] of the frame's pixels in the predicted mask.
        kind: How the sentence was made false; empty for sentences as annotated.
    """

    present: bool
    found: bool
    confidence: float
    marked: float
    kind: str = ""


@dataclass(frozen=True)
class AbsentScores:
    """Answers to sentences about someone who is not there.

    Attributes:
        samples: Their number.
        accuracy: Share of them that were answered "not found" (N-acc); NaN without one.
        false_area: Mean share of the frame that was marked all the same; NaN without one.
    """

    samples: int
    accuracy: float
    false_area: float


@dataclass(frozen=True)
class CalibrationBin:
    """Answers of similar confidence.

    Attributes:
        samples: Their number.
        confidence: Their mean confidence; NaN without one.
        present: Share of them whose actor is really there; NaN without one.
    """

    samples: int
    confidence: float
    present: float


@dataclass(frozen=True)
class PresenceScores:
    """All about presence.

    Attributes:
        targets: Sentences whose actor is there.
        target_accuracy: Share of them that were answered "found" (T-acc); NaN without one.
        absent: Sentences whose actor is not there.
        absent_by_kind: The same by the way in which the sentence is false.
        auroc: Probability that an actor who is there gets a higher confidence than one who is
            not, ties counting half; NaN without samples of both kinds.
        calibration_error: Expected calibration error over ten bins of equal width: mean distance
            of confidence and frequency; NaN without a sample.
        calibration: Those bins, in rising order.
    """

    targets: int
    target_accuracy: float
    absent: AbsentScores
    absent_by_kind: dict[str, AbsentScores]
    auroc: float
    calibration_error: float
    calibration: tuple[CalibrationBin, ...]


def presence_scores(answers: Sequence[PresenceAnswer]) -> PresenceScores:
    """Scores of answers to sentences with and without a target."""
    targets = [answer for answer in answers if answer.present]
    absent = [answer for answer in answers if not answer.present]
    kinds: dict[str, list[PresenceAnswer]] = defaultdict(list)
    for answer in absent:
        kinds[answer.kind or ANNOTATED].append(answer)
    present = np.array([answer.present for answer in answers], bool)
    confidence = np.array([answer.confidence for answer in answers])
    calibration = _bins(present, confidence)
    return PresenceScores(
        targets=len(targets),
        target_accuracy=_mean([answer.found for answer in targets]),
        absent=_absent_scores(absent),
        absent_by_kind={kind: _absent_scores(kinds[kind]) for kind in sorted(kinds)},
        auroc=float(roc_auc_score(present, confidence)) if targets and absent else np.nan,
        calibration_error=_calibration_error(calibration),
        calibration=calibration,
    )


def _absent_scores(answers: Sequence[PresenceAnswer]) -> AbsentScores:
    return AbsentScores(
        len(answers),
        accuracy=_mean([not answer.found for answer in answers]),
        false_area=_mean([answer.marked for answer in answers]),
    )


def _calibration_error(bins: Sequence[CalibrationBin]) -> float:
    # torchmetrics' figure has an eleventh bin for confidences of exactly 1, apart from 0.9 to 1.
    count = sum(item.samples for item in bins)
    if not count:
        return np.nan
    distances = [item.samples * abs(item.confidence - item.present) for item in bins]
    return float(np.nansum(distances) / count)


def _bins(present: np.ndarray, confidence: np.ndarray) -> tuple[CalibrationBin, ...]:
    """Tenths [k/10, (k+1)/10); the last one holds 1, too."""
    place = np.digitize(confidence, np.arange(1, CALIBRATION_BINS) / CALIBRATION_BINS)
    bins = []
    for index in range(CALIBRATION_BINS):
        inside = place == index
        bins.append(
            CalibrationBin(int(inside.sum()), _mean(confidence[inside]), _mean(present[inside]))
        )
    return tuple(bins)


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else np.nan
