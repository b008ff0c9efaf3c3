"""The count of files on a way, on functions whose calls can be counted by hand."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from trace_files import FileTrace, changes, traced_ways

from actseg_core.predictor import Predictor

FILES = {
    "first": "def begin(second, third):\n    second()\n    second()\n    third()\n",
    "second": "def run(third):\n    return third()\n",
    "third": "def inner():\n    pass\n\ndef run():\n    inner()\n",
}


@pytest.fixture
def made(tmp_path: Path) -> SimpleNamespace:
    """Three files: the first calls the second twice, which calls the third, then the third."""
    spaces: dict[str, dict[str, object]] = {}
    for name, text in FILES.items():
        path = tmp_path / f"{name}.py"
        spaces[name] = {}
        exec(compile(text, str(path), "exec"), spaces[name])
    trace = FileTrace([f"{tmp_path}/"])

    def through_second() -> None:
        spaces["second"]["run"](spaces["third"]["run"])  # type: ignore[operator]

    def begin() -> None:
        spaces["first"]["begin"](through_second, spaces["third"]["run"])  # type: ignore[operator]

    return SimpleNamespace(trace=trace, begin=begin)


def names(visits: list[str]) -> list[str]:
    return [Path(visit).stem for visit in visits]


def test_calls_and_returns_are_counted_and_files_of_others_are_not(made: SimpleNamespace) -> None:
    made.trace.install()
    try:
        made.trace.record()
        made.begin()
    finally:
        made.trace.remove()
    visits = made.trace.end()
    there_and_back = ["second", "third", "second", "first"]
    assert names(visits) == ["first", *there_and_back, *there_and_back, "third", "first"]
    assert changes(visits) == 10


def test_threads_that_start_later_are_followed(made: SimpleNamespace) -> None:
    made.trace.install()
    try:
        made.trace.record()
        thread = threading.Thread(target=made.begin)
        thread.start()
        thread.join()
    finally:
        made.trace.remove()
    assert changes(made.trace.end()) == 10


def test_nothing_is_noted_after_the_end(made: SimpleNamespace) -> None:
    made.trace.install()
    try:
        made.trace.record()
        made.trace.end()
        made.begin()
    finally:
        made.trace.remove()
    assert made.trace.visits == []


def test_a_frame_and_a_sentence_of_the_default_model_are_followed_to_their_ends() -> None:
    frame, sentence = traced_ways(Predictor.load("lite"))
    assert Path(frame[0]).name == Path(frame[-1]).name == "camera_task.py"
    assert {"engine.py", "tracks.py", "answers.py", "messages.py"} <= {
        Path(visit).name for visit in frame
    }
    assert Path(sentence[0]).name == "queries.py"
    assert "sentence.py" in {Path(visit).name for visit in sentence}
    assert "engine.py" in {Path(visit).name for visit in sentence[-2:]}
