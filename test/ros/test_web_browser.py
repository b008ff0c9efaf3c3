"""The node's page in a real browser: node, camera and browser as processes, and what is told."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from real_browser import chrome, open_page

__all__ = ["chrome", "open_page"]
Start = Callable[..., Any]
RED_BESIDE = "() => { const [r, , b] = document.getElementById('picture').getContext('2d')"
RED_BESIDE += ".getImageData(60, 44, 1, 1).data; return r - b; }"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.slow
def test_a_killed_node_and_a_stopped_camera_are_told_and_their_return_too(
    start: Start, checkpoint: Path, video: Path, open_page: Any
) -> None:
    port = free_port()

    def node() -> Any:
        return start(
            *("-m", "actseg_ros.segmentation_node", "--ros-args", "-r", "~/image:=/cam/image_raw"),
            *("-p", f"checkpoint:={checkpoint}", "-p", "frozen_frames:=0"),
            *(
                "-p",
                "web.enabled:=true",
                "-p",
                f"web.port:={port}",
                "-p",
                "stream.max_age_s:=60.0",
            ),
        )

    def camera() -> Any:
        return start(
            *("-m", "actseg_ros.players.video_camera", "--ros-args"),
            *("-p", f"source:={video}", "-r", "~/image_raw:=/cam/image_raw"),
        )

    def until(condition: Callable[[], Any], process: Any) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, process.text
            time.sleep(0.05)

    first, playing = node(), camera()
    until(lambda: "the page: " in first.text, first)
    window = open_page(f"http://127.0.0.1:{port}/")
    window.wait_for_selector("#link >> text=live")
    window.wait_for_function("() => state.frame")
    window.uncheck("#show-names")
    grey = window.evaluate(RED_BESIDE)
    window.fill("#sentence", "the dog")
    window.press("#sentence", "Enter")
    window.wait_for_selector(".card .badge >> text=Found")
    window.wait_for_function(f"() => ({RED_BESIDE})() > {grey + 30}")  # this model marks it all

    playing.kill()
    window.wait_for_selector("#banner >> text=The camera is silent")
    window.wait_for_function(f"() => ({RED_BESIDE})() < {grey + 10}")
    camera()
    window.wait_for_selector("#banner", state="hidden")

    first.kill()
    window.wait_for_selector("#banner >> text=No connection")
    window.wait_for_function(f"() => ({RED_BESIDE})() < {grey + 10}")
    second = node()
    until(lambda: "the page: " in second.text, second)
    window.wait_for_selector("#banner >> text=It was started again")
    window.wait_for_function("() => state.status?.state === 'IDLE'")
    window.focus("#again")
    window.keyboard.press("Enter")
    window.wait_for_selector(".card .badge >> text=Found")
    assert window.inner_text(".card .text") == "the dog"
