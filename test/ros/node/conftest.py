"""The node on the real rclpy with a small model, and a client beside it."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from actseg.msg import ActorMaskArray, SegmentationStatus
from diagnostic_msgs.msg import DiagnosticArray
from fake_engine import FakeEngine
from patience import PATIENCE_S
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import (
    QoSProfile,
    qos_profile_sensor_data,
)
from sensor_msgs.msg import Image
from std_msgs.msg import String

from actseg_core.live.reports import LoadedModel
from actseg_core.live.states import State
from actseg_ros.convert import encode
from actseg_ros.segmentation_node import SegmentationNode

PICTURE = np.zeros((12, 16, 3), np.uint8)
# The picture stands still on purpose; and a computer that is busy for a while is no fault of
# camera or node. Tests of a limit give their own.
PATIENT: dict[str, Any] = {
    "frozen_frames": 0,
    "image_depth": 50,
    "stream__stale_after_s": 60.0,
    "stream__max_age_s": 60.0,
    "stream__max_gap_s": 60.0,
}


class Bench:
    """The node and a client on one executor in one domain."""

    def __init__(self, context: Context, engine: Any, read: Any, **values: Any) -> None:
        given = {**PATIENT, **values}
        overrides = [
            Parameter(name.replace("__", "."), value=value) for name, value in given.items()
        ]
        self.load_error: Exception | None = None
        self.model = LoadedModel((engine,), read, "small")
        self.node = SegmentationNode(self.load, context=context, parameter_overrides=overrides)
        self.client = Node("client", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        for node in (self.node, self.client):
            self.executor.add_node(node)
        self.subscriptions: dict[str, Any] = {}
        self.results: list[ActorMaskArray] = []
        self.statuses: list[SegmentationStatus] = []
        self.diagnostics: list[DiagnosticArray] = []
        many = QoSProfile(depth=100)
        for kind, topic, kept in (
            (ActorMaskArray, "/actseg/result", self.results),
            (SegmentationStatus, "/actseg/status", self.statuses),
            (DiagnosticArray, "/diagnostics", self.diagnostics),
        ):
            self.subscriptions[topic] = self.client.create_subscription(
                kind, topic, kept.append, many
            )
        self.camera = self.client.create_publisher(Image, "/actseg/image", qos_profile_sensor_data)
        self.command = self.client.create_publisher(String, "/actseg/command", 10)

    def load(self, settings: Any, _stream: Any) -> LoadedModel:
        if self.load_error:
            raise self.load_error
        others = (FakeEngine() for _ in settings.cameras[1:])
        self.model = replace(self.model, engines=(self.model.engines[0], *others))
        return self.model

    def spin_until(self, condition: Callable[[], Any], feed: bool = True, what: str = "") -> None:
        end_s, due_s = time.monotonic() + PATIENCE_S, 0.0
        while not condition():
            now_s = time.monotonic()
            told = self.diagnostics[-1].status[0].message if self.diagnostics else ""
            assert now_s < end_s, f"{what or condition} not within {PATIENCE_S:g} s; {told}"
            if feed and now_s >= due_s:
                due_s = now_s + 0.02
                self.camera.publish(self.picture())
            self.executor.spin_once(timeout_sec=0.01)

    def picture(self) -> Image:
        message = encode(PICTURE, Image().header)
        message.header.stamp = self.client.get_clock().now().to_msg()
        message.header.frame_id = "cam"
        return message

    def start(self) -> None:
        assert self.node.start() == ""
        self.spin_until(lambda: self.camera.get_subscription_count() == 1, feed=False)
        self.spin_until(lambda: self.command.get_subscription_count() >= 1, feed=False)

    def start_unmanaged(self) -> None:
        for trigger in (self.node.trigger_configure, self.node.trigger_activate):
            assert trigger() == TransitionCallbackReturn.SUCCESS

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.client.create_client(kind, f"/actseg/{name}")
        self.spin_until(client.service_is_ready)
        future = client.call_async(request)
        self.spin_until(future.done)
        return future.result()

    @property
    def state(self) -> State | None:
        return State(self.statuses[-1].state.value) if self.statuses else None

    def has_answered(self) -> bool:
        """Whether the newest result bears masks; status and result may overtake each other."""
        return bool(self.results and self.results[-1].header.stamp.sec)

    def is_in(self, state: State) -> Callable[[], bool]:
        return lambda: self.state is state


@pytest.fixture
def make(bench_of: Any, engine: Any, read: Any) -> Callable[..., Bench]:
    def build(**values: Any) -> Bench:
        bench: Bench = bench_of(lambda context: Bench(context, engine, read, **values))
        return bench

    return build
