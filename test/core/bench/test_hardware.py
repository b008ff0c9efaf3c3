"""The matrix product."""

import pytest

from actseg_core.bench.hardware import matrix_rate, product_gflop


def test_a_matrix_product_counts_two_operations_per_entry_and_step() -> None:
    assert product_gflop(100) == pytest.approx(0.002)
    rate = matrix_rate(threads=1, calls=3, side=64)
    assert 0 < rate.low_gflops <= rate.gflops <= rate.high_gflops
