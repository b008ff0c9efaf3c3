"""A network asked on a data set and its report written: the one way for every command."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from actseg_core.datasets.a2d_pairs import A2DPairs
from actseg_core.evaluation.clip_questions import ClipAnswerer, ClipQuestion, ClipQuestions
from actseg_core.evaluation.pair_frames import (
    FrameLabeller,
    LabelledFrame,
    LabelledFrames,
    Proposals,
    evaluate_classifier,
    evaluate_frames,
)
from actseg_core.evaluation.paper_tables import Provenance
from actseg_core.evaluation.report import write_pairs_report, write_report
from actseg_core.evaluation.run import Evaluation, evaluate
from actseg_core.evaluation.semantic import ClassificationScores, SemanticScores
from actseg_core.predictor import NetworkPredictor, Predictor

Mark = Callable[[int, int], Provenance]
"""The mark of the figures, of how many samples were asked and how many there are."""
Watch = Callable[[LabelledFrames], AbstractContextManager[Iterable[LabelledFrame]]]
Ask = Callable[[Iterable[ClipQuestion], ClipAnswerer], Evaluation]


def measure_sentences(
    predictor: Predictor, questions: ClipQuestions, folder: Path, mark: Mark, ask: Ask = evaluate
) -> tuple[Provenance, Evaluation]:
    """Ask every question and write the report.

    Args:
        predictor: The network.
        questions: Closed at the end.
        folder: Of the report.
        mark: See `Mark`.
        ask: In place of `run.evaluate`, for what is shown or kept on the way.

    Raises:
        DatasetError: If a sample cannot be read, or the report cannot be written.
    """
    try:
        evaluation = ask(questions, ClipAnswerer(predictor))
        provenance = mark(questions.asked, len(questions.dataset.samples))
        write_report(folder, provenance, evaluation, questions.image)
    finally:
        questions.close()
    return provenance, evaluation


def measure_pairs(
    predictor: NetworkPredictor,
    dataset: A2DPairs,
    proposals: Proposals,
    folder: Path,
    mark: Mark,
    *,
    limit: int = 0,
    watch: Watch = nullcontext,
    classifying: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> tuple[Provenance, SemanticScores, ClassificationScores | None]:
    """Label every annotated frame with the 43 pairs and write the report.

    Args:
        predictor: A network that was trained on the pairs' names.
        dataset: Frames and their labels.
        proposals: Which pairs are asked for; if a classifier made them, it is scored, too.
        folder: Of the report.
        mark: See `Mark`.
        limit: So many frames, evenly spread; 0: all.
        watch: Shows how far the frames are.
        classifying: Entered while the classifier is scored.

    Raises:
        DatasetError: If a frame cannot be read, or the report cannot be written.
    """
    frames = LabelledFrames(dataset, predictor.config, limit=limit)
    try:
        with watch(frames) as shown:
            semantic = evaluate_frames(
                shown, FrameLabeller(predictor, proposals.confidences, proposals.threshold)
            )
    finally:
        frames.close()
    classified = None
    if proposals.classified:
        with classifying():
            classified = evaluate_classifier(dataset, proposals.confidences)
    provenance = mark(len(frames), len(dataset.frames))
    write_pairs_report(folder, provenance, semantic, classified)
    return provenance, semantic, classified
