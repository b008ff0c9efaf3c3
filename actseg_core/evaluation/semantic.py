"""Label maps of actors and actions: accuracy and IoU per class (paper section 5.3, Table 3).

The rules are those of the script vic_eval_segmentation.m that Kalogeiton et al. [10] published and
that the paper follows. Ids are A2D's: 10 * actor + action, 0 is background; 64 of them are in its
colour map, 44 valid. Accuracies of the joint task leave pixels out whose true pair A2D does not
use; everything else counts all pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from actseg_core.errors import ShapeError
from actseg_core.labels import ACTIONS, ACTORS, BACKGROUND, PAIRS

IDS = 80  # ids go up to 79
VALID_IDS = (BACKGROUND, *(pair.label for pair in PAIRS))
KNOWN_IDS = (
    BACKGROUND,
    *(10 * actor + action for actor in range(1, 8) for action in range(1, 10)),
)
_IS_KNOWN = np.isin(np.arange(IDS), KNOWN_IDS)


@dataclass(frozen=True)
class ClassificationScores:
    """Ranking of videos, class by class.

    Attributes:
        videos: Their number.
        mean_average_precision: Mean over the classes that some video shows, in [0, 1]; NaN
            without one.
        per_class: Average precision by class name; classes that no video shows are left out.
    """

    videos: int
    mean_average_precision: float
    per_class: dict[str, float]


def classification_scores(
    confidences: NDArray[np.floating], shown: NDArray[np.bool_], names: tuple[str, ...]
) -> ClassificationScores:
    """Average precision (scikit-learn's, without interpolation) of every class, and their mean.

    Args:
        confidences: (V, C) scores of V videos and C classes.
        shown: (V, C) bool, whether the video shows the class.
        names: Of the C classes.

    Raises:
        ShapeError: If the arrays and names do not fit together.
    """
    if confidences.ndim != 2 or confidences.shape != shown.shape or shown.dtype != np.bool_:
        raise ShapeError(
            "confidences and shown must both be (videos, classes), shown of bool, got "
            f"{confidences.shape} and {shown.shape} of {shown.dtype}"
        )
    if len(names) != shown.shape[1]:
        raise ShapeError(f"{shown.shape[1]} classes need as many names, got {len(names)}")
    per_class = {
        name: float(average_precision_score(shown[:, place], confidences[:, place]))
        for place, name in enumerate(names)
        if shown[:, place].any()
    }
    mean = float(np.mean(list(per_class.values()))) if per_class else np.nan
    return ClassificationScores(len(shown), mean, per_class)


@dataclass(frozen=True)
class ClassScores:
    """One task's accuracies; in [0, 1], NaN without a labelled pixel.

    Attributes:
        class_average: Mean over classes of the share of a class's pixels that got its label.
            Classes that never occur in the truth are left out (in A2D's test split all occur).
        global_accuracy: Share of all pixels that got their label.
        mean_iou: Mean IoU of the classes that occur in the truth.
        per_class: IoU by name of those classes.
    """

    class_average: float
    global_accuracy: float
    mean_iou: float
    per_class: dict[str, float]


@dataclass(frozen=True)
class SemanticScores:
    """The three blocks of Table 3, background included in each.

    Attributes:
        frames: Number of label maps.
        actor: 8 classes.
        action: 10 classes, "none" among them.
        joint: 44 classes.
    """

    frames: int
    actor: ClassScores
    action: ClassScores
    joint: ClassScores


class SemanticAccumulator:
    """Counts pixels by true and predicted id, one frame at a time; its memory does not grow."""

    def __init__(self) -> None:
        self._frames = 0
        self._confusion = np.zeros((IDS, IDS), np.int64)

    def add(self, predicted: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Count one frame.

        Args:
            predicted: (H, W) uint8 ids.
            truth: (H, W) uint8 ids at the frame's own size.

        Raises:
            ShapeError: If the sizes differ or an id is not in A2D's colour map.
        """
        if predicted.shape != truth.shape:
            raise ShapeError(
                f"a label map of {predicted.shape} cannot be compared with one of {truth.shape}; "
                "bring the predicted one to the frame's own size"
            )
        for name, labels in (("predicted", predicted), ("true", truth)):
            check_labels(labels, name)
        places = truth.astype(np.int64) * IDS + predicted
        self._confusion += np.bincount(places.ravel(), minlength=IDS * IDS).reshape(IDS, IDS)
        self._frames += 1

    def result(self) -> SemanticScores:
        """Scores of what was added so far."""
        return SemanticScores(
            self._frames,
            actor=_grouped(self._confusion, lambda label: label // 10, ACTORS),
            action=_grouped(self._confusion, lambda label: label % 10, ACTIONS),
            joint=_joint(self._confusion),
        )


def check_labels(labels: NDArray[np.uint8], name: str) -> None:
    """Refuse what is no label map.

    Raises:
        ShapeError: If it is not (H, W) uint8 or has an id that A2D's colour map lacks.
    """
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ShapeError(
            f"the {name} label map must be (H, W) uint8, got {labels.shape} of {labels.dtype}"
        )
    present = np.flatnonzero(np.bincount(labels.ravel()))
    if unknown := [label for label in present.tolist() if label >= IDS or not _IS_KNOWN[label]]:
        raise ShapeError(
            f"the {name} label map has the id {unknown[0]}; wanted 0 or 10 * actor (1 to "
            f"{len(ACTORS)}) + action (1 to {len(ACTIONS)})"
        )


def _grouped(
    confusion: NDArray[np.int64], group: Callable[[int], int], names: tuple[str, ...]
) -> ClassScores:
    """Scores after ids of one group became one class; group 0 is background."""
    member = np.zeros((IDS, len(names) + 1), np.int64)
    for label in KNOWN_IDS:
        member[label, group(label)] = 1
    counts = member.T @ confusion @ member
    return _scores(counts, counts, ("background", *names))


def _joint(confusion: NDArray[np.int64]) -> ClassScores:
    names = ["background"] * IDS
    for label in KNOWN_IDS[1:]:
        names[label] = f"{ACTORS[label // 10 - 1]} {ACTIONS[label % 10 - 1]}"
    valid = confusion.copy()
    valid[np.setdiff1d(np.arange(IDS), VALID_IDS)] = 0
    return _scores(valid, confusion, tuple(names))


def _scores(
    for_accuracy: NDArray[np.int64], for_iou: NDArray[np.int64], names: tuple[str, ...]
) -> ClassScores:
    right, there = np.diag(for_accuracy), for_accuracy.sum(axis=1)
    if not there.any():
        return ClassScores(np.nan, np.nan, np.nan, {})
    counted = there > 0
    hits, rows, columns = np.diag(for_iou), for_iou.sum(axis=1), for_iou.sum(axis=0)
    occurs = np.flatnonzero(rows)
    ious = hits[occurs] / (rows + columns - hits)[occurs]
    return ClassScores(
        class_average=float((right[counted] / there[counted]).mean()),
        global_accuracy=float(right.sum() / there.sum()),
        mean_iou=float(ious.mean()),
        per_class={names[place]: float(value) for place, value in zip(occurs, ious, strict=True)},
    )
