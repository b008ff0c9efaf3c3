"""The matrix product."""

import pytest

from actseg_core.bench.hardware import matrix_rate, measure, measure_in_turn, product_gflop, spread


def test_a_spread_is_made_of_percentiles_and_the_mean_cpu_time() -> None:
    found = spread([value / 1e3 for value in range(1, 101)], cpu_s=2.0)
    assert (found.calls, found.cpu_ms) == (100, pytest.approx(20.0))
    assert found.median_ms == pytest.approx(50.5)
    assert found.low_ms == pytest.approx(5.95) and found.p95_ms == pytest.approx(95.05)


def test_functions_to_compare_are_called_in_turn() -> None:
    calls: list[str] = []
    first, second = measure_in_turn(
        [lambda: calls.append("a"), lambda: calls.append("b")], calls=3, warm_up=1
    )
    assert "".join(calls) == "ab" + "ababab"
    assert first.calls == second.calls == 3
    assert measure(lambda: None, calls=2).median_ms >= 0


def test_a_matrix_product_counts_two_operations_per_entry_and_step() -> None:
    assert product_gflop(100) == pytest.approx(0.002)
    rate = matrix_rate(threads=1, calls=3, side=64)
    assert 0 < rate.low_gflops <= rate.gflops <= rate.high_gflops
