"""Tells the answers and images in several namespaces, as JSON lines; a process of its own."""

import json
import sys
from typing import Any

import rclpy
from actseg.msg import ActorMaskArray, SegmentationStatus
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

states: dict[str, int] = {}


def stamp_ns(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def tell(kind: str, robot: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, "robot": robot, **values}) + "\n")
    sys.stdout.flush()


def listen(node: Any, robot: str, result: str) -> None:
    many = QoSProfile(depth=200)

    def on_image(message: Image) -> None:
        tell("image", robot, stamp_ns=stamp_ns(message.header.stamp))

    def on_result(message: ActorMaskArray) -> None:
        if message.header.stamp.sec:
            tell(
                "result",
                robot,
                stamp_ns=stamp_ns(message.header.stamp),
                frame_id=message.header.frame_id,
                state=message.state.value,
                sentences=[mask.sentence for mask in message.masks],
                sizes=[[mask.mask.width, mask.mask.height] for mask in message.masks],
            )

    def on_status(message: SegmentationStatus) -> None:
        if message.state.value != states.get(robot):
            states[robot] = message.state.value
            tell("state", robot, state=message.state.value, detail=message.detail)

    node.create_subscription(Image, f"/{robot}/camera/image_raw", on_image, many)
    node.create_subscription(ActorMaskArray, result.format(robot), on_result, many)
    status = result.replace("result", "status").format(robot)
    node.create_subscription(SegmentationStatus, status, on_status, many)


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("namespace_client")
    names, result = sys.argv[1:], "/{}/actseg/result"
    if "--one-node" in names:
        names.remove("--one-node")
        result = "/actseg/{}/result"
    for name in names:
        listen(node, name, result)
    while True:
        rclpy.spin_once(node, timeout_sec=0.02)


if __name__ == "__main__":
    main()
