"""The QoS profiles of all topics, and a watch for peers whose QoS does not fit."""

from collections.abc import Callable
from typing import Any

from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
    qos_policy_name_from_kind,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

from actseg_ros.camera_node import CameraNode
from actseg_ros.settings import Reliability

RELIABILITY = {
    "best_effort": ReliabilityPolicy.BEST_EFFORT,
    "reliable": ReliabilityPolicy.RELIABLE,
}
COMMAND_DEPTH = 10


def images(reliability: Reliability, depth: int) -> QoSProfile:
    """Camera images: the newest few, no history for late joiners."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=RELIABILITY[reliability],
        durability=DurabilityPolicy.VOLATILE,
    )


def answers() -> QoSProfile:
    """Result, mask and overlay: reliable, the newest only, never an old one for a late joiner."""
    return images("reliable", 1)


def latched() -> QoSProfile:
    """What may be sent once, as camera_info is: whoever comes later gets the newest."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


def clock() -> QoSProfile:
    """The recording's time; what ros2 bag play offers and rclpy's time source asks for."""
    return images("reliable", 1)


def status(deadline_s: float, lease_s: float) -> QoSProfile:
    """The heartbeat: subscribers may ask to be told when it is late or its thread is stuck.

    Liveliness is asserted by publishing (MANUAL_BY_TOPIC): the automatic kind is kept alive by
    the middleware's own threads even while ours hangs.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
        deadline=Duration(seconds=deadline_s),
        liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
        liveliness_lease_duration=Duration(seconds=lease_s),
    )


def command(durability: DurabilityPolicy) -> QoSProfile:
    """Commands arrive reliably and in order."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=COMMAND_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=durability,
    )


class QosWatch:
    """Collects mismatches of the topics whose events it handles.

    Args:
        node: Whose topics they are.
    """

    def __init__(self, node: CameraNode) -> None:
        self._node = node
        self._mismatches: dict[str, str] = {}
        self._logged: set[str] = set()

    def publisher(self, topic: str) -> PublisherEventCallbacks:
        """Event callbacks for a publisher of ours."""
        return PublisherEventCallbacks(incompatible_qos=self._noting(topic, "subscriber"))

    def subscription(self, topic: str) -> SubscriptionEventCallbacks:
        """Event callbacks for a subscription of ours."""
        return SubscriptionEventCallbacks(incompatible_qos=self._noting(topic, "publisher"))

    def hint(self) -> str:
        """The mismatches that are still there, logged once; empty if there are none."""
        for topic, text in list(self._mismatches.items()):
            if not self._has_a_peer_in_vain(topic):
                del self._mismatches[topic]
                self._logged.discard(topic)
            elif topic not in self._logged:
                self._logged.add(topic)
                self._node.get_logger().warning(f"{topic}: {text}")
        return "; ".join(f"{topic}: {text}" for topic, text in self._mismatches.items())

    def _noting(self, topic: str, peer: str) -> Callable[[Any], None]:
        name = self._node.resolve_topic_name(topic)

        def note(event: Any) -> None:
            policy = qos_policy_name_from_kind(event.last_policy_kind)
            self._mismatches[name] = (
                f"a {peer} has another {policy} than this node, nothing passes between them"
            )

        return note

    def _has_a_peer_in_vain(self, topic: str) -> bool:
        """Whether somebody's publisher or subscription fits none of ours.

        Of two subscriptions of ours one may be for what the other does not accept.
        """
        publishers, our_publishers = self._sorted(self._node.get_publishers_info_by_topic(topic))
        readers, our_readers = self._sorted(self._node.get_subscriptions_info_by_topic(topic))
        return any(
            our_readers and not any(_fit(peer, own) for own in our_readers) for peer in publishers
        ) or any(
            our_publishers and not any(_fit(own, peer) for own in our_publishers)
            for peer in readers
        )

    def _sorted(self, ends: list[TopicEndpointInfo]) -> tuple[list[Any], list[Any]]:
        """Those of others, and ours."""
        mine = self._node.get_name(), self._node.get_namespace()
        sides: tuple[list[Any], list[Any]] = ([], [])
        for end in ends:
            sides[(end.node_name, end.node_namespace) == mine].append(end)
        return sides


def _fit(publisher: TopicEndpointInfo, reader: TopicEndpointInfo) -> bool:
    compatibility, _ = qos_check_compatible(publisher.qos_profile, reader.qos_profile)
    return bool(compatibility != QoSCompatibility.ERROR)
