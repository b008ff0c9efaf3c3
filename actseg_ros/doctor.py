"""The part of `actseg doctor` that needs ROS: messages, converter, transport, camera."""

import os
import time
from collections.abc import Iterator
from importlib import import_module

import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CompressedImage, Image

from actseg_core.config import StreamConfig
from actseg_core.errors import ActSegError
from actseg_ros import graph, qos

Finding = tuple[str, str, str]
OPTIONAL = {
    "rviz2": "shows the answers (rviz:=true)",
    "v4l2_camera": "USB cameras (v4l2:=/dev/video0); video:=0 plays them without it",
    "vision_msgs": "the topic ~/detections",
}
TRANSPORT = "FASTDDS_BUILTIN_TRANSPORTS"
DISCOVERY_S = 1.5
COUNTED_S = 2.0
SPIN_S = 0.05


def findings(image: str, wait_s: float) -> Iterator[Finding]:
    """Look at what the nodes need.

    Args:
        image: Topic of the camera; empty: none is waited for, those that exist are named.
        wait_s: How long to wait for the first image [s].
    """
    yield _distribution()
    yield _messages()
    yield _converter()
    yield from _optional()
    yield _transport()
    context = Context()
    rclpy.init(context=context)
    try:
        node = Node("actseg_doctor", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        yield _camera(node, executor, image, wait_s)
        yield _running(node)
        executor.shutdown()
        node.destroy_node()
    finally:
        context.try_shutdown()


def _distribution() -> Finding:
    name = os.environ.get("ROS_DISTRO", "")
    place = f"ROS {name}, sourced" if name else "ROS's wheels in this Python, none sourced"
    return "ok", "ROS", f"{place}; {get_rmw_implementation_identifier()}"


def _messages() -> Finding:
    try:
        import_module("actseg.msg").ActorMaskArray.__class__.__import_type_support__()
    except Exception as error:
        what = "build them: colcon build and source install/setup.bash, or make setup"
        return "fail", "messages", f"actseg/msg does not load ({error}); {what}"
    return "ok", "messages", "actseg/msg and its type support load"


def _converter() -> Finding:
    try:
        convert = import_module("actseg_ros.convert")
    except Exception as error:
        return "fail", "converter", str(error)
    return "ok", "converter", str(convert.CONVERTER_NAME)


def _optional() -> Iterator[Finding]:
    for package, purpose in OPTIONAL.items():
        try:
            get_package_prefix(package)
        except (PackageNotFoundError, OSError):  # OSError: no AMENT_PREFIX_PATH, so none is found
            yield "ok", package, f"not installed; needed only for: {purpose}"


def _transport() -> Finding:
    rmw = get_rmw_implementation_identifier()
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    text = f"{rmw}, ROS_DOMAIN_ID {domain}"
    if rmw != "rmw_fastrtps_cpp":
        return "ok", "transport", text
    value = os.environ.get(TRANSPORT, "")
    if value:
        return "ok", "transport", f"{text}, {TRANSPORT}={value}"
    return (
        "hint",
        "transport",
        f"{text}; {TRANSPORT} is not set in this shell: export {TRANSPORT}=LARGE_DATA for the "
        "camera driver, or most large images are lost (the launch file sets it for its own nodes)",
    )


def _camera(node: Node, executor: SingleThreadedExecutor, image: str, wait_s: float) -> Finding:
    if not image:
        _spin(executor, DISCOVERY_S)
        text = graph.others(node, "", (graph.IMAGE, graph.COMPRESSED), "~/image")
        return "ok", "camera", f"not looked for (--image TOPIC does); {text}"
    is_compressed = image.endswith("/compressed")
    messages: list[Image | CompressedImage] = []
    times_s: list[float] = []

    def on_image(message: Image | CompressedImage) -> None:
        messages[:] = [message]
        times_s.append(time.monotonic())

    kind = CompressedImage if is_compressed else Image
    try:
        node.create_subscription(kind, image, on_image, qos.images("best_effort", 10))
    except Exception as error:
        return "fail", "camera", f"{image} is no name of a topic: {error}"
    end_s = time.monotonic() + wait_s
    while not messages and time.monotonic() < end_s:
        executor.spin_once(timeout_sec=SPIN_S)
    if messages:
        _spin(executor, COUNTED_S)
    if not messages:
        return "fail", "camera", _silence(node, image)
    try:
        convert = import_module("actseg_ros.convert")
        height, width, _ = convert.decode(messages[-1], StreamConfig().max_pixels).shape
    except ActSegError as error:
        return "fail", "camera", f"{image}: {error}"
    encoding = messages[-1].format if is_compressed else messages[-1].encoding
    passed_s = times_s[-1] - times_s[0]
    rate = f"{(len(times_s) - 1) / passed_s:.1f} images/s" if passed_s else "one image so far"
    return "ok", "camera", f"{image}: {width}x{height} {encoding}, {rate}"


def _silence(node: Node, image: str) -> str:
    if node.count_publishers(image) == 0:
        kinds = (graph.IMAGE, graph.COMPRESSED)
        return f"nobody publishes {image}; {graph.others(node, image, kinds, '~/image')}"
    what = f"set {TRANSPORT}=LARGE_DATA for the camera and here, and look whether it sends"
    return f"no image arrives: {graph.publishers(node, image)}; {what}"


def _running(node: Node) -> Finding:
    kind = "actseg/msg/SegmentationStatus"
    found = [name for name, types in node.get_topic_names_and_types() if kind in types]
    nodes = [name.rpartition("/")[0] for name in found]
    return "ok", "nodes", f"running: {', '.join(sorted(nodes)) or 'none'}"


def _spin(executor: SingleThreadedExecutor, duration_s: float) -> None:
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=SPIN_S)
