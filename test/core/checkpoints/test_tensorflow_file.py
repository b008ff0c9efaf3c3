"""TensorFlow checkpoints: one that TensorFlow wrote, made-up ones, and damaged ones."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from actseg_core.checkpoints.tensorflow_file import (
    LANES,
    checkpoint_prefix,
    crc32c,
    masked_crc32c,
    read_tf_checkpoint,
)
from actseg_core.errors import CheckpointError

# Written by TensorFlow 2.21's tf.compat.v1.train.Saver: layer/w, layer/b and global_step.
TENSORFLOWS_INDEX = bytes.fromhex(
    "00000608011a020801000b0b676c6f62616c5f7374657008091200280835290398070007116c617965722f62"
    "08011204120208022008280835fb29da1a060115770801120812020802120208032010281835e748f16d0000"
    "000001000000001cccb678000000000100000000c0f2a1b00001026d005e0000000001000000007a54516563"
    "08700e00000000000000000000000000000000000000000000000000000000000000000000000057fb808b24"
    "7547db"
)
TENSORFLOWS_DATA = bytes.fromhex(
    "00000000000000000000e040000000410000c03f000000c00000803e0000404000008040000000bf"
)

WriteTf = Callable[..., Path]
Arrays = dict[str, NDArray[np.generic]]


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0x00000000),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_published_examples(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


@settings(max_examples=30, deadline=None)
@given(length=st.integers(0, 3 * LANES + 5), seed=st.integers(0, 100))
def test_any_length_equals_the_definition(slow: SimpleNamespace, length: int, seed: int) -> None:
    data = np.random.default_rng(seed).bytes(length)
    assert crc32c(data) == slow.crc32c(data)


def test_the_mask_rotates_by_15_bits_and_adds_a_constant() -> None:
    # Rotating 0xE3069283 right by 15 bits: its low 15 bits 0x1283 go to the top,
    # 0x1283 << 17 = 0x25060000, and 0xE3069283 >> 15 = 0x1C60D stays; then 0xA282EAD8 is added.
    assert masked_crc32c(b"123456789") == 0x2507C60D + 0xA282EAD8


@pytest.fixture
def arrays() -> Arrays:
    rng = np.random.default_rng(0)
    shapes = {"a/w": (2, 3), "a/b": (3,), "a/bias": (5, 1), "b": (), "c/long/name": (40, 30)}
    return {name: rng.normal(size=shape).astype("f") for name, shape in shapes.items()}


def tensorflows(folder: Path) -> Path:
    (folder / "m.index").write_bytes(TENSORFLOWS_INDEX)
    (folder / "m.data-00000-of-00001").write_bytes(TENSORFLOWS_DATA)
    return folder / "m"


def same(got: Arrays, wanted: Arrays) -> bool:
    return got.keys() == wanted.keys() and all(
        np.array_equal(got[name], wanted[name]) and got[name].dtype == wanted[name].dtype
        for name in wanted
    )


def test_reads_what_tensorflow_wrote(tmp_path: Path) -> None:
    got = read_tf_checkpoint(tensorflows(tmp_path))
    assert got.keys() == {"layer/w", "layer/b", "global_step"}
    np.testing.assert_array_equal(got["layer/w"], [[1.5, -2.0, 0.25], [3.0, 4.0, -0.5]])
    np.testing.assert_array_equal(got["layer/b"], [7.0, 8.0])
    assert got["global_step"] == 0
    assert got["global_step"].dtype == np.int64


@pytest.mark.parametrize(("shards", "per_block"), [(1, 100), (1, 2), (3, 1)])
def test_reads_several_blocks_and_data_files(
    tmp_path: Path, write_tf: WriteTf, arrays: Arrays, shards: int, per_block: int
) -> None:
    prefix = write_tf(tmp_path / "model.ckpt", arrays, shards=shards, per_block=per_block)
    assert same(read_tf_checkpoint(prefix), arrays)


def test_reads_all_types_of_plain_numbers(tmp_path: Path, write_tf: WriteTf) -> None:
    arrays = {kind: np.arange(6).reshape(2, 3).astype(kind) for kind in ("f2", "f4", "f8", "i8")}
    assert same(read_tf_checkpoint(write_tf(tmp_path / "m", arrays)), arrays)


@pytest.mark.parametrize(
    "name", ["m", "m.index", "m.data-00000-of-00001", "m.meta"], ids=lambda name: name
)
def test_a_checkpoint_is_found_by_any_of_its_files(tmp_path: Path, name: str) -> None:
    tensorflows(tmp_path)
    assert checkpoint_prefix(tmp_path / name) == tmp_path / "m"


def test_other_files_are_no_checkpoints(tmp_path: Path) -> None:
    tensorflows(tmp_path)
    (tmp_path / "m").write_bytes(b"a file of its own beside m.index")
    assert checkpoint_prefix(tmp_path / "m") is None
    assert checkpoint_prefix(tmp_path / "other") is None
    assert checkpoint_prefix(tmp_path / "other.index") is None


def test_names_a_missing_data_file(tmp_path: Path) -> None:
    tensorflows(tmp_path)
    (tmp_path / "m.data-00000-of-00001").unlink()
    with pytest.raises(CheckpointError, match=r"m\.data-00000-of-00001 is missing; a TensorFlow"):
        read_tf_checkpoint(tmp_path / "m")


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, len(TENSORFLOWS_INDEX) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_in_the_index_is_refused_or_harmless(
    tmp_path: Path, position: int, bit: int
) -> None:
    prefix = tensorflows(tmp_path)
    whole = read_tf_checkpoint(prefix)
    damaged = bytearray(TENSORFLOWS_INDEX)
    damaged[position] ^= 1 << bit
    (tmp_path / "m.index").write_bytes(damaged)
    try:
        got = read_tf_checkpoint(prefix)
    except CheckpointError as error:
        assert "is the download complete" in str(error)  # noqa: PT017
    else:
        assert same(got, whole)


@pytest.mark.parametrize("position", range(len(TENSORFLOWS_DATA)))
def test_a_flipped_bit_in_the_data_is_refused(tmp_path: Path, position: int) -> None:
    prefix = tensorflows(tmp_path)
    damaged = bytearray(TENSORFLOWS_DATA)
    damaged[position] ^= 1
    (tmp_path / "m.data-00000-of-00001").write_bytes(damaged)
    with pytest.raises(CheckpointError, match=r"the checksum of (layer|global_step).* is wrong"):
        read_tf_checkpoint(prefix)


@pytest.mark.parametrize("suffix", ["index", "data-00000-of-00001"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, suffix: str) -> None:
    prefix = tensorflows(tmp_path)
    path = tmp_path / f"m.{suffix}"
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            read_tf_checkpoint(prefix)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_an_index_of_noise_is_refused(tmp_path: Path, content: bytes) -> None:
    prefix = tensorflows(tmp_path)
    (tmp_path / "m.index").write_bytes(content + TENSORFLOWS_INDEX[-48:])
    with pytest.raises(CheckpointError):
        read_tf_checkpoint(prefix)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.binary(max_size=60))
def test_entries_of_noise_with_right_checksums_are_refused_or_read(
    tmp_path: Path, write_tf: WriteTf, message: bytes
) -> None:
    array = np.ones(2, "f")
    prefix = write_tf(tmp_path / "m", {"a": array}, edit=lambda name, entry: message)
    try:
        got = read_tf_checkpoint(prefix)
    except CheckpointError:
        return
    assert got.keys() == {"a"}


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"\x3a\x00", "sliced tensor"),  # slices, one empty
        (b"\x08\x07", "of type 7"),  # a string
        (b"\x28\x04", r"shape \(2,\) does not fit its 4 bytes"),
        (b"\x20\x04", "lies outside the data files"),  # offset 4, size 8, of 8 bytes
        (b"\x18\x05", "lies outside the data files"),  # data file 5
        (b"\x28" + b"\xff" * 9 + b"\x01", "lies outside the data files"),  # size -1
        (b"\x35\x00\x00\x00\x00", "checksum of a is wrong"),
        (b"\x13", "unknown kind 3"),
    ],
    ids=["slices", "string", "size", "offset", "file", "negative", "checksum", "group"],
)
def test_entries_that_lie_are_refused(
    tmp_path: Path, write_tf: WriteTf, tail: bytes, message: str
) -> None:
    array = np.ones(2, "f")
    prefix = write_tf(tmp_path / "m", {"a": array}, edit=lambda name, entry: entry + tail)
    with pytest.raises(CheckpointError, match=message):
        read_tf_checkpoint(prefix)


def test_tensors_that_share_bytes_to_claim_more_than_there_are_get_refused(
    tmp_path: Path, write_tf: WriteTf
) -> None:
    arrays = {f"a{n}": np.zeros(100, "f") for n in range(4)}
    prefix = write_tf(tmp_path / "m", arrays, edit=lambda name, entry: entry + b"\x20\x00")
    path = tmp_path / "m.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:800])
    with pytest.raises(CheckpointError, match="claim more bytes than the data files have"):
        read_tf_checkpoint(prefix)


def test_a_compressed_index_is_refused(tmp_path: Path, write_tf: WriteTf, arrays: Arrays) -> None:
    prefix = write_tf(tmp_path / "m", arrays, compression=1)
    with pytest.raises(CheckpointError, match="the index is compressed"):
        read_tf_checkpoint(prefix)


@pytest.mark.parametrize("header", [b"", b"\x08\x00", b"\x08\x01\x10\x01"])
def test_a_header_without_files_or_big_endian_is_refused(
    tmp_path: Path, write_tf: WriteTf, arrays: Arrays, header: bytes
) -> None:
    prefix = write_tf(tmp_path / "m", arrays, header=header)
    with pytest.raises(CheckpointError, match="names no data files or big-endian ones"):
        read_tf_checkpoint(prefix)


def test_a_data_file_that_is_a_device_is_refused(tmp_path: Path) -> None:
    prefix = tensorflows(tmp_path)
    (tmp_path / "m.data-00000-of-00001").unlink()
    (tmp_path / "m.data-00000-of-00001").symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_tf_checkpoint(prefix)
