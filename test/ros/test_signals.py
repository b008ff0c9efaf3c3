"""Signals at random moments of a real node's life: it ends in order, and nothing of it is left."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import PATIENT_NODE
from shared_memory import mapped

from actseg_core.live.states import State

Start = Callable[..., Any]
Eventually = Callable[..., None]
CLIENT = Path(__file__).with_name("chain_client.py")
PHASES = ("loading", "warming up", "active", "deactivating")
ROUNDS = 12
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Scene:
    """A fast camera and a planner that stay, and one node after the other between them."""

    def __init__(
        self, start: Start, eventually: Eventually, checkpoint: Path, video: Path, seed: int
    ) -> None:
        self.start, self.eventually, self.checkpoint = start, eventually, checkpoint
        self.random = random.Random(seed)
        self.client = start(str(CLIENT))
        self.camera = start(
            *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}"),
            *("-p", "rate_hz:=50.0"),
        )
        self.first = 0

    def round(self, phase: str, number: signal.Signals) -> None:
        """One node's life, ended by a signal, now and then by two, in this phase."""
        self.first = len(self.client.events("status"))
        node = self.start(
            *(*PATIENT_NODE, "-p", f"checkpoint:={self.checkpoint}"),
            *("-p", "sentence:=the red square", "-r", "~/image:=/camera/image_raw"),
        )
        self.wait_for_phase(phase, node)
        time.sleep(self.random.uniform(0.0, 0.3))
        assert node.popen.poll() is None, f"{phase}: it ended before the signal\n{node.text}"
        children = psutil.Process(node.popen.pid).children(recursive=True)
        segments = mapped(node.popen.pid)
        assert segments, "Fast DDS names its shared memory otherwise now"
        node.popen.send_signal(number)
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0.0, 0.1))
            node.popen.send_signal(number)
        # A signal breaks the load off between two steps: seconds on a very busy machine.
        assert node.wait() == 0, f"{phase}, {number.name}\n{node.text[-3000:]}"
        assert "Traceback" not in node.text, f"{phase}, {number.name}\n{node.text[-3000:]}"
        self.eventually(lambda: not any(map(psutil.Process.is_running, children)), "children")
        self.eventually(lambda: not self.left(segments), f"{phase}: {self.left(segments)}")
        self.assert_the_last_word_is_shutdown(f"{phase}, {number.name}")

    def wait_for_phase(self, phase: str, node: Any) -> None:
        """Until the node is there, and as far as the phase needs it."""
        self.eventually(self.statuses, f"the first status\n{node.text[-3000:]}")
        if phase == "warming up":
            self.eventually(self.has_been(State.WARMING_UP), phase)
        elif phase != "loading":
            self.eventually(self.has_been(State.FOUND), phase)
        if phase == "deactivating":
            self.client.send(json.dumps("deactivate"))

    def statuses(self) -> list[dict[str, Any]]:
        """Of this round's node."""
        events: list[dict[str, Any]] = self.client.events("status")
        return events[self.first :]

    def has_been(self, state: State) -> Callable[[], bool]:
        return lambda: any(event["state"] == state for event in self.statuses())

    def left(self, segments: set[str]) -> list[str]:
        """Those of the node that are still there, and that neither of those that stay has open."""
        others = mapped(self.client.popen.pid) | mapped(self.camera.popen.pid)
        return sorted(item for item in segments - others if Path(item).exists())

    def assert_the_last_word_is_shutdown(self, what: str) -> None:
        self.eventually(self.has_been(State.SHUTDOWN), f"{what}: SHUTDOWN told")
        time.sleep(0.5)  # for whatever might still come
        last = self.statuses()[-1]
        assert last["state"] == State.SHUTDOWN, what
        late = [item for item in self.client.events("result") if item["sent_ns"] > last["sent_ns"]]
        assert late == [], f"{what}: a result after SHUTDOWN"


# Slow: twelve starts of the real node.
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_signals_at_random_moments_end_the_node_in_order_and_leave_nothing(
    start: Start, eventually: Eventually, checkpoint: Path, video: Path
) -> None:
    scene = Scene(start, eventually, checkpoint, video, seed=8)
    for index in range(ROUNDS):
        scene.round(PHASES[index % len(PHASES)], SIGNALS[index // len(PHASES) % len(SIGNALS)])
