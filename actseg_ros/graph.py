"""What the ROS graph says of a topic that brings nothing: its publishers, and other topics."""

from collections.abc import Collection

from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from actseg_ros.camera_node import AnyNode

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
SHOWN = 6
SAME_NAME = "another node has the same name, or had it until it was killed a moment ago"


def publishers(node: AnyNode, topic: str) -> str:
    """Number, types, QoS and nodes of a topic's publishers, in words.

    Args:
        node: Asks.
        topic: Resolved name.
    """
    infos = node.get_publishers_info_by_topic(topic)
    if not infos:
        return f"nobody publishes {topic}"
    kinds = dict.fromkeys(
        f"{info.topic_type}, {_reliability(info.qos_profile)}, by "
        f"{info.node_namespace.rstrip('/')}/{info.node_name}"
        for info in infos
    )
    count = "1 publisher" if len(infos) == 1 else f"{len(infos)} publishers"
    return f"{topic} has {count} ({'; '.join(list(kinds)[:SHOWN])})"


def others(node: AnyNode, topic: str, kinds: Collection[str], private_name: str) -> str:
    """Which other topics of these types are published, and how to take one; in words.

    Args:
        node: Asks; its own topics are left out.
        topic: Resolved name of the one that is silent.
        kinds: Message types.
        private_name: Of the topic, for the remapping: ~/image.
    """
    found = []
    for name, types in sorted(node.get_topic_names_and_types()):
        fitting = [kind for kind in types if kind in kinds]
        if name != topic and fitting and _is_published_by_others(node, name):
            found.append(f"{name} ({fitting[0].rpartition('/')[2]})")
    what = " or ".join(kind.rpartition("/")[2] for kind in kinds)
    if not found:
        domain = node.context.get_domain_id()
        return f"no other topic of type {what} is published in ROS domain {domain}"
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"published are {', '.join(found[:SHOWN])}{more}: remap {private_name} to the right one"


def twin(node: AnyNode) -> str:
    """What is wrong if another node has the same name; empty if none has."""
    mine = node.get_name(), node.get_namespace()
    return SAME_NAME if node.get_node_names_and_namespaces().count(mine) > 1 else ""


def is_latched(node: AnyNode, topic: str) -> bool:
    """Whether a publisher of a topic keeps what it sent for those that come later."""
    return any(
        info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        for info in node.get_publishers_info_by_topic(topic)
    )


def _is_published_by_others(node: AnyNode, topic: str) -> bool:
    own = node.get_name(), node.get_namespace()
    return any(
        (info.node_name, info.node_namespace) != own
        for info in node.get_publishers_info_by_topic(topic)
    )


def _reliability(profile: object) -> str:
    is_reliable = getattr(profile, "reliability", None) == ReliabilityPolicy.RELIABLE
    return "reliable" if is_reliable else "best effort"
