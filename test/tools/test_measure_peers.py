"""The comparison with others, without them."""

from pathlib import Path

import pytest
from measure_peers import measure, table

from actseg_core.bench.tables import fill_page


class Peer:
    def __init__(self, name: str, seconds: list[float]) -> None:
        self.name, self._seconds = name, iter(seconds)

    def __call__(self) -> float:
        return next(self._seconds)


def test_ratios_are_taken_pair_by_pair_and_their_median_is_told() -> None:
    ours, other = Peer("ours", [0.1, 0.2, 0.1]), Peer("other", [1.0, 4.0, 1.2])
    rows = measure([ours, other], rounds=3)
    assert [row["times"] for row in rows] == pytest.approx([1.0, 12.0])  # of 10, 20 and 12
    assert rows[1]["low_s"] == 1.0 and rows[1]["median_s"] == 1.2 and rows[1]["high_s"] == 4.0
    assert "| other | 1.200 (1.000 to 4.000) | 0.83 | 12.0 times as fast |" in table(rows, "here")


def test_the_page_has_a_place_for_the_table(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "performance.md"
    copy = tmp_path / "performance.md"
    copy.write_text(page.read_text())
    fill_page(copy, {"peers": "new\n"})
    assert "<!-- bench peers -->\nnew\n<!-- end -->" in copy.read_text()
