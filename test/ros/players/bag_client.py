"""Tells what a player and a node publish, as JSON lines on stdout; a process of its own."""

import hashlib
import json
import sys
from typing import Any

import rclpy
from actseg.msg import ActorMaskArray, SegmentationStatus
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image


def stamp_ns(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def tell(kind: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **values}) + "\n")
    sys.stdout.flush()


def on_stamped(kind: str) -> Any:
    return lambda message: tell(kind, stamp_ns=stamp_ns(message.header.stamp))


def on_clock(message: Clock) -> None:
    tell("clock", stamp_ns=stamp_ns(message.clock))


def on_status(message: SegmentationStatus) -> None:
    stamp, processed = stamp_ns(message.header.stamp), int(message.frames_processed)
    tell("status", stamp_ns=stamp, processed=processed)


def on_result(message: ActorMaskArray) -> None:
    digest = hashlib.sha256()
    for mask in message.masks:
        digest.update(f"{mask.sentence} {mask.state.value} {mask.confidence:.6f}".encode())
        digest.update(bytes(mask.mask.data))
    tell("result", stamp_ns=stamp_ns(message.header.stamp), digest=digest.hexdigest())


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("bag_client")
    many = QoSProfile(depth=500)
    camera = "/bag_camera"
    node.create_subscription(Image, f"{camera}/depth", on_stamped("depth"), many)
    node.create_subscription(CameraInfo, f"{camera}/camera_info", on_stamped("camera_info"), many)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    late = on_stamped("latched_info")
    node.create_subscription(CameraInfo, f"{camera}/camera_info", late, latched)
    node.create_subscription(Clock, "/clock", on_clock, many)
    node.create_subscription(Image, "/actseg/overlay", on_stamped("overlay"), many)
    node.create_subscription(ActorMaskArray, "/actseg/result", on_result, many)
    node.create_subscription(SegmentationStatus, "/actseg/status", on_status, many)
    # Last: a player that waits for this one has heard of the others, which are told in order.
    node.create_subscription(Image, f"{camera}/image_raw", on_stamped("image"), many)
    while True:
        rclpy.spin_once(node, timeout_sec=0.02)


if __name__ == "__main__":
    main()
