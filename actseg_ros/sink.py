"""The worker's reports onto topics: result, mask, overlay, status."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from actseg.msg import ActorMaskArray, SegmentationStatus
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from actseg_core.types import Frame, MaskResult
from actseg_core.visualize import overlay
from actseg_ros import qos
from actseg_ros.convert import encode
from actseg_ros.messages import array_message, status_message, time_message
from actseg_ros.reports import Health, Report
from actseg_ros.states import State

LOG_EVERY_S = 5.0


class TopicSink:
    """Publishes for one node; see actseg_ros.reports.Sink.

    Messages for `mask` and `overlay` are made only while somebody subscribes to them.

    Args:
        node: Owns the publishers.
        status_deadline_s: QoS deadline of status [s].
        status_lease_s: QoS liveliness lease of status [s].

    Attributes:
        after: Called with each report that was published; must return at once.
        latest: The newest heartbeat.
    """

    def __init__(
        self, node: LifecycleNode, status_deadline_s: float, status_lease_s: float
    ) -> None:
        self._node = node
        newest = qos.answers()
        self._result = node.create_publisher(ActorMaskArray, "~/result", newest)
        self._mask = node.create_publisher(Image, "~/mask", newest)
        self._overlay = node.create_publisher(Image, "~/overlay", newest)
        self._status = node.create_publisher(
            SegmentationStatus, "~/status", qos.status(status_deadline_s, status_lease_s)
        )
        self._logged_s: dict[State, float] = {}
        self._overlay_stamp_ns = 0
        self.after: Callable[[Report], None] = lambda report: None
        self.latest = Health(State.UNCONFIGURED)

    @property
    def status_publisher(self) -> Any:
        """For waiting until the last status has arrived."""
        return self._status

    def wants_image(self) -> bool:
        """Whether anybody looks at the overlay."""
        return bool(self._overlay.get_subscription_count() > 0)

    def prepare(self, report: Report) -> Callable[[], None]:
        """Build all messages of a report; calling the returned function publishes them."""
        outgoing = [(self._result, array_message(report, self._now_ns()))]
        if report.answers and self._mask.get_subscription_count() > 0:
            outgoing.append((self._mask, _union(list(report.answers.values()))))
        if report.answers and report.image is not None:
            outgoing += self._drawn(report.image, report)

        def publish() -> None:
            for publisher, message in outgoing:
                publisher.publish(message)
            self.after(report)

        return publish

    def idle_image(self, frame: Frame) -> None:
        """The plain picture on `overlay`, so that a viewer sees the camera before any sentence."""
        if self._is_newer(frame.stamp_ns):
            header = Header(stamp=time_message(frame.stamp_ns), frame_id=frame.frame_id)
            self._overlay.publish(encode(frame.image, header))

    def health(self, health: Health) -> None:
        """Publish a heartbeat; entering and leaving STALE_INPUT is logged."""
        before, self.latest = self.latest, health
        self._status.publish(status_message(health, self._now_ns()))
        if health.clock_resets != before.clock_resets:
            self._overlay_stamp_ns = 0
        if health.state is State.STALE_INPUT is not before.state:
            self.fault(health.state, health.detail)
        elif before.state is State.STALE_INPUT and health.received > before.received:
            self._node.get_logger().info("images arrive")

    def fault(self, state: State, text: str) -> None:
        """Log a problem, each kind at most every 5 s."""
        now_s = time.monotonic()
        if now_s - self._logged_s.get(state, -LOG_EVERY_S) < LOG_EVERY_S:
            return
        self._logged_s[state] = now_s
        logger = self._node.get_logger()
        if state is State.MODEL_ERROR:
            logger.error(f"{state.name}: {text}")
        else:
            logger.warning(f"{state.name}: {text}")

    def _drawn(self, image: NDArray[np.uint8], report: Report) -> list[tuple[Any, Any]]:
        results = [
            (query.sentence.text, report.answers[query.id])
            for query in report.queries
            if query.id in report.answers
        ]
        newest = max(report.answers.values(), key=lambda result: result.stamp_ns)
        if not self._is_newer(newest.stamp_ns):
            return []
        return [(self._overlay, encode(overlay(image, results), _header(newest)))]

    def _is_newer(self, stamp_ns: int) -> bool:
        """Keeps the overlay's stamps rising where answers lag behind plain pictures."""
        is_newer = stamp_ns > self._overlay_stamp_ns
        if is_newer:
            self._overlay_stamp_ns = stamp_ns
        return is_newer

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)


def _union(results: list[MaskResult]) -> Image:
    newest = max(results, key=lambda result: result.stamp_ns)
    mask = newest.mask
    for result in results:
        mask = np.maximum(mask, result.mask)
    return encode(mask, _header(newest))


def _header(result: MaskResult) -> Header:
    return Header(stamp=time_message(result.stamp_ns), frame_id=result.frame_id)
