"""Which sentence or actor each pixel shows, for costmaps: the images and what the numbers mean."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from actseg_core.config import StreamConfig
from actseg_core.live.label_images import (
    Grid,
    Labelled,
    confidence_image,
    instance_image,
    label_mask,
)
from actseg_core.live.queries import Query
from actseg_core.live.reports import LoadedModel, Report
from actseg_core.types import Frame
from actseg_ros import qos
from actseg_ros.camera_node import CameraNode
from actseg_ros.convert import encode
from actseg_ros.messages import time_message
from actseg_ros.qos import QosWatch

try:
    from vision_msgs.msg import LabelInfo, VisionClass
except ImportError:  # many robots do without
    LabelInfo = None

Outgoing = list[tuple["Publisher[Any]", Any]]
Draw = Callable[[Sequence[Labelled], float], NDArray[Any]]


def threshold_of(model: LoadedModel | None, stream: StreamConfig) -> float:
    """The confidence [0, 1] below which nobody is found; 0 without a model."""
    if stream.min_confidence >= 0:
        return stream.min_confidence
    return model.threshold if model else 0.0


class LabelOutput:
    """Publishes `~/label_mask`, `~/confidence`, `~/instances` and `~/label_info`.

    The images are made only while somebody subscribes.

    Args:
        node: Owns the publishers.
        watch: Is told of subscribers whose QoS does not fit.

    Attributes:
        threshold: Tells the confidence [0, 1] below which nobody is found.
        scale: Of the images' sides, to the camera's.
    """

    def __init__(self, node: CameraNode, watch: QosWatch) -> None:
        self._node = node
        drawn: dict[str, Draw] = {
            "~/label_mask": label_mask,
            "~/confidence": confidence_image,
            "~/instances": instance_image,
        }
        self._images = [
            (
                node.create_publisher(
                    Image, topic, qos.answers(), event_callbacks=watch.publisher(topic)
                ),
                draw,
            )
            for topic, draw in drawn.items()
        ]
        self._info: Publisher[Any] | None = None
        if LabelInfo is not None:
            topic = "~/label_info"
            self._info = node.create_publisher(
                LabelInfo, topic, qos.latched(), event_callbacks=watch.publisher(topic)
            )
        self.threshold: Callable[[], float] = lambda: 0.0
        self.scale = 1.0
        self._lock = threading.Lock()  # the worker renews, and without one the executor
        self._told: tuple[Any, ...] | None = None
        self._is_shown = False

    def images(self, report: Report) -> Outgoing:
        """The images about the newest frame of a report that are subscribed to."""
        wanted = self._wanted()
        if not report.answers or not wanted:
            return []
        newest = max(report.answers.values(), key=lambda result: result.stamp_ns)
        answers = [
            (query.label, report.answers[query.id])
            for query in report.queries
            if query.id in report.answers and report.answers[query.id].stamp_ns == newest.stamp_ns
        ]
        header = Header(stamp=time_message(newest.stamp_ns), frame_id=newest.frame_id)
        self._is_shown, scale = True, self.scale  # one for all, whoever changes it meanwhile
        return [(publisher, encode(draw(answers, scale), header)) for publisher, draw in wanted]

    def nobody(self, frame: Frame) -> Outgoing:
        """Empty images, once, with the first frame about which nothing is asked any more."""
        if not self._is_shown:
            return []
        self._is_shown = False
        header = Header(stamp=time_message(frame.stamp_ns), frame_id=frame.frame_id)
        shape = Grid(frame.image.shape, self.scale).shape
        return [
            (publisher, encode(np.zeros(shape, kind), header))
            for (publisher, draw) in self._wanted()
            for kind in [np.uint16 if draw is instance_image else np.uint8]
        ]

    def renew(self, queries: Sequence[Query]) -> None:
        """Publish `~/label_info` if sentences, numbers or threshold are not what it said last."""
        if self._info is None:
            return
        with self._lock:
            labels = tuple((query.label, query.sentence.text) for query in queries)
            told = (*labels, self.threshold())
            if told == self._told:
                return
            self._told = told
            stamp = self._node.get_clock().now().to_msg()
            self._info.publish(
                LabelInfo(
                    header=Header(stamp=stamp),
                    class_map=[
                        VisionClass(class_id=number, class_name=text) for number, text in labels
                    ],
                    threshold=self.threshold(),
                )
            )

    def _wanted(self) -> list[tuple["Publisher[Any]", Draw]]:
        return [item for item in self._images if item[0].get_subscription_count() > 0]
