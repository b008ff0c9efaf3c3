"""What the node offers is what docs/node.md tells."""

from typing import Any

import pytest
from node_reference import ACTIONS, INPUTS, OUTPUTS, SERVICES
from rclpy.action import get_action_server_names_and_types_by_node
from rclpy.node import Node
from rclpy.qos import LivelinessPolicy, ReliabilityPolicy

MANAGED = ("transition_event", "change_state", "get_state", "get_available", "get_transition")
OF_EVERY_NODE = ("/rosout", "/parameter_events", "parameter", "type_description")
OF_ACTIONS = ("/_action/",)
NOT_HERE = ("vision_msgs",)


def ours(offered: list[tuple[str, list[str]]]) -> dict[str, str]:
    """Names relative to the node and types, without those of every (lifecycle) node."""
    named = {name.replace("/actseg/", "~/"): kinds[0] for name, kinds in offered}
    others = (*MANAGED, *OF_EVERY_NODE, *OF_ACTIONS)
    return {name: kind for name, kind in named.items() if not any(part in name for part in others)}


def subscribe_to_everything(node: Node) -> None:
    """So that depth is subscribed to, too."""
    from sensor_msgs.msg import PointCloud2

    node.create_subscription(PointCloud2, "/actseg/points", lambda _: None, 1)


def test_topics_services_and_types_are_the_documented_ones(make: Any) -> None:
    bench = make(spatial__enabled=True)
    bench.start()
    subscribe_to_everything(bench.client)
    node = bench.node
    inputs = {item.name: item.type.replace("/", "/msg/") for item in INPUTS}
    del inputs["~/image/compressed"], inputs["~/depth/compressedDepth"]
    bench.spin_until(
        lambda: ours(node.get_subscriber_names_and_types_by_node("actseg", "/")) == inputs
    )
    outputs = ours(node.get_publisher_names_and_types_by_node("actseg", "/"))
    assert outputs == {
        item.name: item.type.replace("/", "/msg/")
        for item in OUTPUTS
        if not item.type.startswith(NOT_HERE)
    }
    actions = get_action_server_names_and_types_by_node(node, "actseg", "/")
    assert ours(actions) == {item.name: item.type.replace("/", "/action/") for item in ACTIONS}
    services = ours(node.get_service_names_and_types_by_node("actseg", "/"))
    assert services == {item.name: item.type.replace("/", "/srv/") for item in SERVICES}


@pytest.mark.parametrize("topic", OUTPUTS, ids=lambda topic: topic.name)
def test_the_qos_offered_is_what_planners_are_promised(make: Any, topic: Any) -> None:
    if topic.type.startswith(NOT_HERE):
        pytest.skip("built and tested in test_detections.py")
    bench = make(spatial__enabled=True)
    name = topic.name.replace("~", "/actseg")
    bench.spin_until(lambda: bench.client.get_publishers_info_by_topic(name), feed=False)
    (info,) = bench.client.get_publishers_info_by_topic(name)
    profile = info.qos_profile
    told = f"{profile.reliability.name}, {profile.durability.name}".lower()
    assert topic.qos.startswith(f"{told}, depth ")
    if topic.name == "~/status":
        assert profile.deadline.nanoseconds == 300_000_000
        assert profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
        assert profile.liveliness_lease_duration.nanoseconds == 1_000_000_000
    else:
        assert profile.liveliness != LivelinessPolicy.MANUAL_BY_TOPIC


def test_before_it_knows_the_camera_the_node_takes_every_camera(make: Any) -> None:
    bench = make()
    bench.start()
    (camera,) = bench.client.get_subscriptions_info_by_topic("/actseg/image")
    assert camera.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
