"""`actseg tables` from a folder of reports to its files."""

import json
from pathlib import Path

import pytest

from actseg_core.cli.main import main
from actseg_core.cli.tables import _letter


def metrics(folder: Path, **changes) -> None:
    """A report as `actseg evaluate` writes it, of ten samples with IoU 3/4."""
    precision = {f"{step / 20:.2f}": float(step <= 15) for step in range(10, 20)}
    masks = {"map_mean_precision": 0.6, "overall_iou": 0.75, "mean_iou": 0.75}
    provenance = {
        **{"kind": "a2d-sentences", "origin": "generated", "folder": "gen", "split": "test"},
        **{"asked": 10, "available": 10, "left_out": 0, "model": "table1_rgb"},
        **{"weights": "w.safetensors, sha256 0123", "row": "table1_rgb"},
        **{"notes": [], "problems": []},
    }
    folder.mkdir(parents=True)
    content = {
        "format": "actseg evaluation",
        "version": 1,
        "provenance": provenance | changes,
        "scores": {"masks": masks | {"precision": precision}},
    }
    (folder / "metrics.json").write_text(json.dumps(content))


def test_measured_and_printed_figures_stand_side_by_side(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    metrics(tmp_path / "in" / "rgb")
    output = tmp_path / "out"
    assert main(["tables", str(tmp_path / "in"), "--output", str(output)]) == 0
    shown = capsys.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    place = next(
        number for number, line in enumerate(lines) if line[:3] == ["This", "paper:", "RGB"]
    )
    assert lines[place][3:] == ["47.5", "34.7", "21.1", "8.0", "0.2", "19.8", "53.6", "42.1"]
    ours = ["100.0", "100.0", "100.0", "0.0", "0.0", "60.0", "75.0", "75.0"]
    assert lines[place + 1] == ["ours", "(a)", *ours]
    legend = " ".join(" ".join(line) for line in lines)
    assert (
        "(a) table1_rgb (w.safetensors, sha256 0123); not comparable: generated, layout" in legend
    )
    written = json.loads((output / "tables.json").read_text())
    assert written[0]["title"].startswith("Table 1")
    assert "generated, layout of A2D Sentences" in (output / "tables.md").read_text()


def test_without_reports_the_papers_figures_are_shown_beside_dashes(
    tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tables"]) == 0
    shown = capsys.readouterr().out
    assert "0 reports" in shown
    ours = [line.split() for line in shown.splitlines() if line.split()[:1] == ["ours"]]
    assert ours
    assert all(set(line[1:]) == {"-"} for line in ours)


def test_a_named_folder_must_exist(tmp_path, capsys) -> None:
    assert main(["tables", str(tmp_path / "nowhere")]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "letter"), [(0, "a"), (25, "z"), (26, "aa"), (53, "bb")])
def test_more_than_26_sources_get_two_letters(number, letter) -> None:
    assert _letter(number) == letter
