"""The node with depth on the real rclpy with a small model, and a client that is its camera."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped
from patience import PATIENCE_S
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

from actseg_core.live.reports import LoadedModel
from actseg_ros.convert import encode
from actseg_ros.segmentation_node import SegmentationNode

# The small model marks rows 2 to 4 and columns 3 to 8 of a 16x12 picture.
K = [10.0, 0.0, 5.5, 0.0, 10.0, 2.0, 0.0, 0.0, 1.0]
TOPICS = {"centroid": PointStamped, "points": PointCloud2, "markers": MarkerArray}


class Bench:
    """The node, and a client that is its camera and reads what was asked for."""

    def __init__(self, context: Context, engine: Any, read: Any, **values: Any) -> None:
        given = {"enabled": True, "min_points": 5, **values}
        names = {name: name if "." in name else f"spatial.{name}" for name in given}
        overrides = [Parameter(names[name], value=value) for name, value in given.items()]
        overrides.append(Parameter("frozen_frames", value=0))  # the picture stands still
        # A computer that is busy for a while is no fault of camera or node.
        for name in ("stale_after_s", "max_age_s", "max_gap_s"):
            overrides.append(Parameter(f"stream.{name}", value=60.0))
        model = LoadedModel((engine,), read, "small")
        self.node = SegmentationNode(
            lambda _settings, _stream: model, context=context, parameter_overrides=overrides
        )
        self.client = Node("client", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.executor.add_node(self.client)
        many = QoSProfile(depth=100)
        create = self.client.create_publisher
        self.camera = create(Image, "/actseg/image", many)
        self.depth_camera = create(Image, "/actseg/depth", many)
        self.info_camera = create(CameraInfo, "/actseg/camera_info", many)
        self.command = create(String, "/actseg/command", 10)
        self.came: dict[str, list[Any]] = {name: [] for name in TOPICS}
        self.diagnostics: list[DiagnosticArray] = []
        self.client.create_subscription(
            DiagnosticArray, "/diagnostics", self.diagnostics.append, many
        )
        self.sent: list[tuple[int, int]] = []
        self.info: CameraInfo | None = CameraInfo(width=16, height=12, k=K)
        self.depth_mm: np.ndarray | None = np.full((12, 16), 2000, np.uint16)
        self.encoding = "16UC1"
        self.depth_ahead_ns = 0

    def read(self, *names: str) -> None:
        for name in names:
            many = QoSProfile(depth=100)
            self.client.create_subscription(
                TOPICS[name], f"/actseg/{name}", self.came[name].append, many
            )

    def spin_until(self, condition: Callable[[], Any], feed: bool = True, what: str = "") -> None:
        end_s, due_s = time.monotonic() + PATIENCE_S, 0.0
        while not condition():
            now_s = time.monotonic()
            assert now_s < end_s, (
                f"{what or condition} not within {PATIENCE_S:g} s; {self.facts()}"
            )
            if feed and now_s >= due_s:
                due_s = now_s + 0.03
                self.feed()
            self.executor.spin_once(timeout_sec=0.01)

    def feed(self) -> None:
        """A picture, and depth of the same stamp."""
        header = Header(stamp=self.client.get_clock().now().to_msg(), frame_id="optical")
        self.sent.append((header.stamp.sec, header.stamp.nanosec))
        self.camera.publish(encode(np.zeros((12, 16, 3), np.uint8), header))
        if self.info is not None:
            self.info.header = header
            self.info_camera.publish(self.info)
        if self.depth_mm is not None:
            height, width = self.depth_mm.shape
            depth = Image(header=header, height=height, width=width, encoding=self.encoding)
            if self.depth_ahead_ns:
                stamp = Time.from_msg(header.stamp) + Duration(nanoseconds=self.depth_ahead_ns)
                depth.header = Header(stamp=stamp.to_msg(), frame_id="optical")
            depth.step = width * self.depth_mm.itemsize
            depth.data.frombytes(self.depth_mm.tobytes())
            self.depth_camera.publish(depth)

    def ask(self, sentence: str) -> None:
        self.spin_until(lambda: self.command.get_subscription_count() > 0, feed=False)
        self.command.publish(String(data=sentence))

    def message(self) -> str:
        """Of the newest diagnostics, with its level before it."""
        if not self.diagnostics:
            return ""
        (status,) = self.diagnostics[-1].status
        return f"{status.level[0]} {status.message}"

    def facts(self) -> dict[str, str]:
        if not self.diagnostics:
            return {}
        return {item.key: item.value for item in self.diagnostics[-1].status[0].values}


@pytest.fixture
def make(bench_of: Any, engine: Any, read: Any) -> Callable[..., Bench]:
    def build(**values: Any) -> Bench:
        bench: Bench = bench_of(lambda context: Bench(context, engine, read, **values))
        assert bench.node.start() == ""
        return bench

    return build
