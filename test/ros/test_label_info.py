"""label_info with real vision_msgs, as the costmap layer subscribes to it; and the Nav2 files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from node_reference import OUTPUTS
from patience import PATIENT_NODE
from vision import vision_place

__all__ = ["vision_place"]  # a fixture of test/support
ROOT = Path(__file__).resolve().parents[2]
CLIENT = """
import sys, rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String
from vision_msgs.msg import LabelInfo
rclpy.init()
node = Node("layer")
LAYER = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE,
                   durability=DurabilityPolicy.TRANSIENT_LOCAL)
def on(message):
    classes = [(item.class_id, item.class_name) for item in message.class_map]
    print("LABELS", classes, round(message.threshold, 3), flush=True)
node.create_subscription(LabelInfo, "/actseg/label_info", on, LAYER)
command = node.create_publisher(String, "/actseg/command", 10)
for sentence in sys.argv[1:]:
    while command.get_subscription_count() == 0:
        rclpy.spin_once(node, timeout_sec=0.1)
    command.publish(String(data=sentence))
rclpy.spin(node)
"""


@pytest.mark.slow
def test_who_comes_late_gets_the_numbers_and_each_change_of_them(
    start: Callable[..., Any],
    eventually: Callable[..., None],
    vision_place: dict[str, str],
    checkpoint: Path,
) -> None:
    place = vision_place
    node = start(
        *(*PATIENT_NODE, "-p", f"checkpoint:={checkpoint}"),
        *("-p", "sentence:=the red square", "-p", "stream.min_confidence:=0.25"),
        **place,
    )
    first = start("-c", CLIENT, **place)
    eventually(lambda: "LABELS [(1, 'the red square')] 0.25" in first.text, node.text)
    late = start("-c", CLIENT, **place)
    eventually(lambda: "LABELS [(1, 'the red square')] 0.25" in late.text, node.text)
    start("-c", CLIENT, "a dog", **place)
    for client in (first, late):
        eventually(lambda client=client: "LABELS [(2, 'a dog')] 0.25" in client.text, node.text)


def test_the_costmaps_parameters_name_topics_that_the_node_has() -> None:
    content = yaml.safe_load((ROOT / "launch" / "nav2_costmap.yaml").read_text())
    layer = content["local_costmap"]["local_costmap"]["ros__parameters"][
        "semantic_segmentation_layer"
    ]
    source = layer[layer["observation_sources"]]
    kinds = {item.name.replace("~", "/actseg"): item.type for item in OUTPUTS}
    assert kinds[source["segmentation_topic"]] == "sensor_msgs/Image"
    assert kinds[source["confidence_topic"]] == "sensor_msgs/Image"
    assert kinds[source["labels_topic"]] == "vision_msgs/LabelInfo"
    launch = (ROOT / "launch" / "nav2_costmap.launch.py").read_text()
    assert f'"{source["pointcloud_topic"]}"' in launch
    assert source["avoid"]["classes"] == ["person"] and 'default_value="person"' in launch
