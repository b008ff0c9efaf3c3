"""The subscriptions to depth and camera_info, and what is said when nothing comes over them."""

import time
from collections.abc import Callable

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from actseg_core.live.stats import Interval
from actseg_ros import graph, qos
from actseg_ros.camera_node import CameraNode
from actseg_ros.settings import SpatialConfig
from actseg_ros.spatial.depth_image import DepthMessage

PATIENCE_S = 2.0
# Of the time between two depth images.
PATIENCE_INTERVALS = 2.5


class DepthInputs:
    """Subscribes to `~/depth` while it is wanted, and to `~/camera_info` all the time.

    camera_info may be sent once, before anybody wants depth; and latched, which only a
    transient-local subscription hears, which in turn hears no other: so there are two.

    Args:
        node: Owns the subscriptions.
        settings: depth_reliability and depth_compressed are read.
        watch: Is told of publishers whose QoS does not fit.
        on_depth: Called with each depth image; must return at once.

    Attributes:
        info: The newest camera_info; None before the first.
        depth_topic: Resolved name.
    """

    def __init__(
        self,
        node: CameraNode,
        settings: SpatialConfig,
        watch: qos.QosWatch,
        on_depth: Callable[[DepthMessage], None],
    ) -> None:
        self._node, self._watch, self._on_depth = node, watch, on_depth
        self._profile = qos.images(settings.depth_reliability, 2)
        self._kind: type[DepthMessage] = CompressedImage if settings.depth_compressed else Image
        self._topic = "~/depth/compressedDepth" if settings.depth_compressed else "~/depth"
        self.info: CameraInfo | None = None
        self.depth_topic = node.resolve_topic_name(self._topic)
        self._info_topic = node.resolve_topic_name("~/camera_info")
        self._depth: Subscription[DepthMessage] | None = None
        self._infos: list[Subscription[CameraInfo]] = []
        self._interval = Interval()
        self._since_s = self._newest_s = 0.0

    def follow(self, wanted: bool) -> None:
        """Subscribe to what is wanted and published.

        Args:
            wanted: Whether depth is.
        """
        if not self._infos:
            self._infos = [self._subscribe_info(self._profile, watched=True)]
        if len(self._infos) == 1 and graph.is_latched(self._node, self._info_topic):
            self._infos.append(self._subscribe_info(qos.latched(), watched=False))
        if wanted and self._depth is None:
            self._since_s = self._newest_s = time.monotonic()
            self._interval.forget()
            self._depth = self._node.create_subscription(
                self._kind,
                self._topic,
                self._take_depth,
                self._profile,
                event_callbacks=self._watch.subscription(self._topic),
            )
        elif not wanted:
            self._leave_depth()

    def end(self) -> None:
        """Take all subscriptions away; the newest camera_info stays."""
        self._leave_depth()
        for subscription in self._infos:
            self._node.destroy_subscription(subscription)
        self._infos = []

    def missing(self) -> str:
        """Which input brings nothing, who publishes it, and what else there is; may be empty."""
        now_s = time.monotonic()
        if self._depth is None or now_s - self._since_s < PATIENCE_S:
            return ""
        patience_s = max(PATIENCE_S, PATIENCE_INTERVALS * self._interval.value_s)
        if now_s - self._newest_s > patience_s:
            silent = f"no depth image for {now_s - self._newest_s:.0f} s"
            kind = graph.COMPRESSED if self._kind is CompressedImage else graph.IMAGE
            return self._explain(silent, self._topic, self.depth_topic, kind)
        if self.info is None:
            silent = "no camera_info has come"
            return self._explain(silent, "~/camera_info", self._info_topic, graph.CAMERA_INFO)
        return ""

    def _explain(self, silent: str, private_name: str, topic: str, kind: str) -> str:
        told = f"{silent}, wanted is {kind}: {graph.publishers(self._node, topic)}"
        types = {info.topic_type for info in self._node.get_publishers_info_by_topic(topic)}
        if kind in types:
            return told
        name = self._node.private_name(private_name)
        return f"{told}; {graph.others(self._node, topic, (kind,), name)}"

    def _take_info(self, message: CameraInfo) -> None:
        self.info = message

    def _take_depth(self, message: DepthMessage) -> None:
        self._newest_s = time.monotonic()
        self._interval.tick(self._newest_s)
        self._on_depth(message)

    def _subscribe_info(self, profile: QoSProfile, watched: bool) -> "Subscription[CameraInfo]":
        quiet = SubscriptionEventCallbacks(use_default_callbacks=False)
        return self._node.create_subscription(
            CameraInfo,
            "~/camera_info",
            self._take_info,
            profile,
            event_callbacks=self._watch.subscription("~/camera_info") if watched else quiet,
        )

    def _leave_depth(self) -> None:
        if self._depth is not None:
            self._node.destroy_subscription(self._depth)
            self._depth = None
