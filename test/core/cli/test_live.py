"""`actseg live`: a source in, a page out, without ROS."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from numbered_videos import numbered

from actseg_core.cli import live as verb
from actseg_core.cli.main import main
from actseg_core.errors import VideoError

__all__ = ["numbered"]
PATIENCE_S = 120.0


async def watch(url: str, text: str) -> dict[str, Any]:
    """Type a sentence on the page; the first picture with its answer, told as its facts."""
    async with aiohttp.ClientSession() as session:
        origin = url.partition("#")[0].rstrip("/")
        async with session.ws_connect(f"{origin}/live", origin=origin) as socket:
            is_asked = False
            async with asyncio.timeout(PATIENCE_S):
                async for item in socket:
                    if item.type is aiohttp.WSMsgType.BINARY:
                        length = int.from_bytes(item.data[:4], "big")
                        facts = json.loads(item.data[4 : 4 + length])
                        await socket.send_json({"do": "got", "number": facts["number"]})
                        if facts["answers"]:
                            return dict(facts)
                        if not is_asked:
                            is_asked = True
                            await socket.send_json({"do": "ask", "text": text, "call": 1})
    raise AssertionError("the page hung up")


def wait_for(pattern: str, read: Any) -> str:
    end_s = time.monotonic() + PATIENCE_S
    while not (found := re.search(pattern, read())):
        assert time.monotonic() < end_s, read()
        time.sleep(0.05)
    return found[1]


def test_a_folder_of_images_is_played_and_answered(
    small_predictor, tmp_path, monkeypatch, capsys, numbered
) -> None:
    """The end of the file ends it; until then the page answers what is typed there."""
    monkeypatch.setattr(verb.Predictor, "load", lambda *_: small_predictor)
    is_answered = threading.Event()
    played = verb.played

    def until_answered(source: Any, rate_hz: float, loop: bool) -> Any:
        """A file that is long enough on any computer."""
        while not is_answered.is_set():
            yield from played(source, rate_hz, loop)

    monkeypatch.setattr(verb, "played", until_answered)
    video = numbered.write(tmp_path / "clip.mp4", 30)
    codes: list[int] = []
    options = ("--port", "0", "--rate", "30", "--no-loop")
    running = threading.Thread(target=lambda: codes.append(main(["live", str(video), *options])))
    running.start()
    told = ""

    def read() -> str:
        nonlocal told
        told += capsys.readouterr().out
        return told

    url = wait_for(r"The page: (http://127.0.0.1:\d+/)", read)
    facts = asyncio.run(watch(url, "person in red"))
    is_answered.set()
    assert [answer["id"] for answer in facts["answers"]] == ["q1"]
    running.join(PATIENCE_S)
    assert codes == [0]
    assert "page: q1 is active: 'person in red'" in read()
    assert "clip.mp4, about" in told
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("actseg_")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("missing.mp4",), "there is no video file missing.mp4"),
        (("77",), "cannot open webcam 77"),
        ((__file__, "--token", "short"), "8 ASCII characters"),
        ((".", "--port", "70000"), "port: Input should be less than or equal to 65535"),
    ],
)
def test_what_cannot_be_played_or_served_is_told_in_one_line(arguments, told, capsys) -> None:
    assert main(["live", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error


def test_a_port_that_is_taken_is_told_before_the_model_is_loaded(
    tmp_path, capsys, numbered, monkeypatch
) -> None:
    import socket

    def never(*_: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(verb.Predictor, "load", never)
    video = numbered.write(tmp_path / "clip.mp4", 5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["live", str(video), "--port", str(port)]) == 2
    assert "choose another port" in capsys.readouterr().err


class FlakyCamera:
    """A live source: three frames, then it is unplugged."""

    is_live = True
    name, fps = "webcam 9", 30.0

    def __init__(self, frames: list[Any]) -> None:
        self._frames = frames

    def __iter__(self) -> Any:
        yield from self._frames
        raise VideoError("webcam 9 stopped sending after 3 frames; is it unplugged?")

    def close(self) -> None:
        pass


def test_a_camera_that_is_unplugged_is_tried_again_until_it_is_back(
    monkeypatch, numbered, tmp_path
) -> None:
    from actseg_core.video import read_video

    frames = list(read_video(numbered.write(tmp_path / "clip.mp4", 3)))
    tries: list[str] = []

    def reopen(source: str) -> FlakyCamera:
        tries.append(source)
        if len(tries) < 3:
            raise VideoError("cannot open webcam 9; is it plugged in?")
        return FlakyCamera(frames)

    class Inbox:
        def __init__(self) -> None:
            self.images: list[Any] = []
            self.problems: list[str] = []

        def offer(self, message: Any) -> None:
            self.images.append(message)

    monkeypatch.setattr(verb, "open_source", reopen)
    monkeypatch.setattr(verb, "TRY_AGAIN_S", 0.02)
    inbox = Inbox()
    camera = verb.Camera("9", FlakyCamera(frames), verb.Clock(), 0.0, True)
    camera.start(inbox)  # type: ignore[arg-type]
    end_s = time.monotonic() + PATIENCE_S
    while len(inbox.images) < 6 and time.monotonic() < end_s:
        if camera.problem:
            inbox.problems.append(camera.problem)
        time.sleep(0.001)
    camera.stop()
    assert len(inbox.images) >= 6 and tries[:3] == ["9", "9", "9"]
    assert any("it is tried again every" in problem for problem in inbox.problems)
    stamps = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in inbox.images]
    assert stamps == sorted(stamps) and len(set(stamps)) == len(stamps)


@pytest.mark.slow
def test_ctrl_c_ends_the_process_with_the_shipped_model(tmp_path, numbered) -> None:
    video = numbered.write(tmp_path / "clip.mp4", 60)
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "actseg_core.cli.main", "live", str(video), "--port", "0"],
            stdout=out,
            stderr=out,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        try:
            url = wait_for(r"The page: (\S+)", log.read_text)
            wait_for(r"(model lite)", log.read_text)
            assert asyncio.run(watch(url, "the person on the left"))["answers"]
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
    assert "Traceback" not in log.read_text()
