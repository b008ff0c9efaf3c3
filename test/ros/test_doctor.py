"""`actseg doctor` beside real cameras."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from patience import PATIENCE_S

from actseg_core.video.writer import VideoWriter

Start = Callable[..., Any]
DOCTOR = ("-m", "actseg_core.cli.main", "doctor")


def told(process: Any) -> str:
    return re.sub(r" +", " ", process.text)


def camera(start: Start, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", fps=10.0) as writer:
        for _ in range(10):
            writer.write(np.full((48, 64, 3), 90, np.uint8))
    start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p"),
        *(f"source:={tmp_path / 'clip.mp4'}", "-p", "loop:=true", "-r", "~/image_raw:=/cam"),
    )


def test_a_camera_that_sends_is_told_with_its_size(start: Start, tmp_path: Path) -> None:
    camera(start, tmp_path)
    process = start(*DOCTOR, "--image", "/cam", "--wait", str(PATIENCE_S))
    assert process.wait() == 0, process.text
    assert re.search(r"ok camera /cam: 64x48 \w+, (\d+\.\d images/s|one image)", told(process))
    assert "ok messages actseg/msg and its type support load" in told(process)
    assert "Nothing to mend." in told(process)


def test_a_topic_that_nobody_publishes_fails_with_those_that_are(
    start: Start, tmp_path: Path
) -> None:
    camera(start, tmp_path)
    for _ in range(20):  # until it has heard of the other one in time
        process = start(*DOCTOR, "--image", "/other", "--wait", "3")
        assert process.wait() == 1, process.text
        if "published are" in told(process):
            break
    assert "fail camera nobody publishes /other; published are /cam (Image)" in told(process)
    assert "To mend: camera" in told(process)


def test_a_name_that_is_no_topic_fails(start: Start) -> None:
    process = start(*DOCTOR, "--image", "two words", "--wait", "1")
    assert process.wait() == 1, process.text
    assert "fail camera two words is no name of a topic" in told(process)
