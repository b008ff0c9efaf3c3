"""The node as the parts of one camera see it: their names and log lines bear the camera's name."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from actseg_core.errors import ConfigError
from actseg_ros.remaps import SEGMENTATION
from actseg_ros.settings import SegmentationConfig

ONLY = ""  # the name of a camera that is the only one
LONGEST_NAME = 64  # DDS allows 255 characters for a whole topic name
GROUPS = ("stream", "overlay", "spatial", "web", "qos_overrides")
SHARED = ("/diagnostics",)


class CameraNode:
    """Everything of the node, but `~/mask` is `~/front/mask`, and log lines begin with the name.

    Args:
        node: The node.
        name: Of the camera; empty: the only one, whose names are the node's own.
        inputs: Topics to take in place of `~/image` and so on; empty ones count as missing.
        cameras: Names of all cameras.
    """

    def __init__(
        self,
        node: LifecycleNode,
        name: str = ONLY,
        inputs: Mapping[str, str] | None = None,
        cameras: Sequence[str] = (ONLY,),
    ) -> None:
        self.node, self.name = node, name
        self.names = names_of(cameras)
        self._inputs = {topic: other for topic, other in (inputs or {}).items() if other}
        logger = node.get_logger()
        self._logger: RcutilsLogger = logger.get_child(name) if name else logger

    def __getattr__(self, attribute: str) -> Any:
        """What is not of one camera alone."""
        return getattr(self.node, attribute)

    def private_name(self, topic: str) -> str:
        """The node's name for what is ~/TOPIC to the camera; others stay as they are."""
        return private_name(topic, self.name)

    def topic(self, topic: str) -> str:
        """The same, or the topic that was named in its place."""
        for own, other in self._inputs.items():
            if topic == own or topic.startswith(f"{own}/"):
                return other + topic.removeprefix(own)
        return self.private_name(topic)

    def resolve_topic_name(self, topic: str) -> str:
        """rclpy's, of the camera's topic."""
        return str(self.node.resolve_topic_name(self.topic(topic)))

    def get_fully_qualified_name(self) -> str:
        """rclpy's, and the camera's name."""
        full = str(self.node.get_fully_qualified_name())
        return f"{full}/{self.name}" if self.name else full

    def get_logger(self) -> RcutilsLogger:
        """rclpy's, for this camera."""
        return self._logger

    def create_publisher(
        self, kind: type[Any], topic: str, *arguments: Any, **options: Any
    ) -> "Publisher[Any]":
        """rclpy's, of the camera's topic."""
        return self.node.create_publisher(kind, self.topic(topic), *arguments, **options)

    def create_subscription(
        self, kind: type[Any], topic: str, *arguments: Any, **options: Any
    ) -> "Subscription[Any]":
        """rclpy's, of the camera's topic."""
        return self.node.create_subscription(kind, self.topic(topic), *arguments, **options)

    def create_service(self, kind: Any, name: str, *arguments: Any, **options: Any) -> Any:
        """rclpy's, of the camera's service."""
        return self.node.create_service(kind, self.private_name(name), *arguments, **options)


AnyNode = Node | CameraNode


def private_name(topic: str, camera: str) -> str:
    """~/TOPIC as a name of the node: ~/CAMERA/TOPIC where the camera has a name."""
    return f"~/{camera}{topic[1:]}" if camera and topic.startswith("~/") else topic


def names_of(cameras: Sequence[str]) -> tuple[str, ...]:
    """All topics and services of a node with these cameras, as remappings name them."""
    own = [item for item in SEGMENTATION if item not in SHARED]
    return (*(private_name(item, camera) for camera in cameras for item in own), *SHARED)


def check_cameras(cameras: Sequence[str]) -> None:
    """Refuse names that no topics and parameters can be made of.

    Raises:
        ConfigError: If there is none, one is no name, comes twice, or means something else.
    """
    if tuple(cameras) == (ONLY,):
        return
    if not cameras:
        raise ConfigError(
            "parameter cameras: the list is empty; name at least one camera, such as [front, "
            "rear], or leave the parameter out for a single one"
        )
    topics = {name.split("/")[1] for name in SEGMENTATION}
    taken = {*SegmentationConfig.model_fields, *GROUPS, *topics}
    for index, name in enumerate(cameras):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", name):
            raise ConfigError(
                f"parameter cameras: {name!r} is no name for topics; take letters, digits and "
                "single underscores, a letter first"
            )
        if len(name) > LONGEST_NAME:
            raise ConfigError(
                f"parameter cameras: {name[:LONGEST_NAME]!r}... has {len(name)} characters, "
                f"{LONGEST_NAME} are allowed"
            )
        if name in cameras[:index]:
            raise ConfigError(
                f"parameter cameras: {name!r} is named twice in {list(cameras)}; give each "
                "camera a name of its own"
            )
        if name in taken:
            raise ConfigError(
                f"parameter cameras: {name!r} is a topic, service or parameter of this node "
                f"already; take another name, such as {name}_camera"
            )
