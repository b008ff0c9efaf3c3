"""The planner's side of test_chain.py, a process of its own.

Lines on stdin are published as commands, "flood N" as N of them at 1 kHz; "deactivate" asks for
that transition. Everything received is a JSON line on stdout.
"""

import json
import os
import sys
import threading
import time
from typing import Any

import rclpy
from actseg.msg import ActorMaskArray, SegmentationStatus
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

TELLING = threading.Lock()
DEACTIVATE = Transition(id=Transition.TRANSITION_DEACTIVATE)


def stamp_ns(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def tell(kind: str, **values: Any) -> None:
    line = json.dumps({"kind": kind, "at_s": time.monotonic(), **values})
    with TELLING:  # a long line is written in pieces, and two threads tell
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def on_result(message: ActorMaskArray, about: dict[str, Any]) -> None:
    tell(
        "result",
        sent_ns=about["source_timestamp"],
        state=message.state.value,
        revision=message.query_revision,
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        masks=[
            {
                "sentence": mask.sentence,
                "state": mask.state.value,
                "stamp_ns": stamp_ns(mask.header.stamp),
                "warped": mask.warped,
                "moved_ns": stamp_ns(mask.moved),
                "size": [mask.mask.width, mask.mask.height],
                "values": sorted(set(mask.mask.data)),
            }
            for mask in message.masks
        ],
    )


def on_status(message: SegmentationStatus, about: dict[str, Any]) -> None:
    tell(
        "status",
        sent_ns=about["source_timestamp"],
        state=message.state.value,
        revision=message.query_revision,
        stamp_ns=stamp_ns(message.header.stamp),
        detail=message.detail,
        rejected=message.frames_rejected,
        received=message.frames_received,
        refused=message.refused_command,
    )


def on_image(message: Image) -> None:
    tell("image", stamp_ns=stamp_ns(message.header.stamp), size=[message.width, message.height])


def on_diagnostics(message: DiagnosticArray) -> None:
    for status in message.status:
        values = {item.key: item.value for item in status.values}
        tell("diagnostics", level=status.level[0], message=status.message, values=values)


def flood(command: Any, count: int) -> None:
    """Commands at 1 kHz."""
    due_s = time.monotonic()
    for number in range(count):
        command.publish(String(data=f"square number {number}"))
        due_s += 0.001
        time.sleep(max(0.0, due_s - time.monotonic()))
    tell("flooded")


def main() -> None:
    rclpy.init()
    node = Node("client")
    many = QoSProfile(depth=200)
    node.create_subscription(ActorMaskArray, "/actseg/result", on_result, many)
    node.create_subscription(SegmentationStatus, "/actseg/status", on_status, many)
    node.create_subscription(Image, "/camera/image_raw", on_image, many)
    node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, many)
    command = node.create_publisher(String, "/actseg/command", 10)
    transition = node.create_client(ChangeState, "/actseg/change_state")

    def obey() -> None:
        for line in sys.stdin:
            text = json.loads(line)
            if text == "deactivate":
                transition.call_async(ChangeState.Request(transition=DEACTIVATE))
                continue
            if text.startswith("flood "):
                flood(command, int(text.removeprefix("flood ")))
                continue
            command.publish(String(data=text))
            tell("command", text=text)
        os._exit(0)

    threading.Thread(target=obey, daemon=True).start()
    told = False
    while True:
        rclpy.spin_once(node, timeout_sec=0.02)
        if not told and command.get_subscription_count() > 0:
            told = True
            tell("matched")


if __name__ == "__main__":
    main()
