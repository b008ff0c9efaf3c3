"""Tensors of a TensorFlow checkpoint (format V2) without TensorFlow, and CRC-32C.

`PREFIX.index` is a LevelDB table from names to protocol buffers (TensorFlow's
tensor_bundle.proto) that say where in `PREFIX.data-SSSSS-of-NNNNN` a tensor lies. Everything that
is read has a CRC-32C, and everything is checked. TensorFlow never compresses these tables.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import CheckpointError

Registers = NDArray[np.uint32]

POLYNOMIAL = 0x82F63B78
ALL_ONES = 0xFFFFFFFF
LANES = 1024  # parts, a power of two
MASK_DELTA = 0xA282EAD8
FILE_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
INDEX_LIMIT_BYTES = 64_000_000
TABLE_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER_BYTES = 48
TRAILER_BYTES = 5  # of a block: compression type and checksum
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # numbers of types.proto


def _make_table() -> Registers:
    """What one byte does to an empty register."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


_TABLE = _make_table()
_INTEGERS = _TABLE.tolist()


def crc32c(data: bytes) -> int:
    """Checksum of the bytes, 0 to 2**32 - 1."""
    head, body = data[: len(data) % LANES], data[len(data) % LANES :]
    register = ALL_ONES
    for byte in head:
        register = _INTEGERS[(register ^ byte) & 0xFF] ^ (register >> 8)
    if body:
        parts = np.frombuffer(body, np.uint8).reshape(LANES, -1)
        registers = np.zeros(LANES, np.uint32)
        registers[0] = register
        register = _join(_advance(registers, parts), parts.shape[1])
    return register ^ ALL_ONES


def masked_crc32c(data: bytes) -> int:
    """The checksum as LevelDB tables and TensorFlow store it: rotated, plus a constant."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + MASK_DELTA) & ALL_ONES


def _advance(registers: Registers, parts: NDArray[np.uint8]) -> Registers:
    """Feed every register with the bytes of its row of `parts`, (registers, bytes)."""
    for column in np.ascontiguousarray(parts.T):
        registers = _TABLE[(registers ^ column) & 0xFF] ^ (registers >> 8)
    return registers


def _join(registers: Registers, length: int) -> int:
    """The register after all parts of `length` bytes, from those after each part alone.

    A register after two parts is the first one's, advanced by the second's length in zeros, XOR
    the second one's; advancing by zeros is linear, so 32 unit vectors describe it.
    """
    zeros = np.zeros((32, length), np.uint8)
    units = _advance(np.uint32(1) << np.arange(32, dtype=np.uint32), zeros)
    while len(registers) > 1:
        registers = _apply(units, registers[0::2]) ^ registers[1::2]
        units = _apply(units, units)
    return int(registers[0])


def _apply(units: Registers, vectors: Registers) -> Registers:
    """The linear map with the given images of unit vectors."""
    bits = (vectors[:, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)
    result: Registers = np.bitwise_xor.reduce(bits * units, axis=1)
    return result


class TensorEntry(NamedTuple):
    """Where one tensor lies and what it is."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    sliced: bool


def checkpoint_prefix(path: Path) -> Path | None:
    """The prefix of the TensorFlow checkpoint that `path` names or is a part of, if it is one."""
    prefix = path.with_name(FILE_SUFFIX.sub("", path.name))
    is_part = prefix != path or not path.exists()
    return prefix if is_part and _index_path(prefix).exists() else None


def read_tf_checkpoint(prefix: Path) -> dict[str, NDArray[np.generic]]:
    """All tensors of a checkpoint by name, in TensorFlow's axis order.

    Args:
        prefix: Path without .index or .data-00000-of-00001.

    Raises:
        CheckpointError: If a file is missing, damaged, compressed or too large, or a tensor is
            of a type that no weights have.
    """
    index = _index_path(prefix)
    try:
        shards, entries = _read_index(index)
        paths = [Path(f"{prefix}.data-{n:05d}-of-{shards:05d}") for n in range(shards)]
        _check_extent(paths, entries)
        return {
            name: _read_tensor(paths[item.shard], name, item) for name, item in entries.items()
        }
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{error.filename} is missing; a TensorFlow checkpoint is {index.name} and "
            f"{prefix.name}.data-* together"
        ) from error
    except (OSError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"{prefix} is not a readable TensorFlow checkpoint ({error}); is the download "
            "complete?"
        ) from error


def _index_path(prefix: Path) -> Path:
    return prefix.with_name(prefix.name + ".index")


def _read_index(path: Path) -> tuple[int, dict[str, TensorEntry]]:
    """Number of data files and the entries of all tensors."""
    size = path.stat().st_size
    if not path.is_file() or size > INDEX_LIMIT_BYTES:
        raise ValueError(f"{path.name} is no file of at most {INDEX_LIMIT_BYTES} bytes")
    records = dict(_table(path.read_bytes()))
    header = dict(_fields(records.pop(b"", b"")))
    shards = header.get(1, 0)
    if not isinstance(shards, int) or not 0 < shards < 100_000 or header.get(2, 0) != 0:
        raise ValueError("its header names no data files or big-endian ones")
    return shards, {name.decode(): _entry(value) for name, value in records.items()}


def _check_extent(paths: list[Path], entries: dict[str, TensorEntry]) -> None:
    """Refuse entries outside their file, or that together claim more than there is."""
    sizes = [path.stat().st_size for path in paths]
    if not all(path.is_file() for path in paths):
        raise ValueError("a data file is not a regular file")
    claimed = 0
    for name, entry in entries.items():
        if entry.shard >= len(paths) or entry.offset + entry.size > sizes[entry.shard]:
            raise ValueError(f"{name} lies outside the data files, which are truncated")
        claimed += entry.size
    if claimed > sum(sizes):
        raise ValueError("its tensors claim more bytes than the data files have")


def _read_tensor(path: Path, name: str, entry: TensorEntry) -> NDArray[np.generic]:
    if entry.dtype not in DTYPES or entry.sliced:
        raise ValueError(f"{name} is a sliced tensor or of type {entry.dtype}, no plain numbers")
    dtype = np.dtype(DTYPES[entry.dtype])
    count = 1
    for side in entry.shape:
        count *= side
    if count * dtype.itemsize != entry.size:
        raise ValueError(f"{name} of shape {entry.shape} does not fit its {entry.size} bytes")
    with path.open("rb") as file:
        file.seek(entry.offset)
        data = file.read(entry.size)
    if masked_crc32c(data) != entry.crc:
        raise ValueError(f"the checksum of {name} is wrong")
    return np.frombuffer(data, dtype).reshape(entry.shape)


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a LevelDB table in their order."""
    if len(data) < FOOTER_BYTES or not data.endswith(TABLE_MAGIC):
        raise ValueError("the index does not end as a LevelDB table does")
    footer = _Cursor(data[-FOOTER_BYTES:])
    _handle(footer)  # of the meta index, which TensorFlow leaves empty
    for _, value in _block(data, _handle(footer)):
        yield from _block(data, _handle(_Cursor(value)))


def _handle(cursor: "_Cursor") -> tuple[int, int]:
    """Offset and size of a block."""
    return cursor.varint(), cursor.varint()


def _block(data: bytes, handle: tuple[int, int]) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block; a key shares its first bytes with the one before."""
    offset, size = handle
    content = data[offset : offset + size + TRAILER_BYTES]
    if len(content) != size + TRAILER_BYTES:
        raise ValueError("a block lies outside the index")
    if masked_crc32c(content[:-4]) != int.from_bytes(content[-4:], "little"):
        raise ValueError("the checksum of an index block is wrong")
    if content[size] != 0:
        raise ValueError("the index is compressed; save it again with a TensorFlow release")
    restarts = int.from_bytes(content[size - 4 : size], "little")
    cursor = _Cursor(content[: max(size - 4 * (restarts + 1), 0)])
    key = b""
    while not cursor.at_end:
        shared, fresh, length = cursor.varint(), cursor.varint(), cursor.varint()
        key = key[:shared] + cursor.take(fresh)
        yield key, cursor.take(length)


def _entry(message: bytes) -> TensorEntry:
    """A BundleEntryProto."""
    numbers: dict[int, int] = {}
    shape: tuple[int, ...] = ()
    sliced = False
    for number, value in _fields(message):
        if isinstance(value, int):
            numbers[number] = value
        elif number == 2:
            shape = tuple(_sides(value))
        sliced = sliced or number == 7
    dtype, shard, offset, size, crc = (numbers.get(number, 0) for number in (1, 3, 4, 5, 6))
    return TensorEntry(dtype, shape, shard, offset, size, crc, sliced)


def _sides(message: bytes) -> Iterator[int]:
    """Sides of a TensorShapeProto."""
    for number, value in _fields(message):
        if number == 2 and isinstance(value, bytes):
            side = dict(_fields(value)).get(1, 0)
            if isinstance(side, int):
                yield side


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a protocol buffer's fields; fixed ones as unsigned integers."""
    cursor = _Cursor(message)
    while not cursor.at_end:
        number, kind = divmod(cursor.varint(), 8)
        if kind == 0:
            yield number, cursor.varint()
        elif kind == 2:
            yield number, cursor.take(cursor.varint())
        elif kind in (1, 5):
            yield number, int.from_bytes(cursor.take(8 if kind == 1 else 4), "little")
        else:
            raise ValueError(f"the index has a field of unknown kind {kind}")


class _Cursor:
    """Reads bytes in order and refuses to read past their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.data)

    def take(self, count: int) -> bytes:
        part = self.data[self.position : self.position + count]
        if len(part) != count:
            raise ValueError("the index ends in the middle of a record")
        self.position += count
        return part

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("the index holds a number of more than 10 bytes")
