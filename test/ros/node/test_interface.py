"""What the node offers is what docs/node.md tells."""

from typing import Any

from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    ReliabilityPolicy,
)


def test_topics_services_and_types_are_the_documented_ones(make: Any) -> None:
    bench = make()
    bench.start()
    publishers = dict(bench.node.get_publisher_names_and_types_by_node("actseg", "/"))
    for topic, kind in {
        "/actseg/result": "actseg/msg/ActorMaskArray",
        "/actseg/mask": "sensor_msgs/msg/Image",
        "/actseg/overlay": "sensor_msgs/msg/Image",
        "/actseg/status": "actseg/msg/SegmentationStatus",
        "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
    }.items():
        assert publishers[topic] == [kind]
    subscriptions = dict(bench.node.get_subscriber_names_and_types_by_node("actseg", "/"))
    assert subscriptions["/actseg/image"] == ["sensor_msgs/msg/Image"]
    assert subscriptions["/actseg/command"] == ["std_msgs/msg/String"]
    services = dict(bench.node.get_service_names_and_types_by_node("actseg", "/"))
    assert services["/actseg/add_query"] == ["actseg/srv/AddQuery"]
    assert services["/actseg/remove_query"] == ["actseg/srv/RemoveQuery"]
    assert services["/actseg/list_queries"] == ["actseg/srv/ListQueries"]
    assert services["/actseg/clear"] == ["std_srvs/srv/Trigger"]


def test_the_qos_offered_is_what_planners_are_promised(make: Any) -> None:
    bench = make()
    bench.start()
    for topic in ("result", "mask", "overlay", "status"):
        (info,) = bench.client.get_publishers_info_by_topic(f"/actseg/{topic}")
        assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        assert info.qos_profile.durability == DurabilityPolicy.VOLATILE
    assert info.qos_profile.deadline.nanoseconds == 300_000_000
    assert info.qos_profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
    assert info.qos_profile.liveliness_lease_duration.nanoseconds == 1_000_000_000
    (camera,) = bench.client.get_subscriptions_info_by_topic("/actseg/image")
    assert camera.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
