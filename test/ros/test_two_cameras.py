"""Two cameras, two nodes, two namespaces at once: each answers about its own camera alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actseg_core.live.states import State

Start = Callable[..., Any]
CLIENT = Path(__file__).with_name("namespace_client.py")


@pytest.mark.slow
def test_each_node_answers_about_the_camera_of_its_namespace(
    start: Start, eventually: Callable[..., None], video: Path, checkpoint: Path
) -> None:
    client = start(str(CLIENT), "front", "rear")
    nodes = []
    for name, sentence in (("front", "the red square"), ("rear", "the second square")):
        inside = ("-r", f"__ns:=/{name}")
        nodes.append(
            start(
                *("-m", "actseg_ros.segmentation_node", "--ros-args", *inside),
                *("-p", f"checkpoint:={checkpoint}", "-p", f"sentence:={sentence}"),
                *("-p", "stream.max_age_s:=10.0", "-r", "~/image:=camera/image_raw"),
            )
        )
        start(
            *(
                "-m",
                "actseg_ros.players.video_camera",
                "--ros-args",
                *inside,
                "-p",
                f"source:={video}",
            ),
            *("-p", "rate_hz:=8.0", "-p", f"frame_id:={name}_optical", "-p", "depth:=100"),
        )

    def answers(name: str) -> list[dict[str, Any]]:
        return [event for event in client.events("result") if event["robot"] == name]

    for name in ("front", "rear"):
        eventually(lambda name=name: len(answers(name)) >= 10, name)
    images: dict[str, set[int]] = {"front": set(), "rear": set()}
    for event in client.events("image"):
        images[event["robot"]].add(event["stamp_ns"])
    assert not images["front"] & images["rear"]
    for name, sentence in (("front", "the red square"), ("rear", "the second square")):
        for event in answers(name):
            assert event["frame_id"] == f"{name}_optical"
            assert event["sentences"] == [sentence]
            assert event["state"] == State.FOUND
        known = [
            event["stamp_ns"] for event in answers(name) if event["stamp_ns"] >= min(images[name])
        ]
        assert known and set(known) <= images[name]
    assert [node.stop() for node in nodes] == [0, 0]
