"""Peers whose QoS does not fit ours: told when they come, and for as long as they stay."""

from collections.abc import Callable
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, qos_check_compatible, qos_policy_name_from_kind


class QosWatch:
    """Collects mismatches of the topics whose events it handles.

    Args:
        node: Whose topics they are.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._policies: dict[str, str] = {}

    def publisher(self, topic: str) -> PublisherEventCallbacks:
        """Event callbacks for a publisher of ours."""
        return PublisherEventCallbacks(incompatible_qos=self._noting(topic, "subscriber"))

    def subscription(self, topic: str) -> SubscriptionEventCallbacks:
        """Event callbacks for a subscription of ours."""
        return SubscriptionEventCallbacks(incompatible_qos=self._noting(topic, "publisher"))

    def hint(self) -> str:
        """The mismatches that are still there; empty if there are none."""
        for topic in list(self._policies):
            if not self._is_mismatched(topic):
                del self._policies[topic]
        return "; ".join(f"{topic}: {text}" for topic, text in self._policies.items())

    def _noting(self, topic: str, peer: str) -> Callable[[Any], None]:
        name = self._node.resolve_topic_name(topic)

        def note(event: Any) -> None:
            policy = qos_policy_name_from_kind(event.last_policy_kind)
            text = f"a {peer} has another {policy} than this node, nothing passes between them"
            self._policies[name] = text
            self._node.get_logger().warning(f"{name}: {text}")

        return note

    def _is_mismatched(self, topic: str) -> bool:
        """Whether a publisher and a subscription, one of them ours, do not fit."""
        ours = self._node.get_name(), self._node.get_namespace()
        publishers = self._node.get_publishers_info_by_topic(topic)
        subscriptions = self._node.get_subscriptions_info_by_topic(topic)
        return any(
            qos_check_compatible(one.qos_profile, other.qos_profile)[0] == QoSCompatibility.ERROR
            for one in publishers
            for other in subscriptions
            if ours in ((end.node_name, end.node_namespace) for end in (one, other))
        )
