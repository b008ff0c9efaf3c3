"""Freed memory goes back to the system."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from actseg_ros.memory import give_back

MB = 2**20


def resident_mb() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / MB


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_pages_between_living_pieces_are_returned() -> None:
    pieces = [np.ones(64 * 1024, np.uint8) for _ in range(4000)]  # 250 MB, too small for mmap
    kept = pieces[::100]
    before = resident_mb()
    del pieces
    give_back()
    assert before - resident_mb() > 150
    assert all(piece.all() for piece in kept)


def test_another_c_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    give_back()
