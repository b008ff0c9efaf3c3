"""A ROS domain for each test, apart from all other processes on this machine."""

import fcntl
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

# Ghosts of killed peers stay matched for 20 s. Above 101 the ports are the system's own.
_GHOSTS_S = 25.0
_DOMAINS = range(1, 102)


@pytest.fixture
def domain() -> Iterator[int]:
    """A ROS domain that nobody else on this machine uses, nor any test a moment ago.

    Other workers and other runs count: a file per domain is locked while a test has it, and says
    when the last one ended.
    """
    end_s = time.monotonic() + 2 * _GHOSTS_S
    while time.monotonic() < end_s:
        for number in random.sample(_DOMAINS, len(_DOMAINS)):
            with Path(tempfile.gettempdir(), f"actseg_domain_{number}").open("a+") as file:
                if not _take(file):
                    continue
                try:
                    yield number
                finally:
                    file.truncate(0)
                    file.write(str(time.time()))
                return
        time.sleep(1.0)
    raise RuntimeError("all ROS domains are in use; end other pytest runs")


def _take(file: TextIO) -> bool:
    """Lock the file of a domain, unless it is locked or its ghosts may still be there."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    file.seek(0)
    return time.time() - float(file.read() or "-inf") > _GHOSTS_S
