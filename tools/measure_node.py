"""The segmentation node under a camera of any size and rate, as real processes.

    python tools/measure_node.py [--size 640x480] [--rate 30] [--seconds 60] [--commands 50]
        [--video FILE] [--beside-load N] [--out FILE.json] [-- -p preset:=lite ...]

Measured on this computer, camera and client included: rates, drops, latency from camera stamp to
received mask, the longest silence of ~/status, the node's memory, threads and processor time, the
time from its start to the first mask, and from a command to its acknowledgement and to its first
mask. `--beside-load 1` does so beside a program that wants one core and never waits. What follows
`--` goes to the node.
"""

import os

os.environ["FASTDDS_BUILTIN_TRANSPORTS"] = "LARGE_DATA"  # read when rclpy loads the middleware
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import random
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rclpy
from actseg.msg import ActorMaskArray, SegmentationStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

from actseg_core.video import read_video
from actseg_ros import qos

SENTENCES = ("the person walking", "the dog running", "the red car", "the man on the left")
FRAMES_KEPT = 60
SETTLED_S = 2.0
START_TIMEOUT_S = 180.0


def camera(
    width: int,
    height: int,
    rate: float,
    video: str,
    topics: Sequence[str] = ("/camera/image_raw",),
) -> None:
    """Publish for ever: frames of the video, else a picture that moves to the right."""
    if video:
        pictures = [frame.image for frame in islice(read_video(Path(video)), FRAMES_KEPT)]
    else:
        noise = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
        still = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        pictures = [np.roll(still, 4 * index, axis=1) for index in range(FRAMES_KEPT)]
    messages = []
    for picture in pictures:
        data = array("B", cv2.resize(picture, (width, height))[..., ::-1].tobytes())
        message = Image(width=width, height=height, step=3 * width, encoding="bgr8", data=data)
        message.header.frame_id = "camera"
        messages.append(message)
    rclpy.init()
    node = Node("camera")
    profile = qos.images("reliable", 1)
    publishers = [node.create_publisher(Image, topic, profile) for topic in topics]
    due_s = time.monotonic()
    for message in cycle(messages):
        for publisher in publishers:
            message.header.stamp = node.get_clock().now().to_msg()
            publisher.publish(message)
        due_s = max(due_s + 1.0 / rate, time.monotonic() - 1.0)
        time.sleep(max(0.0, due_s - time.monotonic()))


class Client:
    """A planner that keeps the time of everything."""

    def __init__(self) -> None:
        rclpy.init()
        self.node = Node("planner")
        self.masks: list[tuple[float, float]] = []  # received [s], latency [ms]
        self.statuses: list[tuple[float, SegmentationStatus]] = []
        self.sent_s: list[float] = []  # of the statuses, as the middleware stamped them [s]
        self.told: dict[int, float] = {}  # revision: acknowledged [s]
        self.answered: dict[int, float] = {}  # revision: first mask [s]
        self.node.create_subscription(ActorMaskArray, "/actseg/result", self._result, 1)
        many = QoSProfile(depth=100)
        self.node.create_subscription(SegmentationStatus, "/actseg/status", self._status, many)
        self.command = self.node.create_publisher(String, "/actseg/command", 10)

    def _result(self, message: ActorMaskArray) -> None:
        now_s, stamp = time.monotonic(), message.header.stamp
        self.told.setdefault(message.query_revision, now_s)
        if stamp.sec:
            self.answered.setdefault(message.query_revision, now_s)
            late_ns = time.time_ns() - stamp.sec * 10**9 - stamp.nanosec
            self.masks.append((now_s, late_ns / 1e6))

    def _status(self, message: SegmentationStatus, about: dict[str, Any]) -> None:
        self.statuses.append((time.monotonic(), message))
        self.sent_s.append(about["source_timestamp"] / 1e9)

    def spin(self, until: Any, timeout_s: float) -> bool:
        """Whether it came true in time."""
        end_s = time.monotonic() + timeout_s
        while not until():
            if time.monotonic() > end_s:
                return False
            rclpy.spin_once(self.node, timeout_sec=0.01)
        return True

    def wait_for_mask(self) -> None:
        """Until there is one more mask than now.

        Raises:
            SystemExit: If none comes.
        """
        before = len(self.masks)
        if not self.spin(lambda: len(self.masks) > before, START_TIMEOUT_S):
            raise SystemExit(f"no mask; the node's last status: {self.statuses[-1:]}")

    def change(self, text: str) -> tuple[float, float]:
        """Milliseconds from a command to its acknowledgement and to its first mask."""
        revision = max(self.told, default=0) + 1
        start_s = time.monotonic()
        self.command.publish(String(data=text))
        self.spin(lambda: revision in self.answered, 30.0)
        ends = (self.told.get(revision, np.nan), self.answered.get(revision, np.nan))
        return (1000 * (ends[0] - start_s), 1000 * (ends[1] - start_s))


def spread(values: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, largest, and how many there were; NaN left out."""
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return {"count": 0}
    points = {f"p{point}": np.percentile(known, point) for point in (50, 95, 99)}
    found = points | {"max": max(known), "count": len(known)}
    return {name: round(float(value), 1) for name, value in found.items()}


def processor_s(pid: int) -> float:
    """Time that a process has computed so far [s]."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def process_state(pid: int) -> dict[str, float]:
    """Resident memory, threads and open files of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return {
        "memory_mb": round(int(values["VmRSS"].split()[0]) / 1024, 1),
        "threads": int(values["Threads"]),
        "files": len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }


def measure(
    client: Client, pid: int, start_s: float, seconds: float, commands: int
) -> dict[str, Any]:
    """Watch one sentence for `seconds`, then change it `commands` times.

    Args:
        client: Sends and receives.
        pid: Of the node.
        start_s: When the node was started, by time.monotonic().
        seconds: How long to watch.
        commands: How many times to change the sentence.
    """
    client.spin(lambda: client.command.get_subscription_count() > 0, START_TIMEOUT_S)
    client.command.publish(String(data=SENTENCES[0]))
    client.wait_for_mask()
    started_s = time.monotonic() - start_s
    client.spin(lambda: False, SETTLED_S)
    client.masks.clear()
    client.statuses, client.sent_s = client.statuses[-1:], client.sent_s[-1:]
    before, before_s = process_state(pid), processor_s(pid)
    begun_s = time.monotonic()
    client.spin(lambda: False, seconds)
    span_s, used_s = time.monotonic() - begun_s, processor_s(pid) - before_s
    first, last = client.statuses[0][1], client.statuses[-1][1]
    latencies = [late_ms for _, late_ms in client.masks]
    third = len(latencies) // 3
    times_s = [at_s for at_s, _ in client.statuses]
    found = {
        "start_to_first_mask_s": round(started_s, 2),
        "received_hz": round((last.frames_received - first.frames_received) / span_s, 2),
        "taken_in_hz": round((last.frames_processed - first.frames_processed) / span_s, 2),
        "dropped_hz": round((last.frames_dropped - first.frames_dropped) / span_s, 2),
        "masks_hz": round(len(latencies) / span_s, 2),
        "latency_ms": spread(latencies),
        "latency_first_third_ms": spread(latencies[:third]),
        "latency_last_third_ms": spread(latencies[-third:]),
        "status_gap_sent_ms": spread([1000 * float(gap) for gap in np.diff(client.sent_s)]),
        "status_gap_received_ms": spread([1000 * float(gap) for gap in np.diff(times_s)]),
        "cores_used": round(used_s / span_s, 2),
        "processor_ms_per_mask": round(1000 * used_s / max(1, len(latencies)), 1),
        "process_before": before,
        "process_after": process_state(pid),
    }
    changes = [client.change(f"{SENTENCES[i % 4]}, {i}") for i in range(1, commands + 1)]
    found["acknowledged_ms"] = spread([told for told, _ in changes])
    found["first_mask_ms"] = spread([answered for _, answered in changes])
    return found


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those after `--`."""
    place = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:place], arguments[place + 1 :]


def start_node(*arguments: str) -> subprocess.Popen[bytes]:
    """A segmentation node that takes the camera's images."""
    node = [sys.executable, "-m", "actseg_ros.segmentation_node", "--ros-args"]
    return subprocess.Popen([*node, "-r", "actseg:~/image:=/camera/image_raw", *arguments])


def start_camera(*arguments: str) -> subprocess.Popen[bytes]:
    """A process that publishes pictures; arguments as of this program."""
    return subprocess.Popen([sys.executable, __file__, "--camera", *arguments])


def start_load() -> subprocess.Popen[bytes]:
    """A process that wants one core and never waits."""
    return subprocess.Popen([sys.executable, "-c", "while True: pass"])


def camera_options(about: str, rate_hz: float, seconds: float) -> argparse.ArgumentParser:
    """What every program has that measures nodes beside a camera of its own."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--rate", type=float, default=rate_hz)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--video", default="")
    parser.add_argument("--out", type=Path)
    return parser


def report(args: argparse.Namespace, **found: Any) -> None:
    """Print what was found, and write it to --out."""
    text = json.dumps({"size": args.size, "rate_hz": args.rate, **found}, indent=2)
    sys.stdout.write(text + "\n")
    if args.out:
        args.out.write_text(text + "\n")


def main() -> int:
    """Start the processes, measure, print and write."""
    parser = camera_options(__doc__ or "", rate_hz=30.0, seconds=60.0)
    parser.add_argument("--commands", type=int, default=50)
    parser.add_argument("--beside-load", type=int, default=0, metavar="CORES")
    parser.add_argument("--camera", action="store_true", help=argparse.SUPPRESS)
    own, rest = split(sys.argv[1:])
    args = parser.parse_args(own)
    width, height = map(int, args.size.split("x"))
    if args.camera:
        camera(width, height, args.rate, args.video)
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))
    start_s = time.monotonic()
    children = [start_node(*rest), start_camera(*own)]
    children += [start_load() for _ in range(args.beside_load)]
    try:
        found = measure(Client(), children[0].pid, start_s, args.seconds, args.commands)
    finally:
        children[0].terminate()
        for child in children[1:]:
            child.kill()
        for child in children:
            child.wait(30)
    report(args, beside_load=args.beside_load, load=os.getloadavg()[0], **found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
