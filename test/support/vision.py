"""vision_msgs, which has no wheel: built once for all tests and workers that need it."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VISION_PACKAGE = ROOT / "test" / "ros" / "vision_package.py"


@pytest.fixture(scope="session")
def vision_place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the environment: where a process finds the package; a compiler takes its time."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that all workers share
    told = folder / "vision_place"
    with (folder / "vision_lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            command = [sys.executable, str(VISION_PACKAGE), str(folder / "vision_msgs")]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            assert done.returncode == 0, done.stdout + done.stderr
            told.write_text(done.stdout.splitlines()[-1])
    packages, libraries = told.read_text().split()
    known = f"{libraries}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    return {"PYTHONPATH": f"{packages}:{ROOT}", "LD_LIBRARY_PATH": known}
