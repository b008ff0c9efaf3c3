"""HDF5 files that point elsewhere, lie about their size or are broken."""

import struct

import h5py
import numpy as np
import pytest
from damaged_files import changed_bytes
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.datasets import hdf5
from actseg_core.datasets.hdf5 import read_arrays
from actseg_core.errors import DatasetError


def test_arrays_come_as_they_lie(tmp_path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(6, dtype=np.int16).reshape(2, 3)
        file["unread"] = "text"
    x = read_arrays(tmp_path / "a.h5", ["x"])["x"]
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.dtype == np.int16


def external_storage(file: h5py.File, secret) -> None:
    file.create_dataset("x", (4,), np.uint8, external=[(str(secret), 0, 4)])


def external_link(file: h5py.File, secret) -> None:
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other["x"] = np.zeros(4)
    file["x"] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "x")


def soft_link(file: h5py.File, secret) -> None:
    file["y"] = np.zeros(4)
    file["x"] = h5py.SoftLink("/y")


def virtual(file: h5py.File, secret) -> None:
    external_link(file, secret)
    layout = h5py.VirtualLayout((4,), np.float64)
    layout[:] = h5py.VirtualSource(str(secret.with_suffix(".h5")), "x", (4,))
    del file["x"]
    file.create_virtual_dataset("x", layout)


def group(file: h5py.File, secret) -> None:
    file.create_group("x")


def text(file: h5py.File, secret) -> None:
    file["x"] = "hello"


def objects(file: h5py.File, secret) -> None:
    file.create_dataset("x", (1,), h5py.ref_dtype)


def huge(file: h5py.File, secret) -> None:
    file.create_dataset("x", (10**6, 10**6), np.uint8, chunks=(1000, 1000))


def absent(file: h5py.File, secret) -> None:
    file["y"] = np.zeros(1)


def null(file: h5py.File, secret) -> None:
    file["x"] = h5py.Empty("f")


@pytest.mark.parametrize(
    ("attack", "problem"),
    [
        (external_storage, "'x' of .* keeps its data in other files"),
        (virtual, "'x' of .* keeps its data in other files"),
        (external_link, "'x' of .* is a link to elsewhere"),
        (soft_link, "'x' of .* is a link to elsewhere"),
        (group, "must be an array of numbers"),
        (text, "must be an array of numbers"),
        (objects, "must be an array of numbers"),
        (huge, r"claims the shape \(1000000, 1000000\) of uint8; wanted at most 1000000000 bytes"),
        (absent, r"bad\.h5 holds no 'x', only y"),
        (null, "claims the shape None"),
    ],
)
def test_what_is_no_plain_array_inside_the_file_is_refused(tmp_path, attack, problem) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"pass")
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        attack(file, secret)
    with pytest.raises(DatasetError, match=problem):
        read_arrays(tmp_path / "bad.h5", ["x"])


def test_a_name_of_bytes_that_are_no_text_is_listed_like_any_other(tmp_path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[b"\x80eMask"] = file["y"] = np.zeros(1)
    with pytest.raises(DatasetError, match=r"a\.h5 holds no 'x', only b'\\x80eMask', y"):
        read_arrays(tmp_path / "a.h5", ["x"])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9])
def test_a_half_written_file_is_named(tmp_path, share) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(5000)
    whole = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DatasetError, match=r"cannot read .*a\.h5 \(\d+ bytes\): half-written"):
        read_arrays(tmp_path / "a.h5", ["x"])


def test_flipped_bytes_never_escape_as_another_error(tmp_path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.arange(400), compression="gzip", fletcher32=True)
    whole = (tmp_path / "a.h5").read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            content[place] = rng.integers(256)
        (tmp_path / "b.h5").write_bytes(content)
        try:
            read_arrays(tmp_path / "b.h5", ["x"])
        except DatasetError:
            refused += 1
    assert refused > 20


def test_a_missing_file_and_the_limit_are_named(tmp_path, monkeypatch) -> None:
    with pytest.raises(DatasetError, match=r"there is no annotation file .*nowhere\.h5"):
        read_arrays(tmp_path / "nowhere.h5", ["x"])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros(11, np.uint8)
    monkeypatch.setattr(hdf5, "MAX_BYTES", 10)
    with pytest.raises(DatasetError, match=r"claims the shape \(11,\)"):
        read_arrays(tmp_path / "a.h5", ["x"])


@pytest.mark.parametrize("number", [3, -1])
def test_a_damaged_index_of_chunks_is_refused_before_hdf5_believes_it(tmp_path, number) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(400.0), chunks=(10,), fletcher32=True)
        place = file["x"].id.get_chunk_info(number % 40).byte_offset
    content = path.read_bytes()
    # Of each chunk, the index holds its size, its place in the array, and where it lies.
    at = content.index(struct.pack("<Q", place))
    with path.open("wb") as file:
        file.write(content[: at - 24] + bytes(4) + content[at - 20 :])
    with pytest.raises(DatasetError, match=r"the index of '/x' of .*a\.h5 is damaged at \("):
        read_arrays(path, ["x"])


def content_of(tmp_path, **options) -> bytes:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.arange(400, dtype=np.float64), **options)
        file["y"] = np.zeros((2, 3), np.uint8)
    return (tmp_path / "a.h5").read_bytes()


@given(data=st.data())
def test_a_file_changed_anywhere_is_read_or_refused(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.getbasetemp()
    options = data.draw(
        st.sampled_from([{}, {"compression": "gzip"}, {"chunks": (10,), "fletcher32": True}])
    )
    content = data.draw(changed_bytes(content_of(folder, **options)))
    (folder / "changed.h5").write_bytes(content)
    try:
        arrays = read_arrays(folder / "changed.h5", ["x", "y"])
    except DatasetError:
        return
    assert all(array.dtype.kind in "biuf" for array in arrays.values())
