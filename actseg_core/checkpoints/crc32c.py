"""CRC-32C, the checksum of TensorFlow checkpoints (RFC 3720, reflected polynomial 0x82F63B78).

NumPy runs it over many parts of the data at once and joins them: 50 MB take a second or two where
a byte-wise loop takes half a minute. A checkpoint is converted once, which would not justify a
dependency.
"""

import numpy as np
from numpy.typing import NDArray

Registers = NDArray[np.uint32]

POLYNOMIAL = 0x82F63B78
ALL_ONES = 0xFFFFFFFF
LANES = 1024  # parts, a power of two
MASK_DELTA = 0xA282EAD8


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
