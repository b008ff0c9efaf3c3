"""Two cameras, two nodes, two namespaces at once: each answers about its own camera alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENT_NODE

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
                *(*PATIENT_NODE, *inside, "-r", "~/image:=camera/image_raw"),
                *("-p", f"checkpoint:={checkpoint}", "-p", f"sentence:={sentence}"),
            )
        )
        start(
            *("-m", "actseg_ros.players.video_camera", "--ros-args", *inside),
            *("-p", f"source:={video}"),
            *("-p", "rate_hz:=8.0", "-p", f"frame_id:={name}_optical", "-p", "depth:=100"),
        )

    def answers(name: str) -> list[dict[str, Any]]:
        return [event for event in client.events("result") if event["robot"] == name]

    def images(name: str) -> set[int]:
        return {event["stamp_ns"] for event in client.events("image") if event["robot"] == name}

    def known(name: str) -> set[int]:
        """Answers between the first and the last image that the client has heard of."""
        heard = images(name)
        stamps = {event["stamp_ns"] for event in answers(name)}
        return {stamp for stamp in stamps if heard and min(heard) <= stamp <= max(heard)}

    for name in ("front", "rear"):
        eventually(lambda name=name: len(answers(name)) >= 10 and known(name), name)
    assert not images("front") & images("rear")
    for name, sentence in (("front", "the red square"), ("rear", "the second square")):
        for event in answers(name):
            assert event["frame_id"] == f"{name}_optical"
            assert event["sentences"] == [sentence]
            assert event["state"] == State.FOUND
        assert known(name) <= images(name)
    assert [node.stop() for node in nodes] == [0, 0]
