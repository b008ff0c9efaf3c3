"""`actseg bench` from end to end."""

from pathlib import Path

import pytest

from actseg_core.bench.report import Report
from actseg_core.bench.soak import LOOK, MOTION, PARTS, RESIZE, SEE
from actseg_core.bench.tables import markdown
from actseg_core.cli.main import main


def test_bench_reads_a_report_and_writes_its_files(
    report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "before.json"
    source.write_text(report.model_dump_json())
    assert main(["bench", "--read", str(source), "--output", str(tmp_path / "out")]) == 0
    assert Report.model_validate_json((tmp_path / "out/bench.json").read_text()) == report
    assert (tmp_path / "out/bench.png").stat().st_size > 5000
    assert (tmp_path / "out/bench.md").read_text() == markdown(report)
    assert "written" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{}", "not json", '{"taken": 3}'])
def test_what_is_no_report_is_refused(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "bench.json"
    source.write_text(content)
    assert main(["bench", "--read", str(source)]) == 2
    assert "is no bench.json of this version" in capsys.readouterr().err


def test_a_network_that_cannot_stream_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--model", "nothing.safetensors", "--output", str(tmp_path)]) == 2
    assert "nothing.safetensors" in capsys.readouterr().err


@pytest.mark.slow
def test_a_small_run_measures_every_part(tmp_path: Path) -> None:
    arguments = ["--quick", "--soak", "300"]
    assert main(["bench", *arguments, "--output", str(tmp_path)]) == 0
    found = Report.model_validate_json((tmp_path / "bench.json").read_text())
    assert {(item.sentences, item.way) for item in found.streams} == {
        *((1, "in turn"), (4, "in turn"), (1, "overlapped"), (4, "overlapped")),
    }
    for item in found.streams:
        assert 0 < item.low_hz <= item.high_hz and item.latency.calls == 40
    assert found.naive is not None and found.new_sentence is not None
    stages = {item.name for item in found.stages}
    assert stages >= {RESIZE, SEE, LOOK, MOTION, *PARTS, "masks of 4"}
    assert found.paper_window is not None and found.paper_window.gflop > 50
    assert found.paper_stream is not None and found.paper_stream.camera_hz == 30
    assert found.soak is not None and found.soak.frames == 300
