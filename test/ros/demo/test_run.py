"""The demo ends by itself, with what it promises, and leaves no process behind."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
import rclpy
from page_visitor import Visit, run
from rclpy.context import Context
from rclpy.node import Node

from actseg_core.live.states import State
from actseg_core.video import probe, read_video
from actseg_ros.demo.clips import SENTENCES, real_show, two_actors
from actseg_ros.demo.processes import _literal
from actseg_ros.demo.report import TABLE_WIDTH, Row, files, table, wide_enough

Start = Callable[..., Any]
Eventually = Callable[..., None]
# The demo ends within a minute, whether or not the computer has kept up; here it has to.
DEMO = """
import typer
from actseg_ros.demo import page, processes, run
run.TOTAL_S, run.SWITCH_S, run.MODEL_TIMEOUT_S = 800.0, 60.0, 240.0
processes.STOP_TIMEOUT_S, processes.FIRST_ANSWER_S = 60.0, 240.0
page.ADDRESS_TIMEOUT_S = page.ANSWER_TIMEOUT_S = 240.0
typer.run(run.demo)
"""


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
    assert row.cells() == ["the dog", "FOUND 2/3", "0.50", "20 / 29", "2.0"]


def test_a_row_without_an_answer_says_so() -> None:
    assert Row("video", "the dog").cells()[1] == "no answer"


@pytest.mark.parametrize("columns", ["20", "80", "200"])
def test_no_terminal_cuts_the_table(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    sentence = "the woman in a [white] shirt who is waving to the man on the left"
    row = Row("video", sentence)
    for index in range(2):
        row.add(answer(State.NOT_FOUND, 10**9, 0.25), 10**9 + (index + 1) * 1_000_000_000)
    row.times_s = [0.0, 0.08]
    console = wide_enough()
    with console.capture() as capture:
        console.print(table([row, Row("other", "the dog")]))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= max(int(columns), TABLE_WIDTH)
    (line,) = [line for line in lines if "NOT_FOUND" in line]
    assert line.split()[-6:] == ["2/2", "0.25", "1500", "/", "1950", "12.5"]
    assert "no answer" in capture.get()
    assert set(sentence.split()) <= set(capture.get().split())


def test_the_files_of_this_demo_are_told_and_not_those_of_one_before(tmp_path: Path) -> None:
    for name in ("video.mp4", "video_00001.png", "video_00002.png", "video_00003.png"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "video_00003.png", ns=(5, 5))
    assert files(tmp_path, ["video", "other"], since_ns=6) == [
        str(tmp_path / "video.mp4"),
        f"{tmp_path / 'video_00001.png'} to video_00002.png",
    ]


def test_the_real_clip_goes_forwards_and_backwards_without_a_jump(tmp_path: Path) -> None:
    show = real_show(tmp_path, SENTENCES, 1.0)
    info = probe(show.source)
    # Every second of 100 frames of 1088x1920 at 60 Hz; of 363 columns the video's is even.
    assert (info.frames, info.width, info.height, info.fps) == (98, 364, 640, 30.0)
    images = np.stack([frame.image for frame in read_video(show.source)]).astype(int)
    steps = np.abs(np.diff(np.concatenate([images, images[:1]]), axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 10.0, "a cut changes a picture by some 50 grey values"


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
        *("-c", DEMO, "--checkpoint", str(checkpoint), "--out", str(out)),
        *("--seconds", "1.5", "--sentence", "the car", "--sentence", "blorptwizzle"),
    )
    assert demo.wait() == 0, demo.text + (out / "nodes.log").read_text()
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(checkpoint) in " ".join(process.info["cmdline"] or [])
    ]
    assert "FOUND" in demo.text
    assert "NOT_FOUND" in demo.text
    assert "on a page in your browser: make demo WEB=1" in demo.lines[-1]
    for name in ("people", "generated"):
        assert f"{out / name}.mp4" in demo.text
        assert probe(out / f"{name}.mp4").frames > 0
        assert cv2.imread(str(out / f"{name}_00001.png")) is not None


def test_with_web_the_page_about_the_same_clip_stays_until_ctrl_c(
    start: Start, eventually: Eventually, checkpoint: Path, tmp_path: Path, video: Path
) -> None:
    out = tmp_path / "out"
    demo = start(
        *("-c", DEMO, "--checkpoint", str(checkpoint), "--out", str(out)),
        *("--seconds", "1", "--no-generated", "--web", "--web-port", "0", "--video", str(video)),
        *("--sentence", "the car", "--sentence", "the dog"),
    )
    eventually(lambda: "The page: " in demo.text or demo.popen.poll() is not None, demo.text)
    address = re.search(r"The page: (http://\S+)", demo.text)
    assert address, demo.text + (out / "nodes.log").read_text()
    assert f"{out / 'video'}.mp4" in demo.text  # the table comes before

    async def look() -> None:
        async with Visit(address[1]) as browser:
            await browser.until(
                lambda: browser.pictures and len(browser.pictures[-1]["answers"]) == 2
            )
            await browser.until(
                lambda: (
                    [item["text"] for item in browser.statuses[-1]["sentences"]]
                    == ["the car", "the dog"]
                )
            )

    run(look)
    assert demo.stop(signal.SIGINT) == 0
    assert "Traceback" not in demo.text


def test_ctrl_c_ends_it_with_what_came_until_then(
    start: Start, eventually: Eventually, checkpoint: Path, tmp_path: Path, video: Path
) -> None:
    out = tmp_path / "out"
    demo = start(
        *("-c", DEMO, "--checkpoint", str(checkpoint), "--out", str(out)),
        *("--seconds", "300", "--sentence", "the car", "--video", str(video)),
    )
    eventually((out / "video_00002.png").exists)
    assert demo.stop(signal.SIGINT) == 130
    assert "the car" in demo.text.partition("answers")[2]  # in the table, not as the headline
    assert f"{out / 'video'}.mp4" in demo.text
    assert probe(out / "video.mp4").frames > 1, "two pictures of it are there"
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(checkpoint) in " ".join(process.info["cmdline"] or [])
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--video", "/no/such/clip.mp4"), "there is no video file /no/such/clip.mp4"),
        (("--video", "s3://bucket/clip.mp4"), "is not a file on this machine; download it first"),
        (("--checkpoint", "/no/such.safetensors"), "the checkpoint /no/such.safetensors does not"),
    ],
)
def test_what_cannot_work_ends_with_one_line(
    start: Start, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    demo = start("-m", "actseg_ros.demo.run", "--out", str(tmp_path / "out"), *arguments)
    assert demo.wait() == 2
    assert reason in demo.text
    assert len(demo.lines) == 1
