"""A camera that sends good frames and, for each line on stdin, one that makes no sense.

With the argument `compressed` it sends JPEG, with `slow` one image per second. After the line
"alive" no two of its raw frames are the same; after "frozen" all are, as in the beginning. The
other end of test_bad_input.py, test_frozen_camera.py and test_slow_camera.py.
"""

import queue
import sys
import threading
import time
from array import array
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image

WIDTH, HEIGHT, PERIOD_S = 64, 48, 0.1
PICTURE = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
JPEG = cv2.imencode(".jpg", PICTURE)[1].tobytes()
PNG = cv2.imencode(".png", PICTURE)[1].tobytes()
NAN_DEPTH = np.full((HEIGHT, WIDTH), np.nan, np.float32).tobytes()


def good() -> Image:
    data = array("B", PICTURE.tobytes())
    return Image(width=WIDTH, height=HEIGHT, step=WIDTH * 3, encoding="bgr8", data=data)


def small(content: bytes, kind: str = "jpeg") -> CompressedImage:
    return CompressedImage(format=kind, data=array("B", content))


def changed(**fields: Any) -> Callable[[], Image]:
    def make() -> Image:
        message = good()
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    return make


RAW: dict[str, Callable[[], Any]] = {
    "small step": changed(step=WIDTH * 3 - 1),
    "short data": changed(data=array("B", bytes(100))),
    "no data": changed(data=array("B")),
    "zero size": changed(width=0, height=0, step=0, data=array("B")),
    "absurd size": changed(width=2**32 - 1, height=2**32 - 1),
    "unknown encoding": changed(encoding="bgr8 \x1b[31m"),
    "empty encoding": changed(encoding=""),
    "long encoding": changed(encoding="x" * 10_000),
    "NaN depth": changed(encoding="32FC1", step=WIDTH * 4, data=array("B", NAN_DEPTH)),
    "other numbers": changed(encoding="64FC1", step=WIDTH * 8),
    "zero stamp": good,
    "negative stamp": good,
    "old stamp": good,
    "future stamp": good,
    "stamp again": good,
}
COMPRESSED: dict[str, Callable[[], Any]] = {
    "cut JPEG": lambda: small(JPEG[: len(JPEG) // 2]),
    "cut PNG": lambda: small(PNG[:-9], "png"),
    "wrong checksum": lambda: small(PNG[:45] + bytes([PNG[45] ^ 1]) + PNG[46:], "png"),
    "empty": lambda: small(b""),
    "no picture": lambda: small(b"GIF89a" + bytes(100)),
    "huge claim": lambda: small(PNG[:16] + b"\x00\x00\xea\x60" * 2 + PNG[24:], "png"),
}
SHIFTS_S = {"old stamp": -3 * 3600, "future stamp": 100}


def stamped(message: Any, kind: str, now_ns: int, before_ns: int) -> Any:
    if kind == "stamp again":
        now_ns = before_ns
    now_ns += SHIFTS_S.get(kind, 0) * 10**9
    stamp = message.header.stamp
    stamp.sec, stamp.nanosec = now_ns // 10**9, now_ns % 10**9
    if kind == "zero stamp":
        stamp.sec = stamp.nanosec = 0
    if kind == "negative stamp":
        stamp.sec = -5
    message.header.frame_id = "cam"
    return message


def main() -> None:
    is_compressed = "compressed" in sys.argv
    period_s = 1.0 if "slow" in sys.argv else PERIOD_S
    rclpy.init()
    node = Node("camera")
    type_, topic = (CompressedImage, "/compressed") if is_compressed else (Image, "")
    publisher = node.create_publisher(type_, f"/camera/image_raw{topic}", QoSProfile(depth=100))
    wanted: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            wanted.put(line.strip())

    threading.Thread(target=read, daemon=True).start()
    faults = COMPRESSED if is_compressed else RAW
    before_ns, sent, is_alive = 0, 0, False
    while True:
        message = small(JPEG) if is_compressed else good()
        sent += 1
        if is_alive:
            message.data[0] = sent % 256
        now_ns = time.time_ns()
        publisher.publish(stamped(message, "", now_ns, 0))
        before_ns = now_ns
        time.sleep(period_s / 2)
        if not wanted.empty():
            kind = wanted.get()
            if kind in ("alive", "frozen"):
                is_alive = kind == "alive"
            elif kind == "raw bytes":
                publisher.publish(bytes(range(7)) * 9)  # no CDR of any message
            else:
                publisher.publish(stamped(faults[kind](), kind, time.time_ns(), before_ns))
        time.sleep(period_s / 2)


if __name__ == "__main__":
    main()
