"""Trainings as processes of their own: killed, without room, several at once."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from actseg_core.training.logs import read_rows
from actseg_core.training.states import latest_state

Start = Callable[..., subprocess.Popen[str]]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]  # processes take long to start
SETTINGS = ("iterations=40", "save_every=4", "val_every=20", "val_samples=2", "log_every=2")
PATIENCE_S = 600


@pytest.fixture
def start(clips: Path, preset: Callable[..., str]) -> Start:
    """start(folder, *settings, launcher=[...]): `actseg train` as a process."""

    def launch(
        folder: Path, *settings: str, launcher: tuple[str, ...] = ("-m",)
    ) -> subprocess.Popen[str]:
        command = [sys.executable, *launcher, "actseg_core.cli.main", "train", preset()]
        command += ["--data", str(clips), "--run", str(folder)]
        for setting in (*SETTINGS, "progress=false", "accelerator=cpu", *settings):
            command += ["--set", setting]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"},
        )

    return launch


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    return output


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.02)


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in read_rows(folder / "1_main" / "metrics.csv") if "loss" in row]


def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(
    start: Start, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(whole))
    rng = np.random.default_rng()
    state, steps = killed / "1_main" / "last.ckpt", []
    for _ in range(2):
        process = start(killed)
        if not steps:
            wait_for(state, process)
        else:
            before = state.stat().st_mtime_ns if state.exists() else 0
            while process.poll() is None and state.exists():
                if state.stat().st_mtime_ns != before:
                    break
                time.sleep(0.01)
        if steps:  # the first time at once: a quick computer has finished after a moment
            time.sleep(rng.uniform(0.0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = latest_state(killed / "1_main")
        if found is None:  # it had finished
            break
        steps.append(torch.load(found, weights_only=True)["global_step"])
    assert steps and steps == sorted(steps)
    finish(start(killed))
    first, second = (load_file(folder / "tiny.safetensors") for folder in (whole, killed))
    assert all(torch.equal(first[name], second[name]) for name in first), steps
    assert losses(killed) == losses(whole) and len(losses(whole)) == 20


def test_a_disk_that_fills_up_ends_it_with_the_last_state_intact(
    start: Start, tmp_path: Path
) -> None:
    """The largest size of a file is cut to 1 kB under the running process."""
    full, whole = tmp_path / "full", tmp_path / "whole"
    process = start(full)
    wait_for(full / "1_main" / "last.ckpt", process)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1024, 1024))
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2, output
    assert "make room and start the same command again" in output.splitlines()[-1]
    state = latest_state(full / "1_main")
    assert state is not None and torch.load(state, weights_only=True)["global_step"] >= 4
    assert not list(full.rglob("*.part"))
    for folder in (full, whole):
        finish(start(folder))
    first, second = (load_file(folder / "tiny.safetensors") for folder in (full, whole))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("launcher", ["lightning", "torchrun"])
def test_two_processes_give_the_curve_of_one(start: Start, tmp_path: Path, launcher: str) -> None:
    """Each has half of every batch; the sums of a mean differ in the last bits."""
    few = ("iterations=8", "val_every=4")
    one, two = tmp_path / "one", tmp_path / "two"
    finish(start(one, *few))
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "--")
    options = {"launcher": torchrun} if launcher == "torchrun" else {}
    output = finish(start(two, *few, "devices=2", **options))
    assert "MEMBER: 2/2" in output
    assert losses(two) == pytest.approx(losses(one), rel=1e-4) and len(losses(one)) == 4
    first, second = (load_file(folder / "tiny.safetensors") for folder in (one, two))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-3, atol=1e-4)
    assert json.loads((two / "1_main" / "throughput.json").read_text())["processes"] == 2
