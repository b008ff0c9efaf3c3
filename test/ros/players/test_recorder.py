"""The overlay as MP4 and PNG, complete or not at all."""

import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.parameter import Parameter

from actseg_core.errors import ConfigError, ShapeError, VideoError
from actseg_core.video import probe, read_video
from actseg_core.visualize import save_png
from actseg_ros.players.recorder import Recorder, Recording
from actseg_ros.settings import RecorderConfig

Start = Callable[..., Any]
Eventually = Callable[..., None]
S = 10**9


def picture(value: int, height: int = 48) -> Any:
    return np.full((height, 64, 3), value, np.uint8)


def make(folder: Path, **settings: Any) -> Recording:
    return Recording(RecorderConfig(folder=str(folder / "new"), **settings))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "new").iterdir())


def test_the_video_keeps_the_time_between_stamps(tmp_path: Path) -> None:
    recording = make(tmp_path, picture_every_s=0.0)
    for time_s in (10.0, 10.1, 10.5, 11.0):
        recording.add(picture(100), round(time_s * S))
    recording.close()
    assert names(tmp_path) == ["overlay.mp4"]
    times = [frame.time_s for frame in read_video(recording.video_path)]
    assert times == pytest.approx([0.0, 0.1, 0.5, 1.0], abs=1e-3)


def test_pictures_are_written_as_often_as_wanted(tmp_path: Path) -> None:
    recording = make(tmp_path, video=False, picture_every_s=1.0, max_pictures=2)
    for index in range(40):
        recording.add(picture(index), S + index * S // 10)
    recording.close()
    assert names(tmp_path) == ["overlay_00001.png", "overlay_00002.png"]
    second = cv2.imread(str(tmp_path / "new" / "overlay_00002.png"))
    assert second is not None and second[0, 0].tolist() == [10, 10, 10]


def test_colours_are_kept(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", np.full((2, 2, 3), (200, 100, 50), np.uint8))
    read = cv2.imread(str(tmp_path / "a.png"))
    assert read is not None and read[0, 0].tolist() == [50, 100, 200]


def test_a_stamp_that_does_not_rise_is_left_out(tmp_path: Path) -> None:
    recording = make(tmp_path, picture_every_s=0.0)
    for time_ns in (5 * S, 5 * S, 4 * S, 6 * S):
        recording.add(picture(9), time_ns)
    recording.close()
    assert recording.frames == 2
    assert probe(recording.video_path).frames == 2


def test_where_stamps_begin_anew_the_video_goes_on(tmp_path: Path) -> None:
    recording = make(tmp_path, picture_every_s=0.5)
    for _ in range(2):
        for tenth in range(10):
            recording.add(picture(9), 5 * S + tenth * S // 10)
    recording.close()
    # Four frames of the second round are left out before it is told from frames in disorder.
    assert (recording.frames, recording.left_out) == (16, 4)
    times = [frame.time_s for frame in read_video(recording.video_path)]
    assert times == pytest.approx([number / 10 for number in range(16)], abs=1e-3)
    assert recording.pictures == 4  # at 0, 0.5, 1.0 and 1.5 s


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "2 frames in {folder}/overlay.mp4, 2 pictures in {folder}"),
        ({"picture_every_s": 0.0}, "2 frames in {folder}/overlay.mp4"),
        ({"video": False}, "2 pictures in {folder}"),
        ({"video": False, "picture_every_s": 0.0}, "nothing was written"),
    ],
)
def test_the_summary_names_what_is_there(
    tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    recording = make(tmp_path, **settings)
    for second in (1, 2):
        recording.add(picture(9), second * S)
    recording.close()
    assert recording.summary() == told.format(folder=tmp_path / "new")


def test_a_video_that_could_not_be_written_is_not_in_the_summary(tmp_path: Path) -> None:
    recording = make(tmp_path, picture_every_s=0.0)
    (tmp_path / "new").rmdir()
    with pytest.raises(VideoError, match="there is no folder"):
        recording.add(picture(9), S)
    recording.close()
    assert recording.summary() == "nothing was written"


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    recording = make(tmp_path)
    recording.add(picture(9), S)
    with pytest.raises(ShapeError, match="64x48, got 64x40"):
        recording.add(picture(9, 40), 2 * S)
    recording.close()


def test_before_it_is_complete_there_is_no_video(tmp_path: Path) -> None:
    recording = make(tmp_path, picture_every_s=0.0)
    recording.add(picture(9), S)
    assert not recording.video_path.exists()
    recording.close()
    assert names(tmp_path) == ["overlay.mp4"]


def test_a_full_disk_leaves_what_was_written(tmp_path: Path) -> None:
    """A limit on the size of files, as a disk that fills up."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    noise = np.random.default_rng(0)
    recording = make(tmp_path, picture_every_s=0.0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
    try:
        with pytest.raises(VideoError, match="what was written until then is kept"):
            for index in range(600):
                image = noise.integers(0, 256, (48, 64, 3)).astype(np.uint8)
                recording.add(image, S + index * S // 30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    recording.close()
    assert names(tmp_path) == ["overlay.mp4"]
    assert "frames in" in recording.summary()
    came = 0
    with pytest.raises(VideoError, match="is damaged or cut short after"):
        for _ in read_video(recording.video_path):
            came += 1
    assert came >= 60


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="cannot write .*; is the disk full"):
        save_png(tmp_path / "gone" / "a.png", picture(9))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("a file is in the way")
    with pytest.raises(VideoError, match="cannot make the folder"):
        make(tmp_path)


def test_the_process_records_a_topic_until_it_is_stopped(
    start: Start, eventually: Eventually, video: Path, tmp_path: Path
) -> None:
    recorder = start(
        *("-m", "actseg_ros.players.recorder", "--ros-args", "-p", f"folder:={tmp_path}/new"),
        *("-r", "~/image:=/camera/image_raw"),
    )
    camera = start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}"),
        *("-p", "loop:=false", "-p", "wait_for_subscribers:=1", "-p", "depth:=100"),
    )
    assert camera.wait() == 0
    eventually(lambda: (tmp_path / "new" / "overlay_00002.png").exists())
    assert recorder.stop() == 0
    *_, last = frames = list(read_video(tmp_path / "new" / "overlay.mp4"))
    assert last.time_s >= 1.0, "the second picture is of a second later"
    assert f"{len(frames)} frames in" in recorder.text


def test_a_disk_that_fails_ends_the_recording_and_not_the_node(
    start: Start, eventually: Eventually, video: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    recorder = start(
        *("-m", "actseg_ros.players.recorder", "--ros-args", "-p", f"folder:={folder}"),
        *("-r", "~/image:=/camera/image_raw"),
    )
    eventually(folder.is_dir)
    folder.rmdir()
    start("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}")
    eventually(lambda: "recording stopped: there is no folder" in recorder.text)
    assert recorder.popen.poll() is None
    assert recorder.stop() == 0


def test_a_recorder_that_gets_nothing_says_what_it_waits_for(
    start: Start, eventually: Eventually, video: Path, tmp_path: Path
) -> None:
    start("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}")
    recorder = start(
        *("-m", "actseg_ros.players.recorder", "--ros-args", "-p", f"folder:={tmp_path}"),
        *("-r", "image:=/camera/image_raw"),
    )
    eventually(
        lambda: (
            "nothing to record: nobody publishes /recorder/image; published are /camera/image_raw"
            in recorder.text
        ),
        recorder.text,
    )
    assert "did you mean ~/image:=/camera/image_raw?" in recorder.text
    assert recorder.stop() == 0


def test_a_recorder_that_would_write_nothing_is_refused(domain: int, tmp_path: Path) -> None:
    given = {"folder": str(tmp_path), "video": False, "picture_every_s": 0.0}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    try:
        with pytest.raises(ConfigError, match="nothing is recorded; set one of them"):
            Recorder(context=context, parameter_overrides=overrides)
    finally:
        context.try_shutdown()
