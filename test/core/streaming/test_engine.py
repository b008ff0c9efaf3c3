"""The engine answers streams as clips; windows never cross a break; queries change at once."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from actseg_core.config import StreamConfig
from actseg_core.errors import ConfigError, ShapeError
from actseg_core.predictor import Predictor
from actseg_core.streaming.engine import StreamingEngine
from actseg_core.streaming.window import FrameWindow, Preparer
from actseg_core.types import Clip, Frame

PERIOD_NS = 33_000_000


def frame(image: np.ndarray, index: int, changes: dict[str, object] | None = None) -> Frame:
    given = Frame(image, stamp_ns=index * PERIOD_NS, frame_id="cam")
    return replace(given, **changes) if changes else given


def make(predictor: Predictor, **settings: object) -> StreamingEngine:
    return StreamingEngine(predictor, StreamConfig.from_mapping(settings))


def test_every_frame_is_answered_as_the_clip_that_ends_with_it(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor)
    sentence = small_predictor.read("red dog running")
    engine.set_queries([("q", sentence)])
    compared = []
    for index, image in enumerate(moving_square):
        engine.push(frame(image, index))
        if not engine.ready:
            continue
        window = moving_square[index - 7 : index + 1]
        direct = small_predictor.predict(Clip(window), [sentence])[0]
        streamed = engine.answer()["q"]
        assert streamed.confidence == pytest.approx(direct.confidence, abs=1e-5)
        np.testing.assert_array_equal(streamed.mask, direct.mask)
        compared.append(streamed.found)
    assert compared == [True] * 5


def test_answers_bear_the_stamps_of_the_window(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor)
    engine.set_queries([("q", small_predictor.read("dog"))])
    for index, image in enumerate(moving_square[:10]):
        engine.push(frame(image, index))
    result = engine.answer()["q"]
    assert result.stamp_ns == result.window_end_ns == 9 * PERIOD_NS
    assert result.window_start_ns == 2 * PERIOD_NS
    assert result.frame_id == "cam"
    assert result.mask.shape == (48, 80)
    assert engine.delay_frames == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stamp_ns": 7 * PERIOD_NS}, "time went back by 0.000 s"),
        ({"stamp_ns": 3 * PERIOD_NS}, "time went back by 0.132 s"),
        ({"stamp_ns": 60 * PERIOD_NS}, "no frame for 1.749 s, max_gap_s allows 0.5 s"),
        ({"frame_id": "other"}, "the camera changed from 'cam' to 'other'"),
        ({"image": np.zeros((40, 80, 3), np.uint8)}, "the image size changed"),
    ],
)
def test_a_break_in_the_stream_empties_the_window(
    small_predictor: Predictor, moving_square: np.ndarray, changes: dict[str, object], reason: str
) -> None:
    engine = make(small_predictor)
    engine.set_queries([("q", small_predictor.read("dog"))])
    for index, image in enumerate(moving_square[:8]):
        engine.push(frame(image, index))
    assert engine.ready

    engine.push(frame(moving_square[8], 8, changes))

    assert not engine.ready and engine.filled == 1
    assert engine.answer() == {}
    assert (engine.resets, engine.last_reset) == (1, reason)


def test_a_new_sentence_is_answered_without_a_new_frame(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor)
    engine.set_queries([("first", small_predictor.read("dog"))])
    for index, image in enumerate(moving_square[:8]):
        engine.push(frame(image, index))
    assert set(engine.answer()) == {"first"}

    engine.set_queries([("a", small_predictor.read("person")), ("b", small_predictor.read("dog"))])

    assert set(engine.answer()) == {"a", "b"}


def test_nothing_is_answered_before_the_window_is_full(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor)
    engine.set_queries([("q", small_predictor.read("dog"))])
    for index, image in enumerate(moving_square[:7]):
        engine.push(frame(image, index))
        assert engine.answer() == {}


def test_an_image_above_the_limit_is_refused_and_the_window_kept(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor, max_pixels=4000)
    engine.push(frame(moving_square[0], 0))
    with pytest.raises(ShapeError, match="80x100 is outside the limit of 1 to 4000 pixels"):
        engine.push(frame(np.zeros((100, 80, 3), np.uint8), 1))
    assert engine.filled == 1


def test_limits_change_between_frames_and_the_window_stays(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor, min_confidence=0.0, mask_threshold=0.0)
    engine.set_queries([("q", small_predictor.read("dog"))])
    for index, image in enumerate(moving_square[:8]):
        engine.push(frame(image, index))
    assert engine.answer()["q"].found
    engine.reconfigure(StreamConfig(min_confidence=1.0, max_pixels=100))
    assert not engine.answer()["q"].found
    with pytest.raises(ShapeError, match="outside the limit of 1 to 100 pixels"):
        engine.push(frame(moving_square[8], 8))
    assert engine.filled == 8


def test_what_an_engine_is_made_of_does_not_change(small_predictor: Predictor) -> None:
    engine = make(small_predictor)
    with pytest.raises(ConfigError, match="make another engine"):
        engine.reconfigure(StreamConfig(mask_frame="newest"))


def test_engines_that_share_a_predictor_keep_their_own_limits(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    finds = make(small_predictor, min_confidence=0.0, mask_threshold=0.0)
    refuses = make(small_predictor, min_confidence=1.0)
    for engine in (finds, refuses):
        engine.set_queries([("q", small_predictor.read("dog"))])
        for index, image in enumerate(moving_square[:8]):
            engine.push(frame(image, index))

    assert finds.answer()["q"].found
    assert not refuses.answer()["q"].found


def push_at(engine: StreamingEngine, images: np.ndarray, seconds: list[float]) -> list[int]:
    """Frames at these times [s]; how full the window is after each."""
    filled = []
    for index, time_s in enumerate(seconds):
        stamp_ns = round(time_s * 1e9)
        engine.push(Frame(images[index % len(images)], stamp_ns=stamp_ns, frame_id="cam"))
        filled.append(engine.filled)
    return filled


@pytest.mark.parametrize("interval_s", [0.7, 1.0, 5.0])
def test_a_slow_camera_fills_the_window_once_its_interval_is_known(
    small_predictor: Predictor, moving_square: np.ndarray, interval_s: float
) -> None:
    engine = make(small_predictor)
    engine.set_queries([("q", small_predictor.read("dog"))])
    filled = push_at(engine, moving_square, [9 + i * interval_s for i in range(10)])
    assert filled == [1, 1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert set(engine.answer()) == {"q"}
    assert engine.interval_s == pytest.approx(interval_s)


def test_a_slow_cameras_pause_empties_the_window_too(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor)
    filled = push_at(engine, moving_square, [0.0, 1.0, 2.0, 3.0, 5.4, 8.0])
    assert filled == [1, 1, 2, 3, 4, 1]
    assert engine.last_reset == "no frame for 2.600 s, allowed are 2.5 s for frames 1 s apart"


def test_absolute_limits_stay_absolute_where_that_is_wanted(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor, slow_camera_intervals=0.0)
    assert push_at(engine, moving_square, [0.0, 1.0, 2.0, 3.0]) == [1, 1, 1, 1]


def test_pauses_of_a_fast_camera_are_never_taken_for_slowness(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    engine = make(small_predictor)
    bursts = [start + i * 0.1 for start in (0.0, 1.0, 2.0, 3.0) for i in range(4)]
    assert push_at(engine, moving_square, bursts) == [1, 2, 3, 4] * 4


def test_an_engine_builds_only_what_its_masks_need(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    before = set(threading.enumerate())
    plain, moving = make(small_predictor), make(small_predictor, mask_frame="newest")
    for index, image in enumerate(moving_square[:8]):
        plain.push(frame(image, index))
        moving.push(frame(image, index))
    assert set(threading.enumerate()) <= before
    for engine, moves in ((plain, False), (moving, True)):
        assert engine.snapshot is not None
        assert (engine.snapshot.newest.back is not None) == moves
        assert engine.answers_every_frame == moves


def test_a_full_window_is_given_away_and_later_frames_do_not_change_it(
    small_predictor: Predictor, moving_square: np.ndarray
) -> None:
    preparer = Preparer(small_predictor.config, StreamConfig())
    window = FrameWindow(2)
    frames = [preparer.place(frame(image, k)) for k, image in enumerate(moving_square[:3], 1)]
    assert window.push(frames[0]) is None
    full = window.push(frames[1])
    window.push(frames[2])
    assert full is not None
    assert full.span_ns == (PERIOD_NS, 2 * PERIOD_NS)
    assert window.span_ns == (2 * PERIOD_NS, 3 * PERIOD_NS)
