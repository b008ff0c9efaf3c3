"""mask_frame: newest. Every frame is answered, moved masks say so, nothing crosses a break."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE_S

from actseg_core.predictor import Predictor, Response
from actseg_core.streaming.engine import StreamingEngine

PERIOD_NS = 33_000_000
Make = Callable[..., StreamingEngine]


class Following:
    """Stands in for the network's answer: +1 where the labelled frame is bright, -1 elsewhere."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, predictor: Predictor) -> None:
        self.encoded: list[int] = []
        self.hold: threading.Event | None = None
        self.error: Exception | None = None
        label = predictor.config.label_index

        def encode(images: np.ndarray, flow: object) -> Any:
            if self.hold is not None:
                assert self.hold.wait(PATIENCE_S)
            if self.error is not None:
                raise self.error
            self.encoded.append(len(images))
            return images[label]

        def respond(image: np.ndarray, sentences: list[Any]) -> Any:
            bright = np.where(image.mean(axis=2) > 80, 1.0, -1.0).astype(np.float32)
            return {item: Response(bright, 9.0) for item in sentences}

        monkeypatch.setattr(predictor, "encode", encode)
        monkeypatch.setattr(predictor, "respond", respond)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, paper_predictor: Predictor) -> Following:
    return Following(monkeypatch, paper_predictor)


def truth(image: np.ndarray) -> np.ndarray:
    return image.mean(axis=2) > 80


def overlap(mask: np.ndarray, true: np.ndarray) -> float:
    return float(((mask > 0) & true).sum() / ((mask > 0) | true).sum())


def test_the_papers_mask_is_brought_from_its_middle_frame_to_the_newest(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest")
    assert (engine.label_delay_frames, engine.delay_frames) == (3, 0)
    for index in range(8):
        engine.push(camera(index))
    result = engine.answer()["q"]
    assert result.warped and result.stamp_ns == 8 * PERIOD_NS
    assert (result.computed_stamp_ns, result.moved_ns) == (5 * PERIOD_NS, 3 * PERIOD_NS)
    assert (result.window_start_ns, result.window_end_ns) == (PERIOD_NS, 8 * PERIOD_NS)
    moved = overlap(result.mask, truth(camera(7).image))
    still = overlap(truth(camera(4).image), truth(camera(7).image))
    assert moved > 0.8 > still + 0.2


def test_without_it_the_mask_stays_with_the_labelled_frame(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(paper_predictor)
    assert (engine.delay_frames, engine.answers_every_frame) == (3, False)
    for index in range(8):
        engine.push(camera(index))
    result = engine.answer()["q"]
    assert not result.warped and result.moved_ns == 0
    assert result.stamp_ns == result.computed_stamp_ns == 5 * PERIOD_NS
    assert overlap(result.mask, truth(camera(4).image)) > 0.95


def test_between_windows_every_frame_gets_the_last_mask_moved_on(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest", stride_frames=4)
    stamps, computed, overlaps = [], [], []
    for index in range(18):
        engine.push(camera(index))
        for result in engine.answer().values():
            stamps.append(result.stamp_ns // PERIOD_NS)
            computed.append(result.computed_stamp_ns // PERIOD_NS)
            overlaps.append(overlap(result.mask, truth(camera(index).image)))
    assert stamps == list(range(8, 19))
    assert computed == [5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13]
    assert len(network.encoded) == 3
    assert min(overlaps) > 0.6


def test_answers_that_nobody_asked_for_are_caught_up(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    often = make_engine(paper_predictor, mask_frame="newest", stride_frames=30)
    rarely = make_engine(paper_predictor, mask_frame="newest", stride_frames=30)
    for index in range(14):
        often.push(camera(index))
        rarely.push(camera(index))
        if index in (7, 13):
            last = rarely.answer()["q"]
        each = often.answer()
    np.testing.assert_array_equal(each["q"].mask, last.mask)
    assert each["q"].moved_ns == last.moved_ns == 9 * PERIOD_NS


def test_a_way_with_missing_frames_is_given_up_and_the_window_encoded_anew(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest", stride_frames=64)
    for index in range(8):
        engine.push(camera(index))
    engine.answer()
    for index in range(8, 20):  # more than a window without an answer
        engine.push(camera(index))
    result = engine.answer()["q"]
    assert result.window_end_ns == result.stamp_ns == 20 * PERIOD_NS
    assert len(network.encoded) == 2


def test_a_window_that_ended_too_long_ago_is_not_moved_any_more(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest", stride_frames=64, max_moved_s=0.1)
    ends = []
    for index in range(16):
        engine.push(camera(index))
        ends += [result.window_end_ns // PERIOD_NS for result in engine.answer().values()]
    assert ends == [8, 8, 8, 8, 12, 12, 12, 12, 16]


def test_a_new_sentence_is_answered_from_the_window_encoded_last(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest", stride_frames=64)
    for index in range(10):
        engine.push(camera(index))
        engine.answer()
    engine.set_queries(
        [("new", paper_predictor.read("person")), ("q", paper_predictor.read("dog"))]
    )
    answers = engine.answer()
    assert set(answers) == {"new", "q"} and len(network.encoded) == 1
    assert {result.stamp_ns for result in answers.values()} == {10 * PERIOD_NS}


def test_while_a_window_is_encoded_in_the_background_frames_go_on(
    network: Following, paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(
        paper_predictor, mask_frame="newest", background=True, stride_frames=1, max_moved_s=60.0
    )
    try:
        network.hold = threading.Event()
        for index in range(12):
            engine.push(camera(index))
            assert engine.answer() == {}, "nothing is encoded yet, and nobody waits"
        network.hold.set()
        engine._masks._job.features.result(20)  # type: ignore[union-attr]
        network.hold = threading.Event()
        for index in range(12, 24):
            engine.push(camera(index))
            result = engine.answer()["q"]
            assert result.stamp_ns == (index + 1) * PERIOD_NS
            assert result.computed_stamp_ns == 5 * PERIOD_NS  # of the window asked for first
            assert overlap(result.mask, truth(camera(index).image)) > 0.25
    finally:
        network.hold.set()
        engine.close()


@pytest.mark.parametrize("background", [False, True])
def test_after_a_break_no_mask_of_before_is_moved_across(
    network: Following,
    paper_predictor: Predictor,
    camera: Any,
    make_engine: Make,
    background: bool,
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest", background=background)
    try:
        network.hold = threading.Event()
        if not background:
            network.hold.set()
        for index in range(9):
            engine.push(camera(index))
            engine.answer()
        for index in range(60, 67):  # 1.7 s later
            engine.push(camera(index))
            assert engine.answer() == {}
        network.hold.set()  # the window of before the break is ready only now
        if engine._masks._job is not None:
            engine._masks._job.features.result(20)
        for index in range(67, 100):
            engine.push(camera(index))
            for result in engine.answer().values():
                assert result.window_start_ns >= 61 * PERIOD_NS
            if engine._masks._job is not None:
                engine._masks._job.features.result(20)
        assert result.window_start_ns > 61 * PERIOD_NS
    finally:
        engine.close()


@pytest.mark.parametrize("background", [False, True])
def test_an_error_of_the_network_is_raised_and_the_next_window_encoded(
    network: Following,
    paper_predictor: Predictor,
    camera: Any,
    make_engine: Make,
    background: bool,
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest", background=background)
    try:
        network.error = FloatingPointError("bad weights")
        for index in range(8):
            engine.push(camera(index))
        with pytest.raises(FloatingPointError, match="bad weights"):  # noqa: PT012
            while True:
                engine.answer()
                assert background, "in turn it is raised at once"
        network.error = None
        for index in range(8, 10):
            engine.push(camera(index))
            engine.answer()
            if engine._masks._job is not None:
                engine._masks._job.features.result(20)
        assert engine.answer()["q"].stamp_ns == 10 * PERIOD_NS
    finally:
        engine.close()


def test_a_network_that_labels_the_newest_frame_moves_masks_only_between_windows(
    small_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    every = make_engine(small_predictor, mask_frame="newest")
    plain = make_engine(small_predictor)
    third = make_engine(small_predictor, mask_frame="newest", stride_frames=3)
    for index in range(12):
        for engine in (every, plain, third):
            engine.push(camera(index))
        one, two, moved = every.answer(), plain.answer(), third.answer()
        for name, result in one.items():
            assert not result.warped
            np.testing.assert_array_equal(result.mask, two[name].mask)
            assert moved[name].stamp_ns == result.stamp_ns
            assert moved[name].warped == (index in (8, 9, 11))


def test_the_papers_network_itself_answers_in_every_mode(
    paper_predictor: Predictor, camera: Any, make_engine: Make
) -> None:
    engine = make_engine(paper_predictor, mask_frame="newest", background=True)
    try:
        for index in range(8):
            engine.push(camera(index))
        while not (answers := engine.answer()):
            pass
        assert answers["q"].mask.shape == (96, 160)
    finally:
        engine.close()
