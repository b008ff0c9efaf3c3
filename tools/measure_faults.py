"""The segmentation node's life under faults, as real processes (docs/planner.md has the goals).

    python tools/measure_faults.py KIND [--rounds 20] [--seed 0] [--size 640x480] [--rate 30]
        [--out FILE.json] [-- -p preset:=lite ...]

KIND is one of
    kill       SIGKILL: when a planner is told, and how soon another node answers
    signal     SIGTERM and SIGINT at random moments: exit time and code, last status
    hang       SIGSTOP for 2 s: when a planner is told, and whether an old mask follows
    stall      the camera stops for 2 s: when STALE_INPUT is told, and the first mask after
    lifecycle  deactivate, cleanup, configure, activate, a mask: time, memory, threads, entities
What follows `--` goes to the node. Progress goes to stderr, the figures to stdout.
"""

import os

os.environ["FASTDDS_BUILTIN_TRANSPORTS"] = "LARGE_DATA"  # read when rclpy loads the middleware
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import rclpy
from actseg.msg import SegmentationStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from measure_node import SENTENCES, Client, process_state, split, spread, start_camera, start_node
from rclpy.event_handler import SubscriptionEventCallbacks

from actseg_core.live.states import State
from actseg_ros import qos
from actseg_ros.settings import SegmentationConfig

PAUSE_S = 2.0
TOLD_TIMEOUT_S = 5.0
START_TIMEOUT_S = 180.0
EXIT_TIMEOUT_S = 60.0
SIGNAL_WITHIN_S = 8.0
ROUND = ("deactivate", "cleanup", "configure", "activate")
Figures = dict[str, Any]


class Planner(Client):
    """A client whom the middleware tells about a silent node, too."""

    def __init__(self) -> None:
        super().__init__()
        self.late_s: list[float] = []  # the status missed its deadline [s]
        self.lost_s: list[float] = []  # the node lost its liveliness [s]
        events = SubscriptionEventCallbacks(
            deadline=lambda _: self.late_s.append(time.monotonic()),
            liveliness=self._on_liveliness,
        )
        defaults = SegmentationConfig()
        self.node.create_subscription(
            SegmentationStatus,
            "/actseg/status",
            lambda _: None,
            qos.status(defaults.status_deadline_s, defaults.status_lease_s),
            event_callbacks=events,
        )
        self.transitions = self.node.create_client(ChangeState, "/actseg/change_state")

    def _on_liveliness(self, event: Any) -> None:
        if event.alive_count_change < 0:
            self.lost_s.append(time.monotonic())

    def status_since(self, at_s: float) -> bool:
        """Whether a status has come since then [s]."""
        return bool(self.statuses) and self.statuses[-1][0] > at_s

    def state(self) -> State:
        """The newest."""
        return State(self.statuses[-1][1].state.value)

    def told_ms(self, since_s: float) -> tuple[float, float]:
        """When deadline and liveliness were told [ms]; NaN if not."""
        self.spin(
            lambda: _any_after(self.late_s, since_s) and _any_after(self.lost_s, since_s),
            TOLD_TIMEOUT_S,
        )
        return _first_ms(self.late_s, since_s), _first_ms(self.lost_s, since_s)

    def first_mask_ms(self, since_s: float) -> float:
        """When the first mask came [ms]."""
        self.wait_for_mask()
        return _first_ms([at_s for at_s, _ in self.masks], since_s)

    def change_state(self, name: str) -> float:
        """Milliseconds that a transition takes.

        Raises:
            SystemExit: If it is refused or fails.
        """
        start_s = time.monotonic()
        wanted = Transition(id=getattr(Transition, f"TRANSITION_{name.upper()}"))
        future = self.transitions.call_async(ChangeState.Request(transition=wanted))
        if not self.spin(future.done, START_TIMEOUT_S) or not future.result().success:
            raise SystemExit(f"{name} failed; the node's last status: {self.statuses[-1:]}")
        return 1000 * (time.monotonic() - start_s)

    def entities(self) -> int:
        """Publishers and subscriptions of the node, services included."""
        topics = [name for name, _ in self.node.get_topic_names_and_types(no_demangle=True)]
        count = 0
        for topic in topics:
            ends = self.node.get_publishers_info_by_topic(topic, no_mangle=True)
            ends += self.node.get_subscriptions_info_by_topic(topic, no_mangle=True)
            count += sum(end.node_name == "actseg" for end in ends)
        return count


class Scene:
    """A camera, a planner and a node that may be exchanged."""

    def __init__(self, camera: list[str], node: list[str], rounds: int, seed: int) -> None:
        self.rounds, self.random = rounds, random.Random(seed)
        self.planner = Planner()
        self.start_node = partial(start_node, "-p", f"sentence:={SENTENCES[0]}", *node)
        self.camera = start_camera(*camera)
        self.node = self.start_node()

    def close(self) -> None:
        """End both processes, whatever state they are in."""
        for child in (self.camera, self.node):
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.terminate() if child is self.node else child.kill()
            child.wait(EXIT_TIMEOUT_S)

    def each_round(self, play: Callable[[], Figures]) -> list[Figures]:
        """The figures of every round, after the first mask of all."""
        self.planner.wait_for_mask()
        found = []
        for index in range(self.rounds):
            found.append(play())
            sys.stderr.write(f"{index + 1}/{self.rounds} {found[-1]}\n")
        return found

    def kill(self) -> Figures:
        """G6."""
        self.planner.spin(lambda: False, self.random.uniform(0.5, 1.5))
        killed_s = time.monotonic()
        self.node.kill()
        told = self.planner.told_ms(killed_s)
        self.node.wait(EXIT_TIMEOUT_S)
        started_s = time.monotonic()
        self.node = self.start_node()
        self.planner.spin(lambda: self.planner.status_since(started_s), START_TIMEOUT_S)
        status_ms = 1000 * (self.planner.statuses[-1][0] - started_s)
        mask_ms = self.planner.first_mask_ms(started_s)
        return _told(told) | {"status_ms": status_ms, "first_mask_ms": mask_ms}

    def signal(self) -> Figures:
        """G7."""
        planner = self.planner
        planner.spin(lambda: False, self.random.uniform(0.0, SIGNAL_WITHIN_S))
        before = planner.state().name
        number = self.random.choice((signal.SIGTERM, signal.SIGINT))
        start_s = time.monotonic()
        self.node.send_signal(number)
        planner.spin(lambda: self.node.poll() is not None, EXIT_TIMEOUT_S)
        exit_ms = 1000 * (time.monotonic() - start_s)
        planner.spin(lambda: planner.state() is State.SHUTDOWN, 1.0)
        found = {
            "exit_ms": exit_ms,
            "state": before,
            "signal": number.name,
            "code": self.node.poll(),
            "last_state": planner.state().name,
        }
        begun_s = time.monotonic()
        self.node = self.start_node()
        planner.spin(lambda: planner.status_since(begun_s), START_TIMEOUT_S)
        return found

    def hang(self) -> Figures:
        """G8, as a planner sees it; the node's own end after hang_s is test_process.py's."""
        planner = self.planner
        stopped_s = time.monotonic()
        self.node.send_signal(signal.SIGSTOP)
        told = planner.told_ms(stopped_s)
        planner.spin(lambda: False, max(0.0, PAUSE_S - (time.monotonic() - stopped_s)))
        planner.masks.clear()
        resumed_s = time.monotonic()
        self.node.send_signal(signal.SIGCONT)
        mask_ms = planner.first_mask_ms(resumed_s)
        planner.spin(lambda: False, 1.0)
        return _told(told) | {"first_mask_ms": mask_ms, **_ages(planner)}

    def stall(self) -> Figures:
        """G5."""
        planner = self.planner
        stopped_s = time.monotonic()
        self.camera.send_signal(signal.SIGSTOP)
        told = planner.spin(lambda: planner.state() is State.STALE_INPUT, TOLD_TIMEOUT_S)
        told_ms = 1000 * (time.monotonic() - stopped_s) if told else float("nan")
        planner.spin(lambda: False, PAUSE_S)
        planner.masks.clear()
        resumed_s = time.monotonic()
        self.camera.send_signal(signal.SIGCONT)
        mask_ms = planner.first_mask_ms(resumed_s)
        return {"stale_told_ms": told_ms, "first_mask_ms": mask_ms, **_ages(planner)}

    def lifecycle(self) -> Figures:
        """200 rounds of issue 8."""
        planner = self.planner
        times = {f"{name}_ms": planner.change_state(name) for name in ROUND}
        active_s = time.monotonic()
        mask_ms = planner.first_mask_ms(active_s)
        state = process_state(self.node.pid)
        return times | {"first_mask_ms": mask_ms, "entities": planner.entities(), **state}


def _ages(planner: Planner) -> Figures:
    return {"oldest_mask_ms": max(late_ms for _, late_ms in planner.masks)}


def _told(told: tuple[float, float]) -> Figures:
    return {"deadline_told_ms": told[0], "liveliness_told_ms": told[1]}


def _any_after(times_s: list[float], since_s: float) -> bool:
    return bool(times_s) and times_s[-1] > since_s


def _first_ms(times_s: list[float], since_s: float) -> float:
    return next((1000 * (at_s - since_s) for at_s in times_s if at_s > since_s), float("nan"))


def summary(rounds: list[Figures]) -> Figures:
    """Spread of what is a time, first, tenth and last of what should not grow, counts of words."""
    found: Figures = {}
    for name in rounds[0]:
        values = [item[name] for item in rounds]
        if name.endswith("_ms"):
            found[name] = spread(values)
        elif name in ("memory_mb", "threads", "files", "entities"):
            found[name] = {"first": values[0], "tenth": values[min(9, len(values) - 1)]}
            found[name] |= {"last": values[-1], "max": max(values)}
        else:
            found[name] = {str(value): values.count(value) for value in sorted(set(values))}
    return found


def main() -> int:
    """Start the processes, play the rounds, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=("kill", "signal", "hang", "stall", "lifecycle"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--rate", default="30")
    parser.add_argument("--out", type=Path)
    own, rest = split(sys.argv[1:])
    args = parser.parse_args(own)
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))
    camera = ["--size", args.size, "--rate", args.rate]
    scene = Scene(camera, rest, args.rounds, args.seed)
    try:
        rounds = scene.each_round(getattr(scene, args.kind))
    finally:
        scene.close()
        rclpy.try_shutdown()
    report = {"kind": args.kind, "rounds": len(rounds), "load": os.getloadavg()[0]}
    text = json.dumps(report | summary(rounds), indent=2)
    sys.stdout.write(text + "\n")
    if args.out:
        args.out.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
