"""MATLAB files, read in a guarded process."""

import os
import pickle
import struct
import sys
import zlib

import h5py
import numpy as np
import psutil
import pytest
from damaged_files import changed_bytes
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from actseg_core.datasets.matlab import MatlabReader
from actseg_core.errors import DatasetError


def put(path, **arrays):
    savemat(path, arrays, do_compression=True)
    return path


def test_arrays_keep_their_axes_type_and_values(tmp_path, matlab) -> None:
    masks = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = put(tmp_path / "a.mat", part_mask=masks, other=np.eye(2))
    assert matlab.shape(path, "part_mask") == (2, 3, 4)
    np.testing.assert_array_equal(matlab.read(path, "part_mask"), masks)
    assert matlab.read(path, "part_mask").dtype == np.uint8
    assert matlab.read(path, "other").tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_version_7_3_is_hdf5_with_reversed_axes(tmp_path, matlab) -> None:
    masks = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["part_mask"] = masks.T
    with (tmp_path / "a.mat").open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file")
    assert matlab.shape(tmp_path / "a.mat", "part_mask") == (2, 3, 4)
    np.testing.assert_array_equal(matlab.read(tmp_path / "a.mat", "part_mask"), masks)


def test_one_process_serves_many_files_and_ends_with_close(tmp_path) -> None:
    matlab = MatlabReader()
    path = put(tmp_path / "a.mat", x=np.ones((2, 2)))
    matlab.read(path, "x")
    first = matlab._process
    matlab.read(path, "x")
    assert first is not None
    assert matlab._process is first
    assert psutil.pid_exists(first.pid)
    matlab.close()
    assert first.returncode is not None
    assert matlab.read(path, "x").sum() == 4
    matlab.close()


def damaged_element(claim: tuple[int, ...], payload: bytes) -> bytes:
    """A version 5 file with one compressed uint8 array x of a claimed shape."""
    sides = struct.pack(f"<{len(claim)}i", *claim)
    sides += b"\0" * (-len(sides) % 8)
    body = struct.pack("<IIII", 6, 8, 9, 0)  # array flags: class uint8
    body += struct.pack("<II", 5, 4 * len(claim)) + sides
    body += struct.pack("<HH4s", 1, 1, b"x\0\0\0")
    body += struct.pack("<II", 2, len(payload)) + payload + b"\0" * (-len(payload) % 8)
    element = zlib.compress(struct.pack("<II", 14, len(body)) + body)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    return header + struct.pack("<II", 15, len(element)) + element


def test_the_hand_made_file_is_well_formed(tmp_path, matlab) -> None:
    (tmp_path / "a.mat").write_bytes(damaged_element((2, 2), bytes([1, 2, 3, 4])))
    assert matlab.read(tmp_path / "a.mat", "x").tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (damaged_element((100_000, 100_000), b"1234"), "'x' claims the shape .* too large"),
        (damaged_element((2, 3), b"1234"), "cannot be read"),
        (damaged_element((2, -3), b"1234"), "'x' claims the shape .* impossible"),
        (b"", "cannot be read"),
        (b"hello" * 100, "cannot be read"),
        (damaged_element((2, 2), b"1234")[:-9], "cannot be read .*it is cut short"),
        (damaged_element((2, 2), b"1234")[:132], "cannot be read .*it is cut short"),
    ],
)
def test_damaged_and_lying_files_are_named(tmp_path, matlab, content, problem) -> None:
    (tmp_path / "bad.mat").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"bad\.mat ({problem})"):
        matlab.read(tmp_path / "bad.mat", "x")
    assert matlab.read(put(tmp_path / "good.mat", x=np.ones(3)), "x").sum() == 3


def test_other_classes_and_missing_arrays_are_named(tmp_path, matlab) -> None:
    path = put(tmp_path / "a.mat", x={"field": 1}, y=np.array([["cell"]], object))
    with pytest.raises(DatasetError, match="'x' must be an array of numbers, it is of class str"):
        matlab.read(path, "x")
    with pytest.raises(DatasetError, match="'y' must be an array of numbers, it is of class cell"):
        matlab.read(path, "y")
    with pytest.raises(DatasetError, match=r"a\.mat holds no 'part_mask', only x, y"):
        matlab.shape(path, "part_mask")
    with pytest.raises(DatasetError, match=r"there is no annotation file .*nowhere\.mat"):
        matlab.read(tmp_path / "nowhere.mat", "x")


def test_a_bomb_is_stopped_by_the_memory_limit(tmp_path) -> None:
    """100 MB of zeros compress to 100 kB; the process may use 30 MB."""
    matlab = MatlabReader(memory_bytes=30_000_000)
    path = put(tmp_path / "bomb.mat", x=np.zeros((10_000, 10_000), np.uint8))
    with pytest.raises(
        DatasetError, match=r"bomb\.mat (cannot be read \(Memory|could not be read)"
    ):
        matlab.read(path, "x")
    matlab.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the worker is stopped by a signal")
def test_no_answer_in_time_is_an_error_and_the_next_reader_starts_anew(tmp_path) -> None:
    matlab = MatlabReader()
    path = put(tmp_path / "a.mat", x=np.ones(3))
    matlab.read(path, "x")
    matlab._timeout_s = 0.5
    assert matlab._process is not None
    psutil.Process(matlab._process.pid).suspend()
    with pytest.raises(DatasetError, match=r"a\.mat could not be read within 0\.5 s"):
        matlab.read(path, "x")
    matlab._timeout_s = 30.0
    assert matlab.read(path, "x").sum() == 3
    matlab.close()


def test_a_fork_and_a_pickle_start_their_own_process(tmp_path, matlab) -> None:
    path = put(tmp_path / "a.mat", x=np.ones(3))
    matlab.read(path, "x")
    copy = pickle.loads(pickle.dumps(matlab))  # noqa: S301
    assert copy.read(path, "x").sum() == 3
    assert copy._process.pid != matlab._process.pid
    copy.close()
    receive, send = os.pipe()
    parents = matlab._process.pid
    child = os.fork()
    if child == 0:
        try:
            total = int(matlab.read(path, "x").sum())
            os.write(send, bytes([total, matlab._process.pid != parents]))
            matlab.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert list(os.read(receive, 2)) == [3, 1]
    assert matlab.read(path, "x").sum() == 3
    assert matlab._process.pid == parents
    for end in (receive, send):
        os.close(end)


@pytest.mark.parametrize(
    "wrong", [np.array([1.0, np.nan]), np.array([1.0, np.inf]), np.array([1 + 2j, 3])]
)
def test_numbers_that_are_not_finite_and_real_are_refused(tmp_path, matlab, wrong) -> None:
    path = put(tmp_path / "a.mat", x=wrong)
    with pytest.raises(DatasetError, match=r"'x' of .*a\.mat must hold finite real"):
        matlab.read(path, "x")


@given(
    st.sampled_from(
        [damaged_element((2, 2), b"1234"), damaged_element((3, 4, 5), bytes(60))]
    ).flatmap(changed_bytes)
)
def test_a_file_changed_anywhere_is_read_or_refused(tmp_path_factory, matlab, content) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.mat"
    path.write_bytes(content)
    try:
        shape = matlab.shape(path, "x")
        array = matlab.read(path, "x")
    except DatasetError:
        return
    assert array.shape == shape
