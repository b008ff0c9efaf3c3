"""The image subscription: its QoS follows the camera's, and its silence is explained."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from actseg_ros import graph, qos
from actseg_ros.camera_node import CameraNode
from actseg_ros.remaps import unused_remaps
from actseg_ros.settings import Reliability, SegmentationConfig

SILENT_TRANSPORT_S = 2.0
TRANSPORT_HINT = (
    "a camera is matched but no image has arrived in 2 s: if it sends that often, set "
    "FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA for the camera and for this node (the default shared "
    "memory segment loses large best-effort images)"
)
QOS_HINT = (
    "a camera offers best-effort images only, which image_reliability: reliable does not accept; "
    "set image_reliability: auto"
)
LOGGED_EVERY_S = 60.0
LOSS_WINDOW_S = 10.0
LOSS_SHARE = 0.1
LOSS_FEWEST = 20  # images, lost ones included, before a share means something
LOSS_HINT = (
    "{lost} of {all} images of the last seconds were lost on their way here: set "
    "FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA for the camera and for this node; where that is set, "
    "computer or network is too busy: let the camera offer reliable images, or smaller or fewer"
)
TYPE_HINT = "{topic} is published as {found}, this node takes {wanted}; {advice}"


class TransportWatch:
    """Notices a camera that is matched while none of its images arrive."""

    def __init__(self) -> None:
        self._matched_since_s: float | None = None

    def is_silent(self, publishers: int, received: int, now_s: float) -> bool:
        """Whether to point at the transport.

        Args:
            publishers: Matched on the image topic now.
            received: Images so far; after the first one the transport is known to work.
            now_s: Steady clock [s].
        """
        if publishers == 0 or received > 0:
            self._matched_since_s = None
            return False
        if self._matched_since_s is None:
            self._matched_since_s = now_s
        return now_s - self._matched_since_s >= SILENT_TRANSPORT_S


class LossWatch:
    """Notices that a part of the images does not arrive, by what the middleware counts as lost."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int, int]] = deque()

    def note(self, came: int, lost: int, now_s: float) -> None:
        """Count images.

        Args:
            came: That arrived.
            lost: That were published and did not.
            now_s: Steady clock [s].
        """
        self._counts.append((now_s, came, lost))
        self._forget_old(now_s)

    def hint(self, now_s: float) -> str:
        """What to do if more than a tenth was lost over the last seconds; else empty."""
        self._forget_old(now_s)
        lost = sum(item[2] for item in self._counts)
        total = lost + sum(item[1] for item in self._counts)
        if total < LOSS_FEWEST or lost <= LOSS_SHARE * total:
            return ""
        return LOSS_HINT.format(lost=lost, all=total)

    def _forget_old(self, now_s: float) -> None:
        while self._counts and now_s - self._counts[0][0] > LOSS_WINDOW_S:
            self._counts.popleft()


class ImageInput:
    """Subscribes to `~/image` or `~/image/compressed`.

    A best-effort subscription accepts every camera, but loses large images on a busy computer; a
    reliable one loses none, but gets nothing from a best-effort camera. With `auto` it is
    reliable while all cameras on the topic are.

    Args:
        node: Owns the subscription.
        settings: compressed, image_reliability and image_depth are read.
        on_image: Called with each message; must return at once.

    Attributes:
        reliability: Of the subscription.
        whereabouts: What is known of a camera that sends nothing; `look_for` renews it.
    """

    def __init__(
        self, node: CameraNode, settings: SegmentationConfig, on_image: Callable[[Any], None]
    ) -> None:
        self._node, self._settings, self._on_image = node, settings, on_image
        self._kind: type[Any] = CompressedImage if settings.compressed else Image
        self._topic = "~/image/compressed" if settings.compressed else "~/image"
        self._watch, self._loss = TransportWatch(), LossWatch()
        self._refused = False
        self.whereabouts = "is the camera running, on this topic?"
        self.reliability: Reliability = (
            "best_effort" if settings.image_reliability == "auto" else settings.image_reliability
        )
        self._subscription = self._subscribe()
        self._unused_remaps = unused_remaps(node.node, node.names)
        if self._unused_remaps:
            node.get_logger().warning(self._unused_remaps, once=True)

    @property
    def topic_name(self) -> str:
        """Resolved name of the topic."""
        return str(self._subscription.topic_name)

    def follow_camera(self) -> None:
        """Subscribe anew where the cameras' reliability has changed and `auto` is set."""
        if self._settings.image_reliability != "auto":
            return
        offered = {
            info.qos_profile.reliability
            for info in self._node.get_publishers_info_by_topic(self.topic_name)
        }
        wanted: Reliability = (
            "reliable" if offered == {ReliabilityPolicy.RELIABLE} else "best_effort"
        )
        if offered and wanted != self.reliability:
            self.reliability = wanted
            self.destroy()
            self._subscription = self._subscribe()

    def look_for(self, clock_problem: str) -> None:
        """Find out who publishes the topic, and what else there is.

        Args:
            clock_problem: With what `whereabouts` then begins, because a simulation's camera
                stands still with its clock; may be empty.
        """
        topic = self.topic_name
        told = self._wrong_type() or graph.publishers(self._node, topic)
        if self._unused_remaps:
            told = f"{self._unused_remaps}; {told}"
        if not self._node.count_publishers(topic):
            kinds = (graph.IMAGE, graph.COMPRESSED)
            told += (
                f"; {graph.others(self._node, topic, kinds, self._node.private_name(self._topic))}"
            )
        self.whereabouts = f"{clock_problem}; {told}" if clock_problem else told

    def hint(self, received: int) -> str:
        """Why nothing arrives, as far as QoS and transport tell; empty if all is well.

        Args:
            received: Images so far.
        """
        if self._refused and not received:
            return QOS_HINT
        if self._unused_remaps and not received:
            return self._unused_remaps
        wrong = self._wrong_type()
        if wrong:
            return wrong
        publishers = self._node.count_publishers(self.topic_name)
        if self._watch.is_silent(publishers, received, time.monotonic()):
            self._node.get_logger().warning(TRANSPORT_HINT, once=True)
            return TRANSPORT_HINT
        lossy = self._loss.hint(time.monotonic())
        if lossy:
            self._node.get_logger().warning(lossy, throttle_duration_sec=LOGGED_EVERY_S)
        return lossy

    def destroy(self) -> None:
        """Take the subscription away."""
        self._node.destroy_subscription(self._subscription)

    def _wrong_type(self) -> str:
        """A publisher of another message type never matches, and no event tells it."""
        wanted = f"sensor_msgs/msg/{self._kind.__name__}"
        for info in self._node.get_publishers_info_by_topic(self.topic_name):
            if info.topic_type != wanted:
                is_other = info.topic_type in (graph.IMAGE, graph.COMPRESSED)
                advice = f"set compressed: {str(not self._settings.compressed).lower()} and remap"
                return TYPE_HINT.format(
                    topic=self.topic_name,
                    found=info.topic_type,
                    wanted=wanted,
                    advice=advice if is_other else "connect the camera's image topic",
                )
        return ""

    def _subscribe(self) -> "Subscription[Any]":
        events = {"incompatible_qos": self._on_refused}
        try:
            return self._subscription_with(message_lost=self._on_lost, **events)
        except UnsupportedEventTypeError:  # of this middleware; losses go unseen then
            return self._subscription_with(**events)

    def _subscription_with(self, **events: Any) -> "Subscription[Any]":
        return self._node.create_subscription(
            self._kind,
            self._topic,
            self._on_message,
            qos.images(self.reliability, self._settings.image_depth),
            event_callbacks=SubscriptionEventCallbacks(**events),
        )

    def _on_message(self, message: Any) -> None:
        self._loss.note(1, 0, time.monotonic())
        self._on_image(message)

    def _on_lost(self, event: Any) -> None:
        self._loss.note(0, event.total_count_change, time.monotonic())

    def _on_refused(self, _event: Any) -> None:
        self._refused = True
        if self._settings.image_reliability == "reliable":
            self._node.get_logger().warning(QOS_HINT, once=True)
