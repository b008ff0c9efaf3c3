"""What a user can get wrong at the start: one line that says what to do, and exit code 2."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

Start = Callable[..., Any]
Eventually = Callable[..., None]
NODE = ("-m", "actseg_ros.segmentation_node", "--ros-args")
CAMERA = ("-m", "actseg_ros.players.video_camera", "--ros-args")


def one_line(process: Any) -> str:
    """The only line that a refused start may print, apart from rcl's own and what is loaded."""
    assert process.wait() == 2, process.text
    lines = [
        line for line in process.lines if "[rcl]" not in line and "loading the model" not in line
    ]
    assert len(lines) == 1, process.text
    return str(lines[0])


def test_an_unknown_preset(start: Start) -> None:
    line = one_line(start(*NODE, "-p", "preset:=lit"))
    assert "there is no preset or checkpoint 'lit'; give one of" in line


def test_a_missing_checkpoint(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "none.safetensors"
    line = one_line(start(*NODE, "-p", f"checkpoint:={path}"))
    assert f"the checkpoint {path} does not exist" in line


def test_a_checkpoint_of_somebody_else(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, path)
    line = one_line(start(*NODE, "-p", f"checkpoint:={path}"))
    assert "not an actseg checkpoint; convert foreign weights" in line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("-p", "presett:=lite"), "there is no parameter presett; known: autostart"),
        (("-p", "stream.queue_frames:=0"), "stream.queue_frames: Input should be greater than"),
        (("-p", "autostart:=maybe"), "autostart must be of type bool, got 'maybe' of type str"),
        (("--params-file", "/no/such/file.yaml"), "Error opening YAML file"),
        (("-r", "__node:=not-a-name"), "Couldn't parse remap rule"),
    ],
)
def test_wrong_arguments(start: Start, arguments: tuple[str, ...], reason: str) -> None:
    assert reason in one_line(start(*NODE, *arguments))


def test_an_impossible_domain(start: Start) -> None:
    process = start(*NODE, ROS_DOMAIN_ID="abc")
    assert process.wait() == 2
    assert "ROS_DOMAIN_ID is not an integral number" in process.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no video file"),
        (b"", "is empty (0 bytes); copy it again"),
        (b"no video at all" * 100, "not a video, damaged, or cut short"),
    ],
)
def test_an_unreadable_video(
    start: Start, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    assert reason in one_line(start(*CAMERA, "-p", f"source:={path}"))


def test_a_camera_without_a_source(start: Start) -> None:
    assert "parameter source is empty; give a video file" in one_line(start(*CAMERA))


def test_a_managed_node_lives_on_without_its_model(start: Start, eventually: Eventually) -> None:
    client = start(str(Path(__file__).with_name("chain_client.py")))
    node = start(*NODE, "-p", "preset:=lit", "-p", "autostart:=false")
    eventually(lambda: client.events("status"))
    assert client.events("status")[-1]["state"] == 0
    assert node.popen.poll() is None
    assert node.stop() == 0
