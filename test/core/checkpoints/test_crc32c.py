"""CRC-32C against the numbers of RFC 3720 and a bit by bit version."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actseg_core.checkpoints.crc32c import LANES, crc32c, masked_crc32c


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
