"""Memory and rate of several cameras in one process, and in as many processes.

    python tools/measure_cameras.py [--video bikes.mp4] [--cameras 1 2 4] [--size 640x480]
        [--rate 15] [--seconds 20] [--out FILE.json] [-- -p preset:=lite ...]

Every camera has one sentence and sends the same pictures. Memory is the processes' proportional
share (PSS): pages that they have in common are counted once. What follows `--` goes to the nodes.
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
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from actseg.msg import ActorMaskArray, SegmentationStatus
from measure_node import camera, camera_options, processor_s, report, split
from rclpy.node import Node

SENTENCE = "the person on a bicycle"
SETTLED_S = 3.0
START_TIMEOUT_S = 180.0
NODE = (sys.executable, "-m", "actseg_ros.segmentation_node", "--ros-args")


class Planner:
    """Counts the masks of each camera, and keeps its newest status.

    Args:
        nodes: Full names below which each camera's topics are.
    """

    def __init__(self, nodes: list[str]) -> None:
        self.node = Node("planner")
        self.late_ms: list[list[float]] = [[] for _ in nodes]
        self.statuses: list[SegmentationStatus | None] = [None] * len(nodes)
        for index, name in enumerate(nodes):
            self._listen(index, name)

    def _listen(self, index: int, name: str) -> None:
        def on_result(message: ActorMaskArray) -> None:
            stamp = message.header.stamp
            if stamp.sec:
                late_ns = time.time_ns() - stamp.sec * 10**9 - stamp.nanosec
                self.late_ms[index].append(late_ns / 1e6)

        def on_status(message: SegmentationStatus) -> None:
            self.statuses[index] = message

        self.node.create_subscription(ActorMaskArray, f"{name}/result", on_result, 1)
        self.node.create_subscription(SegmentationStatus, f"{name}/status", on_status, 1)

    def spin(self, seconds: float, until: Any = lambda: False) -> None:
        """So long, or until something is true."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not until():
            rclpy.spin_once(self.node, timeout_sec=0.01)

    def taken_in(self) -> list[int]:
        """Frames that each camera's window has taken so far."""
        return [status.frames_processed if status else 0 for status in self.statuses]


def memory_mb(pid: int) -> float:
    """A process's proportional share of memory [MB]."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (share,) = [line.split()[1] for line in lines if line.startswith("Pss:")]
    return int(share) / 1024


def commands(names: list[str], in_one: bool, more: list[str]) -> tuple[list[list[str]], list[str]]:
    """Command lines of the nodes, and where each camera's answers are."""
    common = ["-p", f"sentence:={SENTENCE}", *more]
    if in_one:
        images = [part for name in names for part in ("-p", f"{name}.image:=/{name}/image_raw")]
        cameras = f"cameras:=[{','.join(names)}]"
        return [[*NODE, "-p", cameras, *images, *common]], [f"/actseg/{name}" for name in names]
    each = [
        [*NODE, "-r", f"__ns:=/{name}", "-r", f"~/image:=/{name}/image_raw", *common]
        for name in names
    ]
    return each, [f"/{name}/actseg" for name in names]


def measure(names: list[str], in_one: bool, seconds: float, more: list[str]) -> dict[str, Any]:
    """One arrangement, from its start to its end.

    Raises:
        SystemExit: If a camera gets no mask.
    """
    lines, places = commands(names, in_one, more)
    planner = Planner(places)
    nodes = [subprocess.Popen(line) for line in lines]
    try:
        planner.spin(START_TIMEOUT_S, lambda: all(planner.late_ms))
        if not all(planner.late_ms):
            raise SystemExit(f"no mask; the newest status: {planner.statuses}")
        planner.spin(SETTLED_S)
        before, worked_s = planner.taken_in(), [processor_s(node.pid) for node in nodes]
        counts, start_s = [len(kept) for kept in planner.late_ms], time.monotonic()
        planner.spin(seconds)
        span_s = time.monotonic() - start_s
        late = [kept[count:] for kept, count in zip(planner.late_ms, counts, strict=True)]
        taken = np.subtract(planner.taken_in(), before)
        used_s = sum(processor_s(node.pid) for node in nodes) - sum(worked_s)
        return {
            "cameras": len(names),
            "processes": len(nodes),
            "memory_mb": round(sum(memory_mb(node.pid) for node in nodes), 1),
            "taken_in_hz": [round(float(count) / span_s, 1) for count in taken],
            "masks_hz": [round(len(kept) / span_s, 1) for kept in late],
            "latency_p50_ms": [
                round(float(np.median(kept)), 1) if kept else None for kept in late
            ],
            "cores_used": round(used_s / span_s, 2),
            "load": os.getloadavg()[0],
        }
    finally:
        for node in nodes:
            node.terminate()
        for node in nodes:
            node.wait(30)
        planner.node.destroy_node()


def main() -> int:
    """Start the processes, measure, print and write."""
    parser = camera_options(__doc__ or "", rate_hz=15.0, seconds=20.0)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--send", nargs="+", help=argparse.SUPPRESS)
    own, more = split(sys.argv[1:])
    args = parser.parse_args(own)
    if args.send:
        width, height = map(int, args.size.split("x"))
        camera(width, height, args.rate, args.video, [f"/{name}/image_raw" for name in args.send])
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))
    rclpy.init()
    rows = []
    for count in args.cameras:
        names = [f"camera{index}" for index in range(1, count + 1)]
        sender = subprocess.Popen([sys.executable, __file__, *own, "--send", *names])
        try:
            for in_one in (True, False) if count > 1 else (True,):
                rows.append(measure(names, in_one, args.seconds, more))
                sys.stderr.write(json.dumps(rows[-1]) + "\n")
        finally:
            sender.kill()
            sender.wait(30)
    rclpy.shutdown()
    report(args, rows=rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
