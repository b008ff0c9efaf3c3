"""From py-spy's stacks to bars."""

from pathlib import Path

from profile_node import picture, stacks, tree

RAW = """\
process 7:"python";thread (8): "actseg_worker";_bootstrap (threading.py:9);CameraTask.turn (a.py:1);see (o.py:2) 3
process 7:"python";thread (8): "actseg_worker";_bootstrap (threading.py:9);CameraTask.turn (a.py:5);look (o.py:3) 1
thread (9): MainThread;main (m.py:1) 4
"""  # noqa: E501


def test_callers_that_say_nothing_and_line_numbers_are_left_out() -> None:
    worker, _, main = stacks(RAW)
    assert worker == (["actseg_worker", "CameraTask.turn (a.py)", "see (o.py)"], 3)
    assert main == (["MainThread", "main (m.py)"], 4)


def test_looks_add_up_along_the_stack() -> None:
    root = tree(RAW)
    turn = root.parts["actseg_worker"].parts["CameraTask.turn (a.py)"]
    assert (root.looks, turn.looks) == (8, 4)
    assert {name: part.looks for name, part in turn.parts.items()} == {
        "see (o.py)": 3,
        "look (o.py)": 1,
    }


def test_a_picture_is_written(tmp_path: Path) -> None:
    picture(RAW, tmp_path / "profile.png")
    assert (tmp_path / "profile.png").stat().st_size > 2000
