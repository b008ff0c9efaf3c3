"""The launch files run by the real launch and launch_ros, where these are installed.

They are not on PyPI: put ros2/launch, ros2/launch_ros and osrf_pycommon on PYTHONPATH;
docs/node.md says what else.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ament_index_python.packages import get_packages_with_prefixes
from patience import PATIENCE_S

pytest.importorskip("launch_ros", reason="launch_ros is not on PyPI")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
RUN = Path(__file__).with_name("run_launch.py")
CLIENT = ROOT / "test" / "ros" / "namespace_client.py"


@pytest.mark.parametrize(
    ("argument", "package"), [("rviz:=true", "rviz2"), ("v4l2:=/dev/video0", "v4l2_camera")]
)
@pytest.mark.parametrize("file", ["actseg.launch.py", "cameras.launch.py"])
def test_a_missing_package_is_told_before_any_process_is_started(
    file: str, argument: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", os.environ.get("AMENT_PREFIX_PATH", sys.prefix))
    if package in get_packages_with_prefixes():
        pytest.skip(f"{package} is installed here")
    told = refusal(file, argument)
    assert f"{argument} needs the package {package}, which is not installed: sudo apt" in told
    assert f"install ros-$ROS_DISTRO-{package.replace('_', '-')}, or " in told


def test_a_rate_that_is_no_number_is_told_before_any_process_is_started() -> None:
    assert "video_rate must be a number [Hz], got 'fast'" in refusal(
        "actseg.launch.py", "video_rate:=fast"
    )


def refusal(file: str, argument: str) -> str:
    """What a launch says that starts nothing."""
    more = ["cameras:=front,rear"] if file.startswith("cameras") else []
    done = subprocess.run(
        [sys.executable, str(RUN), str(ROOT / "launch" / file), argument, *more],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode != 0
    assert "process started" not in done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("frame", "config", "camera", "title"),
    [
        ("camera", "actseg.rviz", "", "actseg - RViz"),
        ("front_optical_frame", "actseg.rviz", "front", "actseg front - RViz"),
        ("base_link", "actseg_robot.rviz", "rear", "actseg rear - RViz"),
    ],
)
def test_rvizs_view_goes_with_its_frame_and_its_title_with_its_camera(
    frame: str, config: str, camera: str, title: str
) -> None:
    from launch.launch_description_sources import load_python_launch_file_as_module
    from launch.utilities import perform_substitutions

    from launch import LaunchContext

    context = LaunchContext()
    context.launch_configurations.update(fixed_frame=frame, namespace="")
    module = load_python_launch_file_as_module(str(ROOT / "launch" / "actseg.launch.py"))
    node = module.rviz(context, camera)
    words = [
        perform_substitutions(context, part)
        for part in node.cmd[1:]
        if all(type(item).__name__ == "TextSubstitution" for item in part)
    ]
    folder = ROOT / "launch"
    assert words[:6] == ["-d", str(folder / config), "-f", frame, "-t", title]


def test_cameras_that_cannot_be_told_apart_are_refused_before_any_process_is_started() -> None:
    assert "cameras must be different names with commas between" in refusal(
        "actseg.launch.py", "cameras:=front,front"
    )
    told = refusal("cameras.launch.py", "image:=/camera/image_raw")
    assert "would be the topic of every camera" in told
    assert "/front/camera/image_raw" in told


def test_one_launch_file_starts_a_node_for_all_and_a_camera_per_namespace(
    tmp_path: Path, domain: int
) -> None:
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTDDS_BUILTIN_TRANSPORTS": "LARGE_DATA",
        "PYTHONUNBUFFERED": "1",
    }
    bag = tmp_path / "clip"
    subprocess.run(
        [sys.executable, "-m", "actseg_ros.demo.generated_bag", str(bag)], check=True, cwd=ROOT
    )
    log, heard = tmp_path / "launch.log", tmp_path / "heard"
    arguments = [
        *("cameras:=front,rear", f"bag:={bag}", "bag_image:=/camera/image_raw"),
        *("sentence:=the woman is running", "loop:=true"),
    ]
    with log.open("w") as out, heard.open("w") as events:
        client = subprocess.Popen(
            [sys.executable, str(CLIENT), "--one-node", "front", "rear"],
            stdout=events,
            env=environment,
        )
        launched = subprocess.Popen(
            [sys.executable, str(RUN), str(ROOT / "launch" / "cameras.launch.py"), *arguments],
            stdout=out,
            stderr=out,
            env=environment,
        )
        try:
            end_s = time.monotonic() + PATIENCE_S
            while robots(heard) != {"front", "rear"}:
                assert time.monotonic() < end_s and launched.poll() is None, log.read_text()
                time.sleep(0.5)
            launched.send_signal(signal.SIGINT)
            assert launched.wait(PATIENCE_S) == 0, log.read_text()
        finally:
            client.kill()
            launched.kill()
    told = log.read_text()
    assert "Traceback" not in told
    assert told.count("process started with pid") == 3  # a node, and a recording per camera


def robots(heard: Path) -> set[str]:
    """Who has answered about a frame."""
    lines = heard.read_text().splitlines()
    events = [json.loads(line) for line in lines if line.endswith("}")]
    return {event["robot"] for event in events if event["kind"] == "result"}
