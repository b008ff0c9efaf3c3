"""The worker's reports onto topics: result, mask, overlay, detections, status."""

import math
import time
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np
from actseg.msg import ActorMaskArray, SegmentationStatus
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header, String

from actseg_core.config import OverlayConfig
from actseg_core.live.reports import Health, Report
from actseg_core.live.states import State
from actseg_core.types import Frame, MaskResult
from actseg_core.visualize import overlay
from actseg_ros import qos
from actseg_ros.answer_text import AnswerText
from actseg_ros.camera_node import CameraNode
from actseg_ros.convert import compress, encode
from actseg_ros.label_output import LabelOutput
from actseg_ros.messages import array_message, status_message, time_message
from actseg_ros.qos import QosWatch

try:
    from vision_msgs.msg import Detection2DArray

    from actseg_ros.detections import detections_message
except ImportError:  # many robots do without
    Detection2DArray = None

LOG_EVERY_S = 5.0
FIRST_IMAGE_S = 2.0  # discovery takes a moment; so long a camera is not missed
Outgoing = list[tuple["Publisher[Any]", Any]]  # publishers with their messages


class TopicPublishers:
    """Publishes for one node; see actseg_core.live.reports.ReportPublisher.

    A message is made only while somebody subscribes to its topic.

    Args:
        node: Owns the publishers.
        status_deadline_s: QoS deadline of status [s].
        status_lease_s: QoS liveliness lease [s] of status.
        watch: Is told of subscribers whose QoS does not fit.

    Attributes:
        after: Called with each report that was published; must return at once.
        latest: The newest heartbeat.
        style: Of the overlay; replaced as a whole when it changes.
        refused_command: Why the newest command was refused or not read to its end, if it was.
        labels: Publishes the images of numbers.
    """

    def __init__(
        self,
        node: CameraNode,
        status_deadline_s: float,
        status_lease_s: float,
        watch: QosWatch,
    ) -> None:
        self._node, self._watch = node, watch
        self._result = self._publisher(ActorMaskArray, "~/result")
        self._text = AnswerText(self._publisher(String, "~/answer"))
        self._mask = self._publisher(Image, "~/mask")
        self._small_mask = self._publisher(CompressedImage, "~/mask/compressed")
        self._overlay = self._publisher(Image, "~/overlay")
        self._small_overlay = self._publisher(CompressedImage, "~/overlay/compressed")
        self._detections: Publisher[Any] | None = None
        if Detection2DArray is not None:
            self._detections = self._publisher(Detection2DArray, "~/detections")
        self.labels = LabelOutput(node, watch)
        self._status = node.create_publisher(
            SegmentationStatus,
            "~/status",
            qos.status(status_deadline_s, status_lease_s),
            event_callbacks=watch.publisher("~/status"),
        )
        self.style = OverlayConfig()
        self.refused_command = ""
        self._logged_s: dict[State, float] = {}
        self._overlay_stamp_ns = 0
        self._mask_is_shown = False
        self._missed_from_s = math.inf
        self.after: Callable[[Report], None] = lambda report: None
        self.latest = Health(State.UNCONFIGURED)

    @property
    def status_publisher(self) -> "Publisher[Any]":
        """For waiting until the last status has arrived."""
        return self._status

    def wants_image(self) -> bool:
        """Whether anybody looks at the overlay."""
        return _is_read(self._overlay) or _is_read(self._small_overlay)

    def prepare(self, report: Report) -> Callable[[], None]:
        """Build all messages of a report; calling the returned function publishes them."""
        outgoing = self._results(report)
        if report.answers:
            outgoing += self._masks(report)
            outgoing += self.labels.images(report)
        if report.answers and report.image is not None and self.wants_image():
            outgoing += self._drawn(report.image, report)

        def publish() -> None:
            self.labels.renew(report.queries)  # before the numbers that it explains
            for publisher, message in outgoing:
                publisher.publish(message)
            self._text.report(report)
            self.after(report)

        return publish

    def idle_image(self, frame: Frame) -> None:
        """The plain picture on `overlay`, so that a viewer sees the camera before any sentence.

        The first one after a mask brings an empty mask, so that a viewer does not keep the last.
        """
        header = Header(stamp=time_message(frame.stamp_ns), frame_id=frame.frame_id)
        outgoing: Outgoing = self.labels.nobody(frame)
        if self._mask_is_shown:
            self._mask_is_shown = False
            outgoing += self._mask_messages(np.zeros(frame.image.shape[:2], np.uint8), header)
        if self.wants_image() and self._is_newer(frame.stamp_ns):
            outgoing += self._pictures(frame.image, header)
        for publisher, message in outgoing:
            publisher.publish(message)

    def forget_stamps(self) -> None:
        """Let the overlay's stamps begin anew."""
        self._overlay_stamp_ns = 0

    def health(self, health: Health) -> None:
        """Publish a heartbeat; a camera that is missed, and one that comes, is logged."""
        before, self.latest = self.latest, health
        self._status.publish(status_message(health, self._now_ns(), self.refused_command))
        self._text.health(health)
        now_s = time.monotonic()
        if health.state is State.STALE_INPUT is not before.state:
            self._missed_from_s = now_s + (0.0 if health.received else FIRST_IMAGE_S)
        elif health.state is not State.STALE_INPUT is before.state:
            self._missed_from_s = math.inf
            if health.received > before.received:
                self._node.get_logger().info("images arrive")
        if now_s >= self._missed_from_s:
            self._missed_from_s = math.inf
            self.fault(health.state, health.detail)

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

    def _publisher(self, kind: type[Any], topic: str) -> "Publisher[Any]":
        return self._node.create_publisher(
            kind, topic, qos.answers(), event_callbacks=self._watch.publisher(topic)
        )

    def _results(self, report: Report) -> Outgoing:
        wants_result = _is_read(self._result)
        wants_detections = report.answers and _is_read(self._detections)
        if not wants_result and not wants_detections:
            return []
        array = array_message(report, self._now_ns())
        outgoing = [(self._result, array)] if wants_result else []
        if wants_detections and self._detections is not None:
            outgoing.append((self._detections, detections_message(array)))
        return outgoing

    def _masks(self, report: Report) -> Outgoing:
        if not _is_read(self._mask) and not _is_read(self._small_mask):
            return []
        newest, mask = _union(list(report.answers.values()))
        self._mask_is_shown = True
        return self._mask_messages(mask, _header(newest))

    def _mask_messages(self, mask: NDArray[np.uint8], header: Header) -> Outgoing:
        outgoing = [(self._mask, encode(mask, header))] if _is_read(self._mask) else []
        if _is_read(self._small_mask):
            outgoing.append((self._small_mask, compress(mask, header, is_mask=True)))
        return outgoing

    def _drawn(self, image: NDArray[np.uint8], report: Report) -> Outgoing:
        queries = [query for query in report.queries if query.id in report.answers]
        results = [(query.sentence.text, report.answers[query.id]) for query in queries]
        newest = max(report.answers.values(), key=lambda result: result.stamp_ns)
        if not self._is_newer(newest.stamp_ns):
            return []
        colours = [query.number for query in queries]
        picture = overlay(image, results, self.style, colours)
        return self._pictures(picture, _header(newest))

    def _pictures(self, picture: NDArray[np.uint8], header: Header) -> Outgoing:
        outgoing = [(self._overlay, encode(picture, header))] if _is_read(self._overlay) else []
        if _is_read(self._small_overlay):
            quality = self.style.jpeg_quality
            outgoing.append((self._small_overlay, compress(picture, header, quality)))
        return outgoing

    def _is_newer(self, stamp_ns: int) -> bool:
        """Keeps the overlay's stamps rising where answers lag behind plain pictures."""
        is_newer = stamp_ns > self._overlay_stamp_ns
        if is_newer:
            self._overlay_stamp_ns = stamp_ns
        return is_newer

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)


def _is_read(publisher: "Publisher[Any] | None") -> TypeGuard["Publisher[Any]"]:
    return publisher is not None and publisher.get_subscription_count() > 0


def _union(results: list[MaskResult]) -> tuple[MaskResult, NDArray[np.uint8]]:
    newest = max(results, key=lambda result: result.stamp_ns)
    mask = newest.mask
    for result in results:
        mask = np.maximum(mask, result.mask)
    return newest, mask


def _header(result: MaskResult) -> Header:
    return Header(stamp=time_message(result.stamp_ns), frame_id=result.frame_id)
