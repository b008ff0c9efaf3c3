"""Limits follow a slow camera, and say so; those that cannot be met are named."""

from typing import Any

import pytest

from actseg_core.config import StreamConfig
from actseg_core.live.frame_queue import Arrival, FrameQueue
from actseg_core.live.pace import Pace

CONFIG = StreamConfig()
ABSOLUTE = StreamConfig(slow_camera_intervals=0.0)


def camera(*times_s: float) -> FrameQueue:
    frames = FrameQueue(2)
    for time_s in times_s:
        frames.put(Arrival(None, time_s, 0))
    return frames


def silence(frames: FrameQueue, engine: Any, now_s: float, config: StreamConfig = CONFIG) -> str:
    return Pace(frames, engine).silence(config, now_s)


def test_a_fast_camera_is_missed_after_the_limit(engine: Any) -> None:
    frames = camera(10.0, 10.1, 10.2)
    assert silence(frames, engine, 10.7) == ""
    told = "no image for 0.6 s (stream.stale_after_s: 0.5 s)"
    assert silence(frames, engine, 10.8) == told


def test_a_slow_camera_is_missed_after_two_and_a_half_of_its_intervals(engine: Any) -> None:
    frames = camera(10.0, 11.0, 12.0)
    assert silence(frames, engine, 14.4) == ""
    assert silence(frames, engine, 14.6) == "no image for 2.6 s (of a camera at 1 Hz: 2.5 s)"


def test_the_second_image_of_a_slow_camera_may_take_its_time(engine: Any) -> None:
    assert silence(camera(10.0), engine, 12.0) == ""
    assert silence(camera(10.0), engine, 13.0) != ""
    assert silence(camera(10.0), engine, 10.6, ABSOLUTE) != ""


def test_no_camera_is_waited_for_longer_than_a_minute(engine: Any) -> None:
    frames = camera(0.0, 50.0, 100.0)
    assert Pace(frames, engine).stale_after_s(CONFIG) == 60.0


def test_a_camera_that_never_sent_anything_is_missed(engine: Any) -> None:
    assert silence(FrameQueue(2), engine, 1e9) == "no image since activation"


def test_filling_the_window_says_how_long_it_takes(engine: Any) -> None:
    engine.window = [None]
    assert Pace(camera(0.0, 0.1), engine).warming_up() == "1 of 3 frames in the window"
    engine.last_reset = "no frame for 9 s"
    assert Pace(camera(0.0, 4.0), engine).warming_up() == (
        "1 of 3 frames in the window, at 0.25 Hz full in 8 s after: no frame for 9 s"
    )


def test_limits_that_a_slow_camera_cannot_meet_are_named_with_its_rate(engine: Any) -> None:
    pace = Pace(camera(0.0, 1.0, 2.0), engine)
    assert pace.hint(CONFIG, 0.0) == ""
    assert pace.hint(ABSOLUTE, 0.0).startswith(
        "the camera sends 1 Hz, one image every 1 s, but stream"
    )
    for name in ("stream.stale_after_s", "stream.max_gap_s", "stream.slow_camera_intervals"):
        assert name in pace.hint(ABSOLUTE, 0.0)


def test_a_window_stretched_by_dropped_frames_is_told(engine: Any) -> None:
    engine.interval_s = 1.0
    frames = camera(*(number * 0.1 for number in range(20)))
    frames.drop_all()
    told = "the camera sends 10 Hz, but only one image every 1 s can be taken in"
    assert Pace(frames, engine).hint(CONFIG, 0.0).startswith(told)
    engine.interval_s = 0.2
    assert Pace(frames, engine).hint(CONFIG, 0.0) == ""


@pytest.mark.parametrize(("interval_s", "advice"), [(0.1, "lower the camera"), (1.0, "faster")])
def test_a_mask_that_is_too_old_for_the_cameras_sake_is_not_blamed_on_the_load(
    engine: Any, interval_s: float, advice: str
) -> None:
    engine.delay_frames, engine.interval_s = 4, interval_s
    told = Pace(camera(), engine).too_old(4.5, CONFIG)
    assert told.startswith("the mask was 4.50 s old, stream.max_age_s allows 1 s; ")
    assert advice in told


def test_a_window_that_is_emptied_again_and_again_is_told_with_the_reason(engine: Any) -> None:
    pace = Pace(camera(), engine)
    for number in range(5):
        assert pace.hint(CONFIG, float(number)) == ""
        engine.reset("the camera changed from 'left' to 'right'")
    told = "the window is emptied again and again, the last time: the camera changed from 'left'"
    assert pace.hint(CONFIG, 5.0).startswith(told)
    assert pace.hint(CONFIG, 20.0) == ""


def test_rare_breaks_are_no_fault(engine: Any) -> None:
    pace = Pace(camera(), engine)
    for number in range(20):
        engine.reset("no frame for 1.000 s")
        assert pace.hint(CONFIG, 4.0 * number) == ""
