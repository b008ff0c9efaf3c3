"""A video as a camera: pace, stamps, pictures, and its end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numbered_videos import NumberedVideos, numbered
from video_servers import rtsp_camera

from actseg_ros.players.video_camera import prepare

__all__ = ["numbered"]  # a fixture of test/support
Start = Callable[..., Any]
Eventually = Callable[..., None]
CLIENT = Path(__file__).parents[1] / "chain_client.py"


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
        *("-p", "loop:=false", "-p", "rate_hz:=50.0", "-p", "wait_for_subscribers:=1"),
        *("-p", "depth:=100"),
    )
    assert camera.wait() == 0
    assert "40 frames sent" in camera.text
    eventually(lambda: len(client.events("image")) == 40, what=json.dumps(client.lines[-2:]))
    stamps = [event["stamp_ns"] for event in client.events("image")]
    assert stamps == sorted(set(stamps))
    assert client.events("image")[0]["size"] == [64, 48]
    # Ten intervals of 20 ms; where a frame is late, the time to the next may be short.
    assert np.median(np.subtract(stamps[10:], stamps[:-10])) >= 0.18 * 10**9


def play(start: Start, source: object, *more: str) -> Any:
    return start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:='{source}'"),
        *("-p", "loop:=false", "-p", "wait_for_subscribers:=1", "-p", "depth:=100", *more),
    )


def stamps_s(client: Any) -> list[float]:
    return [event["stamp_ns"] / 1e9 for event in client.events("image")]


def test_frames_come_at_the_video_s_own_times(
    start: Start, eventually: Eventually, tmp_path: Path, numbered: NumberedVideos
) -> None:
    """The header names 25 Hz; between the fifth and the sixth frame are three seconds."""
    ticks = [0, 1, 2, 3, 4, 79, 80, 81]
    path = numbered.write(tmp_path / "12:30 [1].mkv", 8, ticks=lambda index: ticks[index])
    client = start(str(CLIENT))
    camera = play(start, path)
    assert camera.wait() == 0
    assert "at its own times, about 2.16 Hz on /camera/image_raw" in camera.text
    eventually(lambda: len(client.events("image")) == 8, what=json.dumps(client.lines[-2:]))
    stamps = stamps_s(client)
    assert stamps[5] - stamps[4] >= 1.0, "the frame before may be late, by less"


def test_a_stream_is_played_as_it_comes_and_its_end_is_told(
    start: Start, eventually: Eventually, tmp_path: Path, numbered: NumberedVideos
) -> None:
    client = start(str(CLIENT))
    with rtsp_camera(numbered.write(tmp_path / "clip.mp4", 30)) as address:
        camera = play(start, address.replace("//", "//me:secret@"))
        assert camera.wait() == 2
    assert "30 frames sent" in camera.text
    assert "ended after 30 frames; is the camera on" in camera.text
    assert "secret" not in camera.text
    eventually(lambda: len(client.events("image")) == 30, what=json.dumps(client.lines[-2:]))


def test_a_link_to_a_webcam_is_opened_as_one(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "usb-Vendor_Camera-video-index0"
    link.symlink_to("/dev/video97")
    camera = play(start, link)
    assert camera.wait() == 2
    assert "cannot open webcam 97" in camera.text


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
    assert camera.wait() == 2
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
