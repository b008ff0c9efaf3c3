"""Writes a picture of the next points and markers: a look at the 3-D outputs without RViz.

python docs/examples/plot_points.py points.png --ros-args -r __ns:=/actseg

Needs matplotlib. Left the view of the camera, right the view from above.
"""

import sys
import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import rclpy
from matplotlib import pyplot
from matplotlib.patches import Rectangle
from rclpy.qos import QoSProfile
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import PointCloud2
from visualization_msgs.msg import Marker, MarkerArray

from actseg_ros.spatial.messages import POINT

TIMEOUT_S = 60.0
matplotlib.use("Agg")


def receive() -> tuple[PointCloud2, MarkerArray]:
    """The next cloud that is not empty, and the markers of the same frame.

    Raises:
        SystemExit: If none come.
    """
    node = rclpy.create_node("plot_points")
    clouds: dict[str, PointCloud2] = {}
    markers: dict[str, MarkerArray] = {}

    def on_points(message: PointCloud2) -> None:
        if message.width:
            clouds[str(message.header.stamp)] = message

    def on_markers(message: MarkerArray) -> None:
        markers[str(message.markers[0].header.stamp)] = message

    newest = QoSProfile(depth=1)
    node.create_subscription(PointCloud2, "points", on_points, newest)
    node.create_subscription(MarkerArray, "markers", on_markers, newest)
    end_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end_s:
        rclpy.spin_once(node, timeout_sec=0.1)
        for stamp in clouds.keys() & markers.keys():
            return clouds[stamp], markers[stamp]
    raise SystemExit(f"no points and markers within {TIMEOUT_S:g} s; is somebody FOUND?")


def draw(axes: Any, cloud: Any, boxes: list[Marker], texts: list[Marker], upright: str) -> None:
    """Points in their sentences' colours and boxes against x, with `y` or `z` upright."""
    colours = (cloud["rgb"][:, None] >> np.array([16, 8, 0], np.uint32) & 255) / 255
    axes.scatter(cloud["x"], cloud[upright], s=2, c=colours)
    for box, text in zip(boxes, texts, strict=True):
        size, centre = box.scale, box.pose.position
        height, middle = getattr(size, upright), getattr(centre, upright)
        corner = (centre.x - size.x / 2, middle - height / 2)
        axes.add_patch(Rectangle(corner, size.x, height, fill=False, color="tab:red"))
        axes.annotate(text.text, corner, xytext=(0, 6), textcoords="offset points")
    axes.set(xlabel="x [m], to the right", aspect="equal")
    axes.margins(0.3)
    axes.grid(alpha=0.3)


def main() -> None:
    """Receive, draw, write."""
    arguments = remove_ros_args(sys.argv)[1:]
    if len(arguments) != 1:
        raise SystemExit("give the name of the picture: plot_points.py points.png")
    rclpy.init(args=sys.argv)
    points, markers = receive()
    cloud = np.frombuffer(points.data, POINT)
    boxes = [marker for marker in markers.markers if marker.ns == "box"]
    texts = [marker for marker in markers.markers if marker.ns == "text"]
    figure, (front, above) = pyplot.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    draw(front, cloud, boxes, texts, "y")
    front.set(ylabel="y [m], down", title="as the camera sees it")
    front.invert_yaxis()
    draw(above, cloud, boxes, texts, "z")
    above.plot(0, 0, "k^")
    above.set(ylabel="z [m], forward", title="from above; the triangle is the camera")
    figure.suptitle(f"{len(cloud)} points in {points.header.frame_id}")
    figure.savefig(Path(arguments[0]), dpi=100)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
