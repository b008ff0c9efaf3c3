"""Processes on a domain of their own."""

import os

os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # read when a message module is imported
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["FASTDDS_BUILTIN_TRANSPORTS"] = "LARGE_DATA"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cat_clip
import numpy as np
import pytest
import rclpy
from fake_engine import engine, eventually, read
from patience import PATIENCE_S
from rclpy.context import Context
from ros_domains import domain
from shared_memory import mapped, remove_segments

__all__ = ["domain", "engine", "eventually", "read"]  # fixtures of test/support
ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A child process whose output is collected line by line, killed at the end of the test."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._lines_read = 0
        self.popen = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.append(line.rstrip("\n"))

    def send(self, line: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        code = self.popen.wait(timeout_s)
        self._reader.join(PATIENCE_S)
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.popen.send_signal(number)
        return self.wait()

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(PATIENCE_S)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """JSON lines of one kind, in order; each line is read once, but for one cut by a kill."""
        new = self.lines[self._lines_read :]
        self._lines_read += len(new)
        for line in new:
            if line.startswith('{"kind"') and line.endswith("}"):
                event = json.loads(line)
                self._events.setdefault(event["kind"], []).append(event)
        return list(self._events.get(kind, ()))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture(autouse=True, scope="module")
def quick_collections() -> Iterator[None]:
    """A node's cleanup collects garbage: not each time among all that the tests before have left,
    which took half of the time of the node's tests."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def start(domain: int) -> Iterator[Callable[..., Process]]:
    """Starts `python ARGUMENTS` in a ROS domain of this test."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ROS_DOMAIN_ID": str(domain),
        "PYTHONUNBUFFERED": "1",
    }
    processes: list[Process] = []

    def begin(*arguments: str, **settings: str) -> Process:
        processes.append(Process([sys.executable, *arguments], {**environment, **settings}))
        return processes[-1]

    yield begin
    segments = set[str]().union(*(mapped(process.popen.pid) for process in processes))
    for process in processes:
        process.kill()
    remove_segments(segments - mapped(os.getpid()))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper's network, thin, that marks every pixel for every sentence it can read."""
    import torch

    from actseg_core.checkpoints.checkpoint import save_checkpoint
    from actseg_core.config import DecoderConfig, ModelConfig, PresenceConfig, VideoConfig
    from actseg_core.networks.two_stream import build_model

    config = ModelConfig(
        name="small",
        frames=4,
        label_frame="newest",
        size=64,
        threshold=-100.0,
        presence=PresenceConfig(threshold=0.0),
        video=VideoConfig(width=0.125),
        decoder=DecoderConfig(channels=(16, 8)),
    )
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the same whatever was tested before
        save_checkpoint(path, build_model(config))
    return path


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames of 64x48 with a square that moves to the right."""
    from actseg_core.video import VideoWriter

    path = tmp_path_factory.mktemp("video") / "square.mp4"
    with VideoWriter(path, 25.0) as writer:
        for index in range(40):
            image = np.full((48, 64, 3), 60, np.uint8)
            image[16:32, index : index + 16] = (200, 40, 40)
            writer.write(image)
    return path


@pytest.fixture(scope="session")
def cat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with a cat; ACTSEG_CAT_CLIP names it where scikit-image, which has it, is missing."""
    given = os.environ.get("ACTSEG_CAT_CLIP")
    if given:
        return Path(given)
    path = tmp_path_factory.mktemp("cat") / "cat.mp4"
    cat_clip.write(path)
    return path


@pytest.fixture
def bench_of(domain: int) -> Iterator[Callable[[Callable[[Context], Any]], Any]]:
    """Builds benches (a node, its client, their executor) in one context, and ends them."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    benches: list[Any] = []

    def add(build: Callable[[Context], Any]) -> Any:
        benches.append(build(context))
        return benches[-1]

    yield add
    for bench in benches:
        bench.node.close()
        bench.executor.shutdown()
        bench.node.destroy_node()
        bench.client.destroy_node()
    context.try_shutdown()
