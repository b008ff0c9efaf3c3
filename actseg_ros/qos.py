"""The QoS profiles of all topics, in one place."""

from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

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
