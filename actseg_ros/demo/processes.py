"""The demo's processes, and its client of the node."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import rclpy
from actseg.msg import ActorMaskArray, SegmentationStatus
from rclpy.qos import QoSProfile
from std_msgs.msg import String

from actseg_core.live.states import State
from actseg_ros.demo.report import Row

STOP_TIMEOUT_S = 5.0
FIRST_ANSWER_S = 12.0
NODE_TOPICS = "/actseg"


class Children:
    """Node processes whose output goes to a log file; none outlives the demo.

    Args:
        log: Open for writing.
        environment: Of the processes.
    """

    def __init__(self, log: BinaryIO, environment: dict[str, str]) -> None:
        self._log, self._environment = log, environment
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self, module: str, remap: dict[str, str], **parameters: Any
    ) -> subprocess.Popen[bytes]:
        """Start `python -m actseg_ros.MODULE` with parameters and remappings."""
        command = [sys.executable, "-m", f"actseg_ros.{module}", "--ros-args"]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={_literal(value)}"]
        for source, target in remap.items():
            command += ["-r", f"{source}:={target}"]
        process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, env=self._environment
        )
        self._running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End one as Ctrl-C would; kill it if it does not end."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self._running:
            self._running.remove(process)

    def stop_all(self) -> None:
        """End all, the last started first."""
        for process in reversed(list(self._running)):
            self.stop(process)


class Client:
    """Publishes sentences and receives the answers.

    Args:
        until_s: Steady clock when the demo must be over [s].
    """

    def __init__(self, until_s: float) -> None:
        self.until_s = until_s
        self.node = rclpy.create_node("demo")
        self.state = State.UNCONFIGURED
        self.revision = 0
        self._row: Row | None = None
        many = QoSProfile(depth=50)
        self.node.create_subscription(
            SegmentationStatus, f"{NODE_TOPICS}/status", self._on_status, many
        )
        self.node.create_subscription(
            ActorMaskArray, f"{NODE_TOPICS}/result", self._on_result, many
        )
        self._command = self.node.create_publisher(String, f"{NODE_TOPICS}/command", 10)

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Handle messages until a condition holds; False after `timeout_s` [s] or at the end."""
        end_s = min(time.monotonic() + timeout_s, self.until_s)
        while not condition():
            if time.monotonic() >= end_s:
                return False
            rclpy.spin_once(self.node, timeout_sec=0.02)
        return True

    def command(self, text: str) -> None:
        """Publish a sentence; an empty one clears."""
        self._command.publish(String(data=text))

    def ask(self, row: Row, seconds: float) -> None:
        """Publish a row's sentence and collect its answers for some time after the first."""
        self._row = row
        self.command(row.sentence)
        if self.wait(lambda: bool(row.states), FIRST_ANSWER_S):
            self.wait(lambda: False, seconds)
        self._row = None

    def left_s(self) -> float:
        """Time until the demo must be over [s]."""
        return max(0.0, self.until_s - time.monotonic())

    def is_ready(self) -> bool:
        """Whether the node takes commands."""
        return self.state > State.INACTIVE and self._command.get_subscription_count() > 0

    def _on_status(self, message: SegmentationStatus) -> None:
        self.state = State(message.state.value)

    def _on_result(self, message: ActorMaskArray) -> None:
        received_ns = time.time_ns()
        for mask in message.masks:
            wanted = self._row is not None and mask.sentence == self._row.sentence
            if wanted and self._row is not None and State(mask.state.value).is_answer:
                self._row.add(mask, received_ns)


def _literal(value: Any) -> str:
    """A parameter value as rcl reads it: YAML, where a quoted text is one whatever is in it."""
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
