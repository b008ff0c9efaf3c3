"""Answers as vision_msgs detections, on stand-ins with its fields and on the real thing."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from patience import PATIENT_NODE
from vision import vision_place

from actseg_core.live.queries import Query
from actseg_core.live.reports import Report
from actseg_core.live.states import State
from actseg_core.types import MaskResult
from actseg_ros.messages import array_message

__all__ = ["vision_place"]  # a fixture of test/support
NAMES = (
    *("BoundingBox2D", "Detection2D", "Detection2DArray", "ObjectHypothesis"),
    *("ObjectHypothesisWithPose", "Point2D", "Pose2D"),
)
CLIENT = """
import rclpy
from rclpy.node import Node
from vision_msgs.msg import Detection2DArray
rclpy.init()
node = Node("client")
def on(message):
    item = message.detections[0]
    print("DETECTION", item.id, item.results[0].hypothesis.class_id, item.bbox.size_x,
          item.bbox.center.position.x, message.header.frame_id, flush=True)
node.create_subscription(Detection2DArray, "/actseg/detections", on, 1)
rclpy.spin(node)
"""


@pytest.fixture
def convert(monkeypatch: pytest.MonkeyPatch) -> Any:
    """detections_message over stand-ins, for machines without the package."""
    package, messages = ModuleType("vision_msgs"), ModuleType("vision_msgs.msg")
    for name in NAMES:

        def keep(self: Any, **fields: Any) -> None:
            self.__dict__.update(fields)

        setattr(messages, name, type(name, (), {"__init__": keep}))
    monkeypatch.setitem(sys.modules, "vision_msgs", package)
    monkeypatch.setitem(sys.modules, "vision_msgs.msg", messages)
    monkeypatch.delitem(sys.modules, "actseg_ros.detections", raising=False)
    yield importlib.import_module("actseg_ros.detections").detections_message
    sys.modules.pop("actseg_ros.detections", None)


def test_each_actor_that_is_found_is_a_detection(convert: Any, read: Any) -> None:
    mask = np.zeros((10, 20), np.uint8)
    mask[2:5, 3:9] = 255
    found = MaskResult(mask, True, 0.75, 7, "cam")
    absent = MaskResult(np.zeros_like(mask), False, 0.25, 7, "cam")
    queries = (Query("q1", read("the cat"), 0), Query("q2", read("the dog"), 0))
    report = Report(State.FOUND, 2, queries, {"q1": absent, "q2": found})
    message = convert(array_message(report, 8))
    (detection,) = message.detections
    assert message.header.frame_id == detection.header.frame_id == "cam"
    assert detection.header.stamp.nanosec == 7
    assert detection.id == "q2"
    (result,) = detection.results
    assert (result.hypothesis.class_id, result.hypothesis.score) == ("the dog", 0.75)
    centre = detection.bbox.center.position
    assert (centre.x, centre.y) == (5.5, 3.0)  # columns 3 to 8, rows 2 to 4
    assert (detection.bbox.size_x, detection.bbox.size_y) == (6.0, 3.0)


@pytest.mark.slow
def test_with_vision_msgs_installed_the_node_publishes_them(
    start: Callable[..., Any],
    eventually: Callable[..., None],
    vision_place: dict[str, str],
    checkpoint: Path,
    video: Path,
) -> None:
    start(
        *("-m", "actseg_ros.players.video_camera", "--ros-args", "-p", f"source:={video}"),
        *("-p", "rate_hz:=15.0"),
    )
    node = start(
        *(*PATIENT_NODE, "-p", f"checkpoint:={checkpoint}"),
        *("-p", "sentence:=the red square", "-r", "~/image:=/camera/image_raw"),
        **vision_place,
    )
    client = start("-c", CLIENT, **vision_place)
    eventually(lambda: "DETECTION" in client.text, f"{client.text}\n{node.text}")
    assert "DETECTION q1 the red square 64.0 31.5 camera" in client.text
