"""The loop around a node: it survives callbacks, obeys signals, and its exit code tells why."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import rclpy
from patience import PATIENCE_S
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from actseg_ros.process import keep_buffers, release_memory

Start = Callable[..., Any]
Eventually = Callable[..., None]
RECORDER = ("-m", "actseg_ros.players.recorder", "--ros-args")
SCRIPT = """
import sys
from rclpy.node import Node
from actseg_ros.process import run

class Small(Node):
    finished, failed, hang_s, stuck = False, "", 5.0, 0.0
    def __init__(self):
        super().__init__("small")
        self.ticks = 0
        self.create_timer(0.002, self.tick)
    def start(self): return {start!r}
    def stuck_s(self): return {stuck}
    def close(self): print("closed", self.ticks, flush=True)
    def tick(self):
        self.ticks += 1
        {tick}

sys.exit(run(Small))
"""
MB = 2**20


def small(start: Start, tick: str = "pass", reason: str = "", stuck: float = 0.0) -> Any:
    return start("-c", SCRIPT.format(tick=tick, start=reason, stuck=stuck))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_with_code_0(
    start: Start, eventually: Eventually, number: int, tmp_path: Path
) -> None:
    process = start(*RECORDER, "-p", f"folder:={tmp_path}/new")
    eventually((tmp_path / "new").is_dir)
    time.sleep(0.2)
    assert process.stop(number) == 0
    assert "no image came on /recorder/image, nothing was written" in process.text


def test_signals_that_go_on_to_the_very_end_do_not_change_the_exit_code(start: Start) -> None:
    for _ in range(3):
        process = small(start, 'self.ticks == 1 and print("ticking", flush=True)')
        while process.popen.poll() is None:
            if "ticking" in process.text:
                process.popen.send_signal(signal.SIGTERM)
            time.sleep(0.002)
        assert process.wait() == 0, process.text


def test_a_signal_during_the_start_is_not_lost(start: Start) -> None:
    process = start(*RECORDER, "-p", "folder:=/tmp")
    time.sleep(0.3)
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait() in (0, -signal.SIGTERM)


LOADING = """
import sys, time
from actseg_core.errors import CheckpointError
from actseg_ros.process import run
from actseg_ros.segmentation_node import SegmentationNode

def load(config, stream):
    print("begun", flush=True)
    try:
        for _ in range(6000):
            try:
                time.sleep(0.1)
            except Exception:  # as a library's: a signal is none of its faults
                pass
    finally:
        print("undone", flush=True)
    raise CheckpointError("it was loaded to the end")

sys.exit(run(lambda: SegmentationNode(load)))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_model_loads_breaks_that_off(
    start: Start, eventually: Eventually, number: int
) -> None:
    process = start("-c", LOADING)
    eventually(lambda: "begun" in process.text)
    assert "loading the model lite on cpu" in process.text
    assert process.stop(number) == 0
    assert "undone" in process.text
    assert "loading was broken off by a signal" in process.text
    assert "it was loaded to the end" not in process.text
    assert "Traceback" not in process.text


def test_failing_callbacks_do_not_end_the_node(start: Start) -> None:
    tick = "self.finished = self.ticks > 20\n        if self.ticks % 2: raise ValueError('no')"
    process = small(start, tick)
    assert process.wait() == 0
    assert process.text.count("ValueError: no") >= 10
    assert "closed 2" in process.text


def test_callbacks_that_keep_failing_end_it_with_code_70(start: Start) -> None:
    process = small(start, "raise ValueError('no')")
    assert process.wait() == 70
    assert "callbacks keep failing; the process ends" in process.text
    assert "closed 50" in process.text


def test_a_stuck_worker_ends_it_with_code_70(start: Start) -> None:
    process = small(start, stuck=7.5)
    assert process.wait() == 70
    assert "no progress for 7.5 s" in process.text


def test_a_node_that_cannot_start_ends_with_code_2_and_is_closed(start: Start) -> None:
    process = small(start, reason="no model")
    assert process.wait() == 2
    assert "closed 0" in process.text


def test_a_node_that_failed_ends_with_code_2(start: Start) -> None:
    process = small(start, "self.failed, self.finished = 'cable cut', True")
    assert process.wait() == 2


@pytest.mark.parametrize("kind", [77, 255])
def test_a_parameter_of_an_impossible_type_does_not_kill_a_node(
    start: Start, domain: int, tmp_path: Path, eventually: Eventually, kind: int
) -> None:
    """Stock rclpy lets the ValueError out of spin(); one request ends such a node."""
    process = start(*RECORDER, "-p", f"folder:={tmp_path}")
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = Node("attacker", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        setter = node.create_client(SetParameters, "/recorder/set_parameters")
        getter = node.create_client(GetParameters, "/recorder/get_parameters")
        assert setter.wait_for_service(PATIENCE_S) and getter.wait_for_service(PATIENCE_S)
        wrong = Parameter(name="folder", value=ParameterValue(type=kind))
        setter.call_async(SetParameters.Request(parameters=[wrong]))
        time.sleep(0.3)
        answer = getter.call_async(GetParameters.Request(names=["folder"]))
        executor.spin_until_future_complete(answer, PATIENCE_S)
        assert answer.result().values[0].string_value == str(tmp_path)
        assert process.popen.poll() is None
        eventually(lambda: "a callback failed" in process.text)  # it comes by another way
        assert process.popen.poll() is None
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()


def resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / MB


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_pages_between_living_pieces_are_returned() -> None:
    pieces = [np.ones(64 * 1024, np.uint8) for _ in range(4000)]  # 250 MB, too small for mmap
    kept = pieces[::100]
    before = resident_mb()
    del pieces
    release_memory()
    assert before - resident_mb() > 150
    assert all(piece.all() for piece in kept)


PICTURES = """
import resource
import numpy as np
from actseg_ros.process import keep_buffers

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(6_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_buffers()
faults()
print(faults())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")
def test_a_picture_takes_over_the_pages_of_the_one_before() -> None:
    done = subprocess.run([sys.executable, "-c", PICTURES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20, "page faults; 1,465 for each of 20 pictures without"


@pytest.mark.parametrize("package", ["actseg_ros", "actseg_core.cli"])
def test_numpys_products_take_no_second_thread(package: str) -> None:
    program = (
        f"import {package}, numpy as np; a = np.ones((400, 400)); a @ a; "
        "print([x for x in open('/proc/self/status') if x.startswith('Threads')][0].split()[1])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


def test_another_c_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    keep_buffers()
    release_memory()
