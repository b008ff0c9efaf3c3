"""A video as a camera: pace, stamps, pictures, and its end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_ros.players.video_camera import Pacer, prepare

Start = Callable[..., Any]
Eventually = Callable[..., None]
CLIENT = Path(__file__).parents[1] / "chain_client.py"


def test_frames_are_due_at_a_steady_rate() -> None:
    pacer = Pacer(10.0, 100.0)
    now_s, sent = 100.0, []
    for _ in range(4):
        now_s += pacer.wait_s(now_s)
        sent.append(now_s)
        now_s += 0.03  # reading and sending takes a while, and must not add up
    assert sent == pytest.approx([100.0, 100.1, 100.2, 100.3])


def test_after_a_stall_it_does_not_catch_up() -> None:
    pacer = Pacer(10.0, 0.0)
    assert pacer.wait_s(0.0) == 0.0
    assert pacer.wait_s(5.0) == 0.0
    assert pacer.wait_s(5.0) == pytest.approx(0.1)


@given(st.floats(1.0, 1000.0), st.lists(st.floats(0.0, 1.0), max_size=30))
def test_it_never_waits_longer_than_two_intervals(rate_hz: float, busy: list[float]) -> None:
    pacer, now_s = Pacer(rate_hz, 0.0), 0.0
    for seconds in busy:
        wait_s = pacer.wait_s(now_s)
        assert 0.0 <= wait_s <= 2.0 / rate_hz
        now_s += wait_s + seconds


def test_large_pictures_are_scaled_down_and_small_ones_left() -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    assert prepare(image, 20, False).shape == (10, 20, 3)
    assert prepare(image, 100, False) is image
    assert prepare(image, 0, True).shape == (40, 80)


def test_it_plays_once_with_rising_stamps_and_ends(
    start: Start, eventually: Eventually, video: Path
) -> None:
    client = start(str(CLIENT))
    camera = start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}"),
        *("-p", "loop:=false", "-p", "rate_hz:=100.0", "-p", "wait_for_subscribers:=1"),
        *("-p", "depth:=100"),
    )
    assert camera.wait(60.0) == 0
    assert "40 frames sent" in camera.text
    eventually(lambda: len(client.events("image")) == 40, what=json.dumps(client.lines[-2:]))
    stamps = [event["stamp_ns"] for event in client.events("image")]
    assert stamps == sorted(set(stamps))
    assert client.events("image")[0]["size"] == [64, 48]
    # 39 intervals of 10 ms; sending may be late, never early
    assert stamps[-1] - stamps[0] >= 0.38 * 10**9


def test_a_truncated_video_ends_the_camera_with_its_reason(
    start: Start, video: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.avi"
    _write_avi(cut)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    camera = start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={cut}"),
        *("-p", "loop:=false", "-p", "rate_hz:=500.0"),
    )
    assert camera.wait(60.0) == 2
    assert "cut short" in camera.text


def _write_avi(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        noise = np.random.default_rng(0)
        for _ in range(60):
            image = noise.integers(0, 255, (48, 64, 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
