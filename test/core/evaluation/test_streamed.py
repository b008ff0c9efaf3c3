"""Scores of answers about a stream, and the streaming itself."""

import math

import numpy as np
import pytest

from actseg_core.evaluation.streamed import (
    StreamedAnswer,
    agreement,
    by_kind,
    flicker,
    score,
    stream,
    streamed_scores,
)
from actseg_core.predictor import Predictor
from actseg_core.types import Frame, MaskResult


def answer(
    present: bool, found: bool, overlap: tuple[int, int] = (0, 0), kind: str = "word"
) -> StreamedAnswer:
    return StreamedAnswer("clip", "dog", kind, 0, present, found, 0.5, *overlap, marked=0.04)


def test_overlap_is_scored_where_the_actor_is_there_and_absence_elsewhere() -> None:
    scores = streamed_scores(
        [
            answer(True, True, (50, 100)),
            answer(True, True, (30, 100)),
            answer(True, False, (0, 200)),
            answer(False, True, (0, 70)),
            answer(False, False, (0, 0)),
        ]
    )
    assert (scores.present, scores.absent) == (3, 2)
    assert scores.overall_iou == pytest.approx(80 / 400, abs=1e-6)
    assert scores.mean_iou == pytest.approx((0.5 + 0.3 + 0) / 3, abs=1e-6)
    assert scores.precision_half == pytest.approx(1 / 3)
    assert scores.found == pytest.approx(2 / 3)
    assert scores.not_found == pytest.approx(1 / 2)
    assert scores.false_area == pytest.approx(0.04)


def test_shares_are_rounded_to_percent_and_counts_are_left() -> None:
    rounded = streamed_scores([answer(True, True, (1, 3))]).rounded()
    assert (rounded["present"], rounded["overall_iou"]) == (1, 33.3)
    assert math.isnan(rounded["not_found"])


def test_kinds_of_questions_are_scored_apart() -> None:
    scores = by_kind([answer(True, True, (1, 1), "word"), answer(False, False, kind="absent")])
    assert scores["word"].overall_iou == 1
    assert scores["absent"].not_found == 1


def test_flicker_counts_changes_per_hundred_frames() -> None:
    steady, flickering = [True] * 21, [True, False, True, True, False]
    assert flicker([steady]) == 0
    assert flicker([flickering]) == 75  # 3 changes in 4 steps
    assert flicker([steady, flickering]) == pytest.approx(100 * 3 / 24)
    assert math.isnan(flicker([[True], []]))


def test_two_wordings_agree_above_seven_tenths() -> None:
    scores = agreement([(71, 100), (70, 100), (0, 50), (0, 0), (10, 10)])
    assert scores.pairs == 4
    assert scores.same == pytest.approx(2 / 4)
    assert scores.mean_iou == pytest.approx((0.71 + 0.7 + 0 + 1) / 4)
    assert scores.both_empty == 1


def test_a_row_holds_the_pixel_counts_of_its_answer() -> None:
    mask, truth = np.zeros((10, 10), np.uint8), np.zeros((10, 10), bool)
    mask[:4, :5], truth[2:6, :5] = 255, True
    row = score("clip", ("red dog", "sentence"), 3, MaskResult(mask, True, 0.75), truth)
    assert (row.sentence, row.kind, row.frame) == ("red dog", "sentence", 3)
    assert (row.present, row.found, row.confidence) == (True, True, 0.75)
    assert (row.intersection, row.union, row.marked) == (10, 30, 0.2)


def test_the_stream_pushes_every_frame_into_one_engine(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    frames = [Frame(image, n * 33_000_000, sequence=n) for n, image in enumerate(moving_square)]
    numbers, stamps = [], []
    for frame, engine in stream(small_predictor, frames, ["red dog", "person"]):
        numbers.append(frame.sequence)
        answers = engine.answer()
        assert set(answers) == ({"red dog", "person"} if engine.ready else set())
        stamps += [answers["person"].stamp_ns] if answers else []
    assert numbers == list(range(12))
    assert stamps == [n * 33_000_000 for n in range(7, 12)]  # the window holds 8 frames
