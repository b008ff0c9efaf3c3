from pathlib import Path

from actseg_core.training.logs import make_loggers, read_rows


def test_rows_after_the_step_that_is_resumed_are_taken_back(tmp_path: Path) -> None:
    table, *_ = make_loggers(tmp_path, 0)
    for step in (2, 4, 6):
        table.log_metrics({"loss": step / 10}, step=step)
    table.log_metrics({"val_loss": 0.9}, step=4)
    table.save()
    table, *_ = make_loggers(tmp_path, 4)
    assert [row["step"] for row in read_rows(tmp_path / "metrics.csv")] == [2, 4, 4]
    table.log_metrics({"loss": 0.7}, step=6)
    table.save()
    rows = read_rows(tmp_path / "metrics.csv")
    assert rows[-1] == {"step": 6, "loss": 0.7}
    assert {"step": 4, "val_loss": 0.9} in rows and len(rows) == 4
    assert not (tmp_path / "metrics.before.csv").exists()


def test_rows_survive_a_kill_while_the_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "metrics.before.csv").write_text("loss,step\n0.5,1\n0.4,2\n")
    (tmp_path / "metrics.csv").write_text("loss,st")
    make_loggers(tmp_path, 2)
    assert [row["loss"] for row in read_rows(tmp_path / "metrics.csv")] == [0.5, 0.4]


def test_a_row_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("loss,rate,step\n0.5,0.1,1\n0.4,0.1,1")  # of step 10
    assert read_rows(path) == [{"loss": 0.5, "rate": 0.1, "step": 1}]
    assert read_rows(tmp_path / "missing.csv") == []


def test_cells_without_a_value_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("loss,val_loss,step\n0.5,,1\n,0.4,2\n")
    assert read_rows(tmp_path / "metrics.csv") == [
        {"loss": 0.5, "step": 1},
        {"val_loss": 0.4, "step": 2},
    ]
