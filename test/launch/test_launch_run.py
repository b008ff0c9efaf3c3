"""The launch files run by the real launch and launch_ros, where these are installed.

They are not on PyPI: put ros2/launch, ros2/launch_ros and osrf_pycommon on PYTHONPATH;
docs/node.md says what else.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("launch_ros", reason="launch_ros is not on PyPI")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
RUN = Path(__file__).with_name("run_launch.py")
CLIENT = ROOT / "test" / "ros" / "namespace_client.py"


def test_one_launch_file_starts_a_node_and_a_camera_per_namespace(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(random.randint(1, 101)),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTDDS_BUILTIN_TRANSPORTS": "LARGE_DATA",
        "PYTHONUNBUFFERED": "1",
    }
    bag = tmp_path / "clip"
    subprocess.run([sys.executable, "-m", "actseg_ros.demo_bag", str(bag)], check=True, cwd=ROOT)
    log, heard = tmp_path / "launch.log", tmp_path / "heard"
    arguments = [
        *("cameras:=front,rear", f"bag:={bag}", "bag_image:=/camera/image_raw"),
        *("sentence:=the woman is running", "loop:=true"),
    ]
    with log.open("w") as out, heard.open("w") as events:
        client = subprocess.Popen(
            [sys.executable, str(CLIENT), "front", "rear"], stdout=events, env=environment
        )
        launched = subprocess.Popen(
            [sys.executable, str(RUN), str(ROOT / "launch" / "cameras.launch.py"), *arguments],
            stdout=out,
            stderr=out,
            env=environment,
        )
        try:
            end_s = time.monotonic() + 200.0
            while robots(heard) != {"front", "rear"}:
                assert time.monotonic() < end_s and launched.poll() is None, log.read_text()
                time.sleep(0.5)
            launched.send_signal(signal.SIGINT)
            assert launched.wait(60.0) == 0, log.read_text()
        finally:
            client.kill()
            launched.kill()
    assert "Traceback" not in log.read_text()


def robots(heard: Path) -> set[str]:
    """Who has answered about a frame."""
    lines = heard.read_text().splitlines()
    events = [json.loads(line) for line in lines if line.endswith("}")]
    return {event["robot"] for event in events if event["kind"] == "result"}
