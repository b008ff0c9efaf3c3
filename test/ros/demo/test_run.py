"""The demo ends by itself, with what it promises, and leaves no process behind."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import psutil
import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node

from actseg_core.live.states import State
from actseg_core.video import probe
from actseg_ros.demo.run import Row, _literal, default_video, two_actors

Start = Callable[..., Any]


def answer(state: State, stamp_ns: int, confidence: float) -> Any:
    stamp = SimpleNamespace(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return SimpleNamespace(
        state=SimpleNamespace(value=int(state)),
        header=SimpleNamespace(stamp=stamp),
        confidence=confidence,
    )


def test_a_row_counts_states_confidence_and_latency() -> None:
    row = Row("video", "the dog")
    for index, confidence in enumerate((0.2, 0.4, 0.9)):
        state = State.NOT_FOUND if index == 0 else State.FOUND
        row.add(answer(state, 10**9, confidence), 10**9 + (index + 1) * 10_000_000)
    row.times_s = [1.0, 1.5, 2.0]
    assert row.cells() == ["video", "the dog", "FOUND 2/3", "0.50", "3", "20 / 29", "2.0"]


def test_a_row_without_an_answer_says_so() -> None:
    assert Row("video", "the dog").cells()[2] == "no answer"


def test_the_default_video_is_readable() -> None:
    info = probe(default_video())
    assert (info.frames, info.width, info.height) == (250, 640, 272)


def test_the_generated_clip_has_two_actors_to_ask_about() -> None:
    clip = two_actors()
    first, second = (actor.sentences[0] for actor in clip.actors)
    assert first != second


@pytest.mark.parametrize(
    "value",
    [
        *("it's.mp4", 'a "clip".mp4', "a: b # [1].mp4", "back\\slash.mp4", "new\nline.mp4"),
        *("123", "true", "~", " lead", "дом 😀.mp4", "x:=y.mp4", True, 640, 1.5),
    ],
)
def test_a_node_is_given_any_file_name_as_it_is(value: Any) -> None:
    context = Context()
    given = ["demo", "--ros-args", "-p", f"source:={_literal(value)}"]
    rclpy.init(args=given, context=context)
    node = Node("camera", context=context, automatically_declare_parameters_from_overrides=True)
    try:
        assert node.get_parameter("source").value == value
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_it_answers_writes_and_ends(start: Start, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    demo = start(
        *("-m", "actseg_ros.demo.run", "--checkpoint", str(checkpoint), "--out", str(out)),
        *("--seconds", "1.5", "--sentence", "the car", "--sentence", "blorptwizzle"),
    )
    assert demo.wait(90.0) == 0, demo.text + (out / "nodes.log").read_text()
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(checkpoint) in " ".join(process.info["cmdline"] or [])
    ]
    assert "FOUND" in demo.text
    assert "NOT_FOUND" in demo.text
    for name in ("video", "generated"):
        assert probe(out / f"{name}.mp4").frames > 3
        assert cv2.imread(str(out / f"{name}_00001.png")) is not None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--video", "/no/such/clip.mp4"), "there is no video file /no/such/clip.mp4"),
        (("--checkpoint", "/no/such.safetensors"), "the checkpoint /no/such.safetensors does not"),
    ],
)
def test_what_cannot_work_ends_with_one_line(
    start: Start, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    demo = start("-m", "actseg_ros.demo.run", "--out", str(tmp_path / "out"), *arguments)
    assert demo.wait(90.0) == 2
    assert reason in demo.text
    assert len(demo.lines) == 1
